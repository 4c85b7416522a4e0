// SPDX-License-Identifier: GPL-2.0-only
/* What is measured of timers, for each clock event device. */
#include "tests/bench/table.h"

#include <stddef.h>

/*
 * Of a POSIX timer that is the next to expire; the guest sees to it that the
 * device is the one named.  cyclictest is in an initramfs of its own.
 */
#define TIMERS(device, n)                                                      \
	{ "timer put off", "timer " device " later", UNIT_US_PER_OP,           \
	  N(n, 1000), "" },                                                    \
		{ "timer set for earlier", "timer " device " earlier",         \
		  UNIT_US_PER_OP, N(n, 1000), "" },                            \
		{ "timer set and cancelled", "timer " device " cancel",        \
		  UNIT_US_PER_OP, N(n, 1000), "" },                            \
	{                                                                      \
		"1 ms sleep, late", "timer " device " sleep",                  \
			UNIT_US_QUANTILES, N(200, 1000), ""                    \
	}
#define CYCLICTEST(device)                                                     \
	{                                                                      \
		"cyclictest", "timer " device " cyclictest",                   \
			UNIT_US_QUANTILES, N(300, 1000), ""                    \
	}
#define OURS	 "hotline"
#define DEADLINE "lapic-deadline"

const struct bench_op timer_ops[] = {
	TIMERS(OURS, 4000),
	CYCLICTEST(OURS),
	{ .metric = NULL },
};

const struct bench_op deadline_ops[] = {
	TIMERS(DEADLINE, 4000),
	CYCLICTEST(DEADLINE),
	{ .metric = NULL },
};

const struct bench_op oneshot_ops[] = {
	TIMERS("lapic", 4000),
	CYCLICTEST("lapic"),
	{ .metric = NULL },
};

/* Several exits to the VMM each. */
const struct bench_op trapped_timer_ops[] = {
	TIMERS("hpet", 1000),
	CYCLICTEST("hpet"),
	{ .metric = NULL },
};

/* What only the idle loop asks for, which our device may arm with the halt. */
#define WHEEL(device)                                                          \
	{                                                                      \
		"30 ms idle by the wheel", "timer " device " wheel",           \
			UNIT_CPU_PER_OP, N(50, 50), ""                         \
	}

const struct bench_op halt_ops[] = { WHEEL(OURS), { .metric = NULL } };
const struct bench_op halt_deadline_ops[] = { WHEEL(DEADLINE),
					      { .metric = NULL } };

/* How often a guest leaves, by its ticks a second; ms. */
#define LOADS(device)                                                          \
	{ "idle",                                                              \
	  "timer " device " idle",                                             \
	  UNIT_EXITS_PER_S,                                                    \
	  { COUNT = 5000 },                                                    \
	  "" },                                                                \
		{ "busy",                                                      \
		  "timer " device " busy",                                     \
		  UNIT_EXITS_PER_S,                                            \
		  { COUNT = 200 },                                             \
		  "" },                                                        \
	{                                                                      \
		"busy, 20000 timers/s put off", "timer " device " storm",      \
			UNIT_EXITS_PER_S, { COUNT = 200 }, ""                  \
	}

const struct bench_op hz_ops[] = { LOADS(OURS), { .metric = NULL } };
const struct bench_op hz_deadline_ops[] = { LOADS(DEADLINE),
					    { .metric = NULL } };
const struct bench_op hz_oneshot_ops[] = { LOADS("lapic"), { .metric = NULL } };
const struct bench_op hz_trapped_ops[] = { LOADS("hpet"), { .metric = NULL } };
