/* SPDX-License-Identifier: GPL-2.0-only */
/* The handlers, by family; table.c puts them to their numbers. */
#ifndef HYPERCALLS_CALLS_H
#define HYPERCALLS_CALLS_H

#include <stdint.h>

struct hl_call;
struct hl_list_entry;
struct hypercalls;

/* core.c */
int64_t core_null(struct hypercalls *hc, const struct hl_call *c);

/* async.c: include/hotline/async.h */
int64_t async_open(struct hypercalls *hc, const struct hl_call *c);
int64_t async_close(struct hypercalls *hc, const struct hl_call *c);
int64_t async_cancel(struct hypercalls *hc, const struct hl_call *c);

/* test.c: include/hotline/test.h */
int64_t test_count(struct hypercalls *hc, const struct hl_call *c);
unsigned int test_sum(struct hypercalls *hc, const struct hl_call *c,
		      struct hl_list_entry *e, unsigned int nr,
		      int64_t *status);
unsigned int test_invert(struct hypercalls *hc, const struct hl_call *c,
			 struct hl_list_entry *e, unsigned int nr,
			 int64_t *status);
int64_t test_delay(struct hypercalls *hc, const struct hl_call *c);
int64_t test_wait(struct hypercalls *hc, const struct hl_call *c);
int64_t test_wake(struct hypercalls *hc, const struct hl_call *c);

#endif
