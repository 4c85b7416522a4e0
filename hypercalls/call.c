// SPDX-License-Identifier: GPL-2.0-only
/* Checking, dispatching and counting one copied call. */
#include "hypercalls/call.h"

#include "hypercalls/hypercalls.h"
#include "hypercalls/list.h"
#include "hypercalls/ring.h"
#include "hypercalls/table.h"
#include "vmm/core/counter.h"
#include "vmm/core/vm.h"

static const struct call_row *find(const struct hypercalls *hc, unsigned int op)
{
	return op < HL_OPS_MAX ? hc->row[op] : NULL;
}

/* Zero if the arguments that the row does not name are. */
static inline uint64_t unnamed(const struct call_row *row,
			       const struct hl_call *c)
{
	uint64_t rest = 0;

	switch (row->args) {
	case 0:
		rest |= c->arg[0];
		/* fall through */
	case 1:
		rest |= c->arg[1];
		/* fall through */
	case 2:
		rest |= c->arg[2];
		/* fall through */
	case 3:
		rest |= c->arg[3];
		/* fall through */
	case 4:
		rest |= c->arg[4];
		/* fall through */
	case 5:
		rest |= c->arg[5];
	}
	return rest;
}

static inline int64_t dispatch(struct hypercalls *hc,
			       const struct call_row *row, struct hl_call *c,
			       const struct call_time *time)
{
	if (unnamed(row, c))
		return HL_EINVAL;
	if (row->kind != CALL_ONE)
		return list_run(hc, row, c, time);
	return c->done ? HL_EINVAL : row->one(hc, c);
}

static inline void add(_Atomic uint64_t *n, uint64_t by, bool shared)
{
	if (shared)
		atomic_fetch_add_explicit(n, by, memory_order_relaxed);
	else
		counter_add(n, by);
}

static unsigned int log2_of(uint64_t n, unsigned int buckets)
{
	unsigned int log = n ? 63 - (unsigned int)__builtin_clzll(n) : 0;

	return log < buckets ? log : buckets - 1;
}

static inline void count(struct call_stats *s, const struct call_row *row,
			 const struct hl_call *c, uint32_t before,
			 int64_t result, bool shared)
{
	if (row && row->kind != CALL_ONE) {
		add(&s->entries, c->done - before, shared);
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

bool call_run(struct hypercalls *hc, struct line_cpu *cpu, struct hl_call *slot)
{
	struct call_time *time = &cpu->time;
	const struct call_row *row;
	struct call_stats *s;
	struct hl_call c;
	uint32_t done;
	uint64_t start = 0;
	int64_t result = HL_ENOSYS;

	mem_take(&c, slot, sizeof(c));
	done = c.done;
	row = find(hc, c.op);
	s = &cpu->stats[row ? c.op : call_rows];
	if (time->measure)
		start = __rdtsc();
	if (row) {
		time->over = row->slow;
		if (c.flags || c.result != HL_NOT_RUN)
			result = HL_EINVAL;
		else
			result = dispatch(hc, row, &c, time);
	}
	count(s, row, &c, done, result, false);
	if (time->measure)
		count_time(hc, s, start, false);
	if (c.done != done)
		__atomic_store_n(&slot->done, c.done, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->result, result, __ATOMIC_RELEASE);
	return result != HL_NOT_RUN;
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
	struct call_time time = { .over = false };
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
