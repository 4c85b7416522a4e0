// SPDX-License-Identifier: GPL-2.0-only
/* The hypercalls: see table.h for the columns. */
#include "hypercalls/table.h"

#include "hypercalls/calls.h"
#include "include/hotline/async.h"
#include "include/hotline/test.h"

#define ARGS(...)                                                              \
	.arg = { __VA_ARGS__ },                                                \
	.args = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)

const struct call_row call_table[] = {
	[HL_OP_NULL] = {
		.name = "null",
		.doc = "does nothing",
		.async = true,
		.one = core_null,
	},

	[HL_OP_RING_OPEN] = {
		.name = "ring_open",
		ARGS("ring", "address", "entries"),
		.doc = "takes a ring into use",
		.feature = HL_FEATURE_ASYNC,
		.slow = true, /* the first starts a thread */
		.one = async_open,
	},
	[HL_OP_RING_CLOSE] = {
		.name = "ring_close",
		ARGS("ring"),
		.doc = "takes no more calls from it; 0 once all have ended",
		.feature = HL_FEATURE_ASYNC,
		.one = async_close,
	},
	[HL_OP_RING_CANCEL] = {
		.name = "ring_cancel",
		ARGS("ring", "cookie"),
		.doc = "cancels a posted call that has not begun",
		.feature = HL_FEATURE_ASYNC,
		.one = async_cancel,
	},

	[HL_OP_TEST_COUNT] = {
		.name = "test_count",
		ARGS("add"),
		.doc = "adds to the test counter; returns what it was",
		.feature = HL_FEATURE_TEST,
		.async = true,
		.one = test_count,
	},
	[HL_OP_TEST_SUM] = {
		.name = "test_sum",
		ARGS("page", "entries"),
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
		ARGS("page", "entries"),
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
		ARGS("ns", "value"),
		.doc = "sleeps, then returns the value",
		.feature = HL_FEATURE_TEST,
		.async = true,
		.slow = true,
		.one = test_delay,
	},
	[HL_OP_TEST_WAIT] = {
		.name = "test_wait",
		ARGS("cell", "ns"),
		.doc = "waits for the cell's test_wake, at most so long",
		.feature = HL_FEATURE_TEST,
		.async = true,
		.slow = true,
		.one = test_wait,
	},
	[HL_OP_TEST_WAKE] = {
		.name = "test_wake",
		ARGS("cell"),
		.doc = "ends one test_wait of the cell",
		.feature = HL_FEATURE_TEST,
		.async = true,
		.one = test_wake,
	},
};

const unsigned int call_rows = sizeof(call_table) / sizeof(call_table[0]);
