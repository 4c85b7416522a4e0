// SPDX-License-Identifier: GPL-2.0-only
/* Checking, dispatching and counting one copied call. */
#include "hypercalls/call.h"

#include "hypercalls/hypercalls.h"
#include "hypercalls/list.h"
#include "hypercalls/ring.h"
#include "hypercalls/table.h"
#include "vmm/core/vm.h"

static const struct call_row *find(const struct hypercalls *hc, unsigned int op)
{
	const struct call_row *row = table_find(op);

	return row && !(row->feature & ~hc->features) ? row : NULL;
}

static bool well_formed(const struct call_row *row, const struct hl_call *c)
{
	uint64_t rest = row->kind == CALL_ONE ? c->done : 0;

	for (unsigned int i = 0; i < CALL_ARGS; i++)
		rest |= row->arg[i] ? 0 : c->arg[i];
	return !rest;
}

static int64_t dispatch(struct hypercalls *hc, const struct call_row *row,
			struct hl_call *c, const struct call_time *time)
{
	if (!well_formed(row, c))
		return HL_EINVAL;
	if (row->kind == CALL_ONE)
		return row->one(hc, c);
	return list_run(hc, row, c, time);
}

static inline void add(_Atomic uint64_t *n, uint64_t by, bool shared)
{
	if (shared)
		atomic_fetch_add_explicit(n, by, memory_order_relaxed);
	else
		call_add(n, by);
}

static unsigned int log2_of(uint64_t n, unsigned int buckets)
{
	unsigned int log = n ? 63 - (unsigned int)__builtin_clzll(n) : 0;

	return log < buckets ? log : buckets - 1;
}

static inline void count(struct call_stats *s, const struct call_row *row,
			 const struct hl_call *c, uint32_t done_before,
			 int64_t result, bool shared)
{
	if (row && row->kind != CALL_ONE) {
		add(&s->entries, c->done - done_before, shared);
		if (result == HL_NOT_RUN)
			return;
		add(&s->length[log2_of(c->arg[1], CALL_LENGTHS)], 1, shared);
	}
	add(&s->calls, 1, shared);
	if (result < 0)
		add(&s->errors, 1, shared);
}

static void count_time(const struct hypercalls *hc, struct call_stats *s,
		       uint64_t start, bool shared)
{
	uint64_t ticks = __rdtsc() - start;
	uint64_t ns =
		(uint64_t)((unsigned __int128)ticks * hc->ns_per_tick >> 24);

	add(&s->time[log2_of(ns, CALL_TIMES)], 1, shared);
}

int64_t call_run(struct hypercalls *hc, struct call_stats *stats,
		 struct hl_call *c, struct call_time *time)
{
	const struct call_row *row = find(hc, c->op);
	struct call_stats *s = &stats[row ? c->op : call_rows];
	bool timed = atomic_load_explicit(&hc->timing, memory_order_relaxed);
	uint64_t start = timed ? __rdtsc() : 0;
	uint32_t done = c->done;
	int64_t result = HL_ENOSYS;

	if (row) {
		result = c->flags ? HL_EINVAL : dispatch(hc, row, c, time);
		time->over |= row->slow;
	}
	count(s, row, c, done, result, false);
	if (timed)
		count_time(hc, s, start, false);
	return result;
}

int64_t hypercall_admit(const struct hypercalls *hc, const struct hl_call *call)
{
	const struct call_row *row = find(hc, call->op);

	if (!row)
		return HL_ENOSYS;
	if (!row->async)
		return HL_EINVAL;
	if (row->slow || (row->kind != CALL_ONE && call->arg[1] > row->batch))
		return RINGS_LONG;
	return RINGS_SHORT;
}

int64_t hypercall_execute(struct hypercalls *hc, struct hl_call *call)
{
	const struct call_row *row = find(hc, call->op);
	struct call_stats *s = &hc->posted[row ? call->op : call_rows];
	struct call_time time = { .ticks = hc->crossing_ticks };
	uint64_t start = __rdtsc();
	uint32_t done = call->done;
	int64_t result = HL_ENOSYS;

	/* In pieces, so that the machine's end does not wait for a list's. */
	while (row) {
		time.start = __rdtsc();
		result = dispatch(hc, row, call, &time);
		if (result != HL_NOT_RUN)
			break;
		if (vm_ended(hc->vm)) {
			result = HL_ECANCELED;
			break;
		}
	}
	count(s, row, call, done, result, true);
	if (atomic_load_explicit(&hc->timing, memory_order_relaxed))
		count_time(hc, s, start, true);
	return result;
}
