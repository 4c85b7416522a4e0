/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock page's clock as arithmetic: a line over the guest's TSC that is
 * bent, once a period, towards the host's CLOCK_MONOTONIC.  It asks nobody for
 * the time, and has no thread: its user locks.
 *
 * The line never goes back.  Behind by more than DISCIPLINE_JUMP it jumps
 * forward; ahead by more than DISCIPLINE_AHEAD it stays so for ever (`base`
 * grows); all else is slewed off, by at most a thousandth of the rate.  It takes
 * at least four periods for that, and longer if it was called late, so that a
 * correction that lasts too long does not overshoot.
 */
#ifndef BACKEND_DISCIPLINE_H
#define BACKEND_DISCIPLINE_H

#include <stdbool.h>
#include <stdint.h>

#define DISCIPLINE_JUMP	 1000000  /* ns */
#define DISCIPLINE_AHEAD 10000000 /* ns */
#define DISCIPLINE_SLEW	 1000	  /* a part in so many */
/*
 * What the host's rate is expected to change by within a period, as a fraction:
 * from one end of adjtimex' +-500 ppm to the other.
 */
#define DISCIPLINE_CHANGE 1000
/*
 * What a line that nobody looked after may go wrong by, as a fraction of its
 * age: its own slew, and a change of the host's rate.
 */
#define DISCIPLINE_GROWTH 500

struct discipline_line { /* as in struct hl_clock */
	uint64_t tsc, ns, mult;
};

struct discipline {
	struct discipline_line line;
	int64_t base; /* the line aims at CLOCK_MONOTONIC + base */
	/*
	 * Bound of the line's distance from there, ns, until two periods after
	 * the last sample; then it grows by up to 1/500 of the age.
	 */
	uint64_t error;
	uint64_t jumps, rebases; /* how often */

	/* The rest is discipline.c's own.  Rates: ns per tick, 2^-32. */
	uint64_t period_ns;
	uint64_t nominal, rate, unsure;
	uint64_t tsc, mono; /* where the rate was last measured */
	uint64_t seen;	    /* the last sample's tsc */
	uint64_t ease;	    /* ticks in which an error is slewed off */
	uint64_t next_mult, next_jump;
};

static inline uint64_t discipline_at(const struct discipline_line *line,
				     uint64_t tsc)
{
	if (tsc <= line->tsc)
		return line->ns;
	return line->ns +
	       (uint64_t)((unsigned __int128)(tsc - line->tsc) * line->mult >>
			  32);
}

void discipline_init(struct discipline *d, unsigned int tsc_khz,
		     uint64_t period_ns);

/* Begins a line that is at ns when the TSC is at tsc and the host's at mono. */
void discipline_start(struct discipline *d, uint64_t tsc, uint64_t mono,
		      uint64_t ns);

/*
 * Plans the next line from a sample: at that tick of the guest's TSC the
 * host's CLOCK_MONOTONIC was mono.  gap: the time since the one before is not
 * to be trusted with the rate (the host slept, the VMM was stopped).
 */
void discipline_sample(struct discipline *d, uint64_t tsc, uint64_t mono,
		       bool gap);

/*
 * Takes to that line: it begins where the old one is at tsc, the present.
 * Short, as readers wait.
 */
static inline void discipline_turn(struct discipline *d, uint64_t tsc)
{
	d->line.ns = discipline_at(&d->line, tsc) + d->next_jump;
	if (tsc > d->line.tsc)
		d->line.tsc = tsc;
	d->line.mult = d->next_mult;
	d->next_jump = 0;
}

/*
 * What error grew by until the line was taken to: who plans it may lose its
 * processor before.  ns
 */
static inline uint64_t discipline_late(const struct discipline *d)
{
	uint64_t ticks = d->line.tsc - d->seen;

	return (uint64_t)((unsigned __int128)ticks * d->rate >> 32) /
	       DISCIPLINE_GROWTH;
}

#endif
