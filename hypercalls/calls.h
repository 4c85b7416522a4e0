/* SPDX-License-Identifier: GPL-2.0-only */
/* The handlers' prototypes, made of the rows. */
#ifndef HYPERCALLS_CALLS_H
#define HYPERCALLS_CALLS_H

#include <stdint.h>

struct hl_call;
struct hl_list_entry;
struct hypercalls;

#define ONE(op, handler, ...)                                                  \
	int64_t handler(struct hypercalls *hc, const struct hl_call *c);
#define LIST(op, handler, ...)                                                 \
	unsigned int handler(struct hypercalls *hc, const struct hl_call *c,   \
			     struct hl_list_entry *e, unsigned int nr,         \
			     int64_t *status);
#define LIST_INOUT LIST

#include "hypercalls/rows.def"

#undef ONE
#undef LIST
#undef LIST_INOUT

#endif
