// SPDX-License-Identifier: GPL-2.0-only
/* The hypercalls by their numbers, made of the rows. */
#include "hypercalls/table.h"

#include "hypercalls/calls.h"
#include "include/hotline/async.h"
#include "include/hotline/clock.h"
#include "include/hotline/msr.h"
#include "include/hotline/test.h"
#include "include/hotline/timer.h"
#include "include/hotline/yield.h"

#define ARGS(...)                                                              \
	.arg = { __VA_ARGS__ },                                                \
	.args = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)

#define ONE(op, handler, ...) [op] = { .one = handler, __VA_ARGS__ },
#define LIST(op, handler, ...)                                                 \
	[op] = { .kind = CALL_LIST, .list = handler, __VA_ARGS__ },
#define LIST_INOUT(op, handler, ...)                                           \
	[op] = { .kind = CALL_LIST_INOUT, .list = handler, __VA_ARGS__ },

const struct call_row call_table[] = {
#include "hypercalls/rows.def"
};

const unsigned int call_rows = sizeof(call_table) / sizeof(call_table[0]);
