/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A limit on how often a guest may have something done: so many at once, and
 * one more each so many ns.  Its owner's.
 */
#ifndef BACKEND_RATE_H
#define BACKEND_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	uint64_t each_ns; /* time that earns one */
	unsigned int burst;
	uint64_t paid_ns; /* what was taken is earned by then */
};

/* One, at the time now_ns, which never goes back.  False: not yet. */
static inline bool rate_take(struct rate *r, uint64_t now_ns)
{
	uint64_t paid = r->paid_ns > now_ns ? r->paid_ns : now_ns;

	if (paid - now_ns + r->each_ns > r->burst * r->each_ns)
		return false;
	r->paid_ns = paid + r->each_ns;
	return true;
}

#endif
