/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the control socket's clients may want that costs the guest time: it is
 * on while at least one of them does.  I/O thread.
 */
#ifndef BACKEND_WANTS_H
#define BACKEND_WANTS_H

#include <stdbool.h>

struct vm;

enum want { WANT_NOTHING, WANT_TIMES, WANT_EXITS, WANTS };

struct wants {
	struct vm *vm;
	unsigned int clients[WANTS];
};

/* mine: what this client wants already. */
void wants_add(struct wants *w, bool mine[WANTS], enum want what);
void wants_drop(struct wants *w, bool mine[WANTS]);

#endif
