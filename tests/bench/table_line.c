// SPDX-License-Identifier: GPL-2.0-only
/* What is measured of the line, and of lists of MSRs, for each k. */
#include "tests/bench/table.h"

#include <stddef.h>

/*
 * "KIND, k=K" is a point of KIND's curve in the report, "one KIND" a level line
 * beside the curves.  Rounds are many where they are short.
 */
#define CALLS(kind, k, command, by)                                            \
	{                                                                      \
		kind " by " by ", k=" #k, "line " command, UNIT_US_PER_OP,     \
			N(1000, 1000), ""                                      \
	}
#define MULTI(k, by) CALLS("multicall", k, "multi " by " " #k, by)
#define LIST(k, by)  CALLS("list", k, "list sum " by " " #k, by)
#define MULTIS(by)                                                             \
	MULTI(1, by), MULTI(2, by), MULTI(4, by), MULTI(8, by), MULTI(16, by), \
		MULTI(32, by), MULTI(64, by)
#define LISTS(by)                                                              \
	LIST(1, by), LIST(8, by), LIST(64, by), LIST(255, by), LIST(512, by)
#define NULLS(by)                                                              \
	{                                                                      \
		"null call by " by, "line null " by, UNIT_US_PER_OP,           \
			N(1000, 1000), ""                                      \
	}
#define TRAPS(how, name)                                                       \
	{                                                                      \
		"one trap by " name, "line traps " how " 64", UNIT_US_PER_OP,  \
			N(30, 30), ""                                          \
	}
#define POSTED(depth)                                                          \
	{                                                                      \
		"split-phase call, depth " #depth, "line async 1",             \
			UNIT_US_PER_OP, N(2000, 4000), " " #depth              \
	}

const struct bench_op line_ops[] = {
	NULLS("vmcall"),
	NULLS("pio"),
	MULTIS("vmcall"),
	MULTIS("pio"),
	LISTS("vmcall"),
	LISTS("pio"),
	TRAPS("pio", "PIO"),
	TRAPS("mmio", "MMIO"),
	TRAPS("msr", "WRMSR"),
	{ "one exit that KVM handles (CPUID)", "line cpuid", UNIT_US_PER_OP,
	  N(2000, 2000), "" },
	POSTED(1),
	POSTED(16),
	POSTED(64),
	{ .metric = NULL },
};

/* Where two vCPUs count instructions on one processor, a wait is no figure. */
#define LOCK(how)                                                              \
	{                                                                      \
		"lock wait, 2 ms call, " how, "line lock " how,                \
			UNIT_US_QUANTILES, { WALL = 500 }, " 2000000"          \
	}

const struct bench_op lock_ops[] = {
	LOCK("sync"),
	LOCK("split"),
	{ .metric = NULL },
};

static const char locked[] = "spin lock taken and dropped, 1000 times";

const struct bench_op uncontended_ops[] = {
	{ locked, "line uncontended", UNIT_US_PER_OP, N(300, 3000), "" },
	{ .metric = NULL },
};

/* Each MSR is an operation, by lists from one entry on: hotline.msr_min=1. */
#define MSRS(kind, which, how, k)                                              \
	{                                                                      \
		kind ", k=" #k, "line msr write " which " " how " " #k,        \
			UNIT_US_PER_OP, N(200, 200), ""                        \
	}
#define MSR_CURVE(kind, which, how)                                            \
	MSRS(kind, which, how, 1), MSRS(kind, which, how, 2),                  \
		MSRS(kind, which, how, 4), MSRS(kind, which, how, 8),          \
		MSRS(kind, which, how, 16), MSRS(kind, which, how, 32),        \
		MSRS(kind, which, how, 64)

const struct bench_op msr_ops[] = {
	MSR_CURVE("WRMSR to KVM", "kernel", "loop"),
	MSR_CURVE("list to KVM", "kernel", "list"),
	MSR_CURVE("WRMSR to the VMM", "user", "loop"),
	MSR_CURVE("list to the VMM", "user", "list"),
	{ .metric = NULL },
};

/* Two switches, each between processes of six counters, see guest_perf.c. */
#define PERF(how)                                                              \
	{                                                                      \
		"two switches of counted processes, " how, "perf switches",    \
			UNIT_US_PER_OP, N(1000, 4000), ""                      \
	}

const struct bench_op perf_ops[] = { PERF("lists"), { .metric = NULL } };
const struct bench_op perf_off_ops[] = { PERF("WRMSR"), { .metric = NULL } };
