/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One copied call: checked by its row, run, counted.  The time is counted in
 * TSC ticks, as reading them costs next to nothing; should two processors'
 * counters differ, a crossing is cut short once, which the guest must be ready
 * for anyhow.
 */
#ifndef HYPERCALLS_CALL_H
#define HYPERCALLS_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <x86intrin.h>

#include "hypercalls/hypercalls.h"

struct call_row;
struct hl_call;
struct line_cpu;

static inline bool call_time_over(const struct hypercalls *hc,
				  const struct call_time *time)
{
	return time->over || __rdtsc() - time->start >= hc->crossing_ticks;
}

#define CALL_LENGTHS 15 /* log2 of HL_LIST_MAX, and one */
#define CALL_TIMES   32

/*
 * Of one row.  Those of a vCPU have one writer, its thread; those of posted
 * calls have many.  Read by any thread.
 */
struct call_stats {
	_Atomic uint64_t calls, errors, entries;
	_Atomic uint64_t length[CALL_LENGTHS]; /* lists, by log2 of entries */
	_Atomic uint64_t time[CALL_TIMES];     /* pieces, by log2 of ns */
};

/*
 * Short calls of a multicall run without a look at the clock between them, at
 * most so many.
 */
#define CALL_UNTIMED 8

/*
 * What a call must be for the short way: found, short, no list, and with no bit
 * set that must not be.  All zero for other ops, which no call agrees with: op
 * 0 has a row.
 */
struct call_quick {
	__m128i head;	 /* op, flags, done and result */
	__m128i zero[3]; /* bits of arg[] that must be zero */
	int64_t (*one)(struct hypercalls *hc, const struct hl_call *c);
};

void call_quick_set(struct call_quick *quick, uint16_t op,
		    const struct call_row *row);

/*
 * Slots, of a call page, within cpu->time: how many are finished.  If that is
 * not nr, the crossing is at its end.
 */
unsigned int call_run(struct hypercalls *hc, struct line_cpu *cpu,
		      struct hl_call *slot, unsigned int nr);

#endif
