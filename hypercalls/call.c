// SPDX-License-Identifier: GPL-2.0-only
/* Checking, dispatching and counting one copied call. */
#include "hypercalls/call.h"

#include <string.h>

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

static void put_result(struct hl_call *slot, int64_t result)
{
	__atomic_store_n(&slot->result, result, __ATOMIC_RELEASE);
}

/* Any call, copied from a slot.  False: it is not through. */
static __attribute__((noinline)) bool run_any(struct hypercalls *hc,
					      struct line_cpu *cpu,
					      struct hl_call *c,
					      struct hl_call *slot)
{
	struct call_time *time = &cpu->time;
	const struct call_row *row = find(hc, c->op);
	struct call_stats *s = &cpu->stats[row ? c->op : call_rows];
	uint32_t done = c->done;
	uint64_t start = 0;
	int64_t result = HL_ENOSYS;

	if (time->measure)
		start = __rdtsc();
	if (row) {
		time->over = row->slow;
		if (c->flags || c->result != HL_NOT_RUN)
			result = HL_EINVAL;
		else
			result = dispatch(hc, row, c, time);
	}
	count(s, row, c, done, result, false);
	if (time->measure)
		count_time(hc, s, start, false);
	if (c->done != done)
		__atomic_store_n(&slot->done, c->done, __ATOMIC_RELAXED);
	put_result(slot, result);
	return result != HL_NOT_RUN;
}

void call_quick_set(struct call_quick *quick, uint16_t op,
		    const struct call_row *row)
{
	const struct hl_call head = { .op = op, .result = HL_NOT_RUN };
	uint64_t zero[CALL_ARGS] = { 0 };

	if (row->kind != CALL_ONE || row->slow)
		return;
	for (unsigned int i = row->args; i < CALL_ARGS; i++)
		zero[i] = UINT64_MAX;
	memcpy(&quick->head, &head, sizeof(quick->head));
	memcpy(quick->zero, zero, sizeof(quick->zero));
	quick->one = row->one;
}

/* mem_take() of a slot that leaves the copy in registers too. */
static inline void take_slot(struct hl_call *c, __m128i in[4],
			     const struct hl_call *slot)
{
	const volatile __m128i *from = (const volatile __m128i *)slot;

	in[0] = from[0];
	in[1] = from[1];
	in[2] = from[2];
	in[3] = from[3];
	memcpy(c, in, sizeof(*c));
}

static inline bool is_quick(const struct call_quick *quick, const __m128i in[4])
{
	__m128i wrong = (in[0] ^ quick->head) | (in[1] & quick->zero[0]) |
			(in[2] & quick->zero[1]) | (in[3] & quick->zero[2]);

	return _mm_movemask_epi8(_mm_cmpeq_epi32(wrong, _mm_setzero_si128())) ==
	       0xffff;
}

/* Calls of one op, no lists, have run. */
static void tally(struct line_cpu *cpu, unsigned int op, unsigned int calls,
		  unsigned int errors)
{
	if (!calls)
		return;
	counter_add(&cpu->stats[op].calls, calls);
	if (errors)
		counter_add(&cpu->stats[op].errors, errors);
}

/* Somebody wants to know how long each call takes. */
static unsigned int run_timed(struct hypercalls *hc, struct line_cpu *cpu,
			      struct hl_call *slot, unsigned int nr)
{
	struct hl_call c;
	unsigned int i = 0;

	do {
		mem_take(&c, &slot[i], sizeof(c));
		if (!run_any(hc, cpu, &c, &slot[i]))
			break;
	} while (++i < nr && !call_time_over(hc, &cpu->time));
	return i;
}

/*
 * A full multicall pays each instruction of the short way 64 times.  So a call
 * is first taken for one more of the op before, and looked up if it is not, and
 * the statistics are written when that changes.
 */
unsigned int call_run(struct hypercalls *hc, struct line_cpu *cpu,
		      struct hl_call *slot, unsigned int nr)
{
	unsigned int i = 0, op = HL_OP_NULL, first = 0, errors = 0;
	const struct call_quick *quick = &hc->quick[op];

	if (cpu->time.measure)
		return run_timed(hc, cpu, slot, nr);
	while (i < nr) {
		struct hl_call c;
		__m128i in[4];
		int64_t result;

		take_slot(&c, in, &slot[i]);
		if (!is_quick(quick, in)) {
			tally(cpu, op, i - first, errors);
			first = i;
			errors = 0;
			if (c.op >= call_rows ||
			    !is_quick(&hc->quick[c.op], in)) {
				if (!run_any(hc, cpu, &c, &slot[i]))
					break;
				first = ++i;
				if (call_time_over(hc, &cpu->time))
					break;
				continue;
			}
			op = c.op;
			quick = &hc->quick[op];
		}
		result = quick->one(hc, &c);
		put_result(&slot[i++], result);
		if (__builtin_expect(result < 0, 0))
			errors++;
		if (i % CALL_UNTIMED == 0 && call_time_over(hc, &cpu->time))
			break;
	}
	tally(cpu, op, i - first, errors);
	return i;
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
