// SPDX-License-Identifier: GPL-2.0-only
/* The part of the table of measurements that is about locks and yields. */
#include "tests/bench/yield.h"

#define CONTEND(kind, us)                                                      \
	{                                                                      \
		kind ", " #us " us", YIELD_CONTEND, kind, us, 250              \
	}
#define LOAD(name)                                                             \
	{                                                                      \
		name, YIELD_LOAD, name, 0, 0                                   \
	}

static const struct yield_op ops[] = {
	CONTEND("spin", 0.5), CONTEND("spin", 5),
	CONTEND("spin", 50),  CONTEND("mutex", 0.5),
	CONTEND("mutex", 5),  CONTEND("mutex", 50),
	LOAD("hackbench"),    { "mmap storm", YIELD_STORM, "", 0, 250 },
	{ .metric = NULL },
};

/* Their locks are their own, in user mode: of these nobody knows the holder. */
static const struct yield_op program_ops[] = {
	LOAD("sysbench-threads"),
	LOAD("sysbench-mutex"),
	{ .metric = NULL },
};

/* As many as a p99 needs. */
static const struct yield_op holder_ops[] = {
	{ "spin", YIELD_CONTEND, "spin", 0, 0 },
	{ "mutex", YIELD_CONTEND, "mutex", 0, 0 },
	{ .metric = NULL },
};

static const struct yield_op convoy_ops[] = {
	{ "spin, 50 us", YIELD_CONTEND, "spin", 50, 150 },
	{ .metric = NULL },
};

const struct yield_load yield_alone = { 0, ops };
const struct yield_load yield_programs = { 0, program_ops };
const struct yield_load yield_beside_hogs = { 2, ops };
const struct yield_load yield_one_hog = { 1, holder_ops };
const struct yield_load yield_three_hogs = { 3, holder_ops };
const struct yield_load yield_convoy = { 1, convoy_ops };
