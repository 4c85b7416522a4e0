/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

#include <stdbool.h>

struct console;
struct virtio_dev;
struct vm;

/*
 * A console of one port on con (virtio 1.2, 5.3), which outlives it; attaches
 * itself to con's input if `input`.  NULL with errno set.
 */
struct virtio_dev *virtio_console_new(struct vm *vm, struct console *con,
				      bool input);

#endif
