/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's clocks as the clock page wants them: CLOCK_MONOTONIC beside the
 * TSC, what CLOCK_REALTIME is ahead of it, and what adjtimex says of both.
 * No thread; its user locks.
 */
#ifndef BACKEND_CLOCK_HOST_H
#define BACKEND_CLOCK_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct vm;

/* What CLOCK_REALTIME may be ahead of CLOCK_MONOTONIC, ns. */
struct clock_span {
	int64_t lo, hi;
};

struct clock_host {
	const struct vm *vm;
	struct clock_span span; /* read; shrinks until the clock is set */
	/* What it is taken for, within wall_unsure. */
	int64_t wall;
	uint64_t wall_unsure;
};

struct clock_sample {
	uint64_t tsc;  /* the host's */
	uint64_t mono; /* CLOCK_MONOTONIC at that tick, ns */
};

struct clock_status { /* adjtimex(2) */
	bool synced;
	uint64_t maxerror_ns, esterror_ns;
	int tai; /* s; 0 = not known */
	/* A leap second: +1, -1 at the day's end; 0 = none known */
	int leap;
	bool leaping, leapt; /* within it; just behind it */
};

void clock_host_init(struct clock_host *host, const struct vm *vm);

/* Reads anew what the wall clock is ahead: it may have been set. */
void clock_host_set(struct clock_host *host);

/*
 * 0: host->wall is right for the sample, so it may have changed.  -ENODEV: the
 * TSC is no clock here.  -EAGAIN: somebody sets the clock all the time.
 */
int clock_host_sample(struct clock_host *host, struct clock_sample *s);

void clock_host_status(struct clock_status *status);

/* ns */
uint64_t clock_host_realtime(void);
/* Goes on while the host sleeps. */
uint64_t clock_host_boottime(void);

/* Narrows span by another.  False: they have nothing in common. */
bool clock_span_meet(struct clock_span *span, const struct clock_span *other);

#endif
