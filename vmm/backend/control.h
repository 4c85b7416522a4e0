/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket of a running machine, for `hotline list|stop|stat|pause`.
 * Served on the I/O loop; a slow client never blocks it.
 *
 * A request is one line (a command's name), the answer "ok LEN\n" or
 * "error LEN\n" and LEN bytes.  Several requests may follow one another.
 */
#ifndef BACKEND_CONTROL_H
#define BACKEND_CONTROL_H

#include <stdint.h>

#define CONTROL_LINE	64 /* bytes of a request, with its newline */
#define CONTROL_CLIENTS 8  /* the one idle for longest makes room */

struct control;
struct pause;
struct vm;

struct control_info {
	const char *name; /* copied */
	unsigned int cpus;
	uint64_t mem;	     /* bytes */
	const char *vmlinux; /* where the symbols are, copied; or NULL */
	struct pause *pause; /* lives as long as we */
};

/*
 * Listens on vm->loop, before it runs.  Returns 0, or an enum exit_code after
 * an error() if the name is taken.  Where no socket can be made, the machine
 * does without: 0 with *ctl NULL, after a warn().
 */
int control_new(struct control **ctl, struct vm *vm,
		const struct control_info *info);
/* After the loop has ended; removes the socket.  NULL is fine. */
void control_free(struct control *ctl);

/* Serves a connected, non-blocking socket; takes it over.  Loop thread. */
void control_serve(struct control *ctl, int fd);

#endif
