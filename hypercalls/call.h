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
 * A slot, within cpu->time.  False: its call is not through, and the crossing
 * is at its end.
 */
bool call_run(struct hypercalls *hc, struct line_cpu *cpu,
	      struct hl_call *slot);

#endif
