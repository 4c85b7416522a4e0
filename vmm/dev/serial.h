/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

struct console;
struct serial;
struct vm;

#define SERIAL_PORTS 8 /* I/O ports it takes */

/*
 * A 16550A at I/O port `port` with interrupts on GSI `gsi`, printing to con
 * and, if `input`, typing what con reads.  NULL with errno set.
 */
struct serial *serial_new(struct vm *vm, uint16_t port, unsigned int gsi,
			  struct console *con, bool input);
void serial_free(struct serial *serial);

#endif
