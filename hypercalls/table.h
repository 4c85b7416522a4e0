/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypercalls, one row each.  A new one is a handler in the file of its
 * family and a row in rows.def: prototype, checks, dispatch, statistics and
 * documentation come from the row.  Constant.
 */
#ifndef HYPERCALLS_TABLE_H
#define HYPERCALLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "include/hotline/hypercall.h"

struct hypercalls;

enum call_kind {
	CALL_ONE,
	CALL_LIST,	 /* entries are read */
	CALL_LIST_INOUT, /* and those done are written back */
};

#define CALL_ARGS      6
#define CALL_BATCH_MAX 64 /* entries */

struct call_row {
	const char *name; /* as in HL_OP_*; NULL = no such call */
	/* By ARGS(): their names and number.  The others must be zero. */
	const char *arg[CALL_ARGS];
	uint8_t args;
	const char *doc;  /* one line */
	uint64_t feature; /* HL_FEATURE_* that it comes with, or 0 */
	enum call_kind kind;
	bool async; /* may be posted to a ring */
	/*
	 * May take long even so: a crossing that made one ends behind it.
	 * Others take 10 us at most, as the clock is not read behind each.
	 */
	bool slow;
	/*
	 * Lists: entries at once, so few that they take 50 us at most, and
	 * entries in all.
	 */
	uint16_t batch, max;
	/*
	 * One call, copied and checked as far as the row says: its result.
	 * On a vCPU's thread, or a worker's if it may be posted.
	 */
	int64_t (*one)(struct hypercalls *hc, const struct hl_call *c);
	/*
	 * nr entries of a list, copied: how many were done.  If that is less,
	 * *status says why the one behind them was not.
	 */
	unsigned int (*list)(struct hypercalls *hc, const struct hl_call *c,
			     struct hl_list_entry *e, unsigned int nr,
			     int64_t *status);
};

extern const struct call_row call_table[]; /* by op */
extern const unsigned int call_rows;

#endif
