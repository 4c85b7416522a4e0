/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CLI_STAT_H
#define CLI_STAT_H

#include <stdbool.h>

/*
 * Asks for what "watch exits" has seen and prints it by guest function.  0 or
 * -errno.
 */
int stat_exits(int fd, bool json);

#endif
