/* SPDX-License-Identifier: GPL-2.0-only */
/* The entries of a list call: fetched, handed to the row, written back. */
#ifndef HYPERCALLS_LIST_H
#define HYPERCALLS_LIST_H

#include <stdint.h>

struct call_row;
struct call_time;
struct hl_call;
struct hypercalls;

/*
 * Does c's entries from c->done on and moves c->done.  The call's result, or
 * HL_NOT_RUN when its time is over before.
 */
int64_t list_run(struct hypercalls *hc, const struct call_row *row,
		 struct hl_call *c, const struct call_time *time);

#endif
