/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the table of measurements share. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "tests/bench/bench.h"

#define ICOUNT [MODE_ICOUNT]
#define WALL   [MODE_WALL]
#define COUNT  [MODE_COUNT]
#define N(icount, wall)                                                        \
	{                                                                      \
		ICOUNT = icount, WALL = wall, COUNT = icount                   \
	}

/* table_line.c */
extern const struct bench_op line_ops[], lock_ops[], uncontended_ops[],
	msr_ops[], perf_ops[], perf_off_ops[];

/* table_timer.c */
extern const struct bench_op timer_ops[], deadline_ops[], oneshot_ops[],
	trapped_timer_ops[];
extern const struct bench_op halt_ops[], halt_deadline_ops[];
extern const struct bench_op hz_ops[], hz_deadline_ops[], hz_oneshot_ops[],
	hz_trapped_ops[];

#endif
