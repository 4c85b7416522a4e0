// SPDX-License-Identifier: GPL-2.0-only
/* The hypercalls: see table.h for the columns. */
#include "hypercalls/table.h"

#include "hypercalls/calls.h"
#include "include/hotline/test.h"

const struct call_row call_table[] = {
	[HL_OP_NULL] = {
		.name = "null",
		.doc = "does nothing",
		.async = true,
		.one = core_null,
	},

	[HL_OP_TEST_COUNT] = {
		.name = "test_count",
		.arg = { "add" },
		.doc = "adds to the test counter; returns what it was",
		.feature = HL_FEATURE_TEST,
		.async = true,
		.one = test_count,
	},
	[HL_OP_TEST_SUM] = {
		.name = "test_sum",
		.arg = { "page", "entries" },
		.doc = "adds each entry's a ^ b to the test counter",
		.feature = HL_FEATURE_TEST,
		.kind = CALL_LIST,
		.async = true,
		.batch = CALL_BATCH_MAX,
		.max = HL_LIST_MAX,
		.list = test_sum,
	},
	[HL_OP_TEST_INVERT] = {
		.name = "test_invert",
		.arg = { "page", "entries" },
		.doc = "sets each entry's b to ~a; refuses an a of 0",
		.feature = HL_FEATURE_TEST,
		.kind = CALL_LIST_INOUT,
		.async = true,
		.batch = CALL_BATCH_MAX,
		.max = HL_LIST_MAX,
		.list = test_invert,
	},
	[HL_OP_TEST_DELAY] = {
		.name = "test_delay",
		.arg = { "ns", "value" },
		.doc = "sleeps, then returns the value",
		.feature = HL_FEATURE_TEST,
		.async = true,
		.slow = true,
		.one = test_delay,
	},
	[HL_OP_TEST_WAIT] = {
		.name = "test_wait",
		.arg = { "cell", "ns" },
		.doc = "waits for the cell's test_wake, at most so long",
		.feature = HL_FEATURE_TEST,
		.async = true,
		.slow = true,
		.one = test_wait,
	},
	[HL_OP_TEST_WAKE] = {
		.name = "test_wake",
		.arg = { "cell" },
		.doc = "ends one test_wait of the cell",
		.feature = HL_FEATURE_TEST,
		.async = true,
		.one = test_wake,
	},
};

const unsigned int call_rows = sizeof(call_table) / sizeof(call_table[0]);
