/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef INIT_H
#define INIT_H

#include <stddef.h>

/* init.c */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *cmdline_find_option(const char *name, size_t *length);

/* init-input.c: what the command reads from; the console if all else fails */
int input_start(void);

/* init-net.c */
void net_start(void);

#endif
