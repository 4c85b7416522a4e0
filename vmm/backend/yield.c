// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which way a yield is made, and the pull.  vCPU threads, each about another's.
 *
 * A thread that waits for its processor is moved at once by being forbidden
 * there; allowed back, it stays where it is.  Between the two its mask is
 * narrow: vcpu->hands keeps others from taking that for its own, and its end
 * away.
 */
#include "vmm/backend/yield.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "include/hotline/yield.h"
#include "vmm/backend/hints.h"
#include "vmm/backend/lease.h"
#include "vmm/backend/rate.h"
#include "vmm/backend/waits.h"
#include "vmm/core/affinity.h"
#include "vmm/core/clock.h"
#include "vmm/core/counter.h"
#include "vmm/core/stats.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define NS_PER_S    1000000000ull
#define CALLS_BURST 64

enum { PULLED, LEASED, NEEDLESS, LIMITED, REFUSED, COUNTERS };

struct yield_cpu {
	struct waits waits;
	/* Its own thread's. */
	struct rate calls;
	_Atomic uint64_t count[COUNTERS];
};

struct yield {
	struct vm *vm;
	struct leases *leases; /* with YIELD_LEASE */
	struct hints *hints;
	unsigned int asked; /* YIELD_* */
	atomic_uint ways;   /* those that the host has not refused */
	struct stats_part part;
	struct yield_cpu cpu[]; /* by APIC id */
};

struct wish { /* a yield on its way */
	struct vcpu *target;
	struct yield_cpu *from, *to; /* the caller's, the target's */
	int tid;		     /* the target's */
	uint64_t now;
	bool pulled;
};

static void count(struct yield_cpu *caller, int what)
{
	counter_add(&caller->count[what], 1);
}

static int online(const struct yield *y)
{
	int n = hints_online(y->hints);

	return n ? n : affinity_online();
}

/* -EPERM: it may not run here. */
static int pull(struct yield *y, struct wish *w)
{
	int here = sched_getcpu();
	cpu_set_t was, one;

	if (affinity_get(w->tid, online(y), &was) || here < 0 ||
	    here >= CPU_SETSIZE || !CPU_ISSET(here, &was))
		return -EPERM;
	CPU_ZERO(&one);
	CPU_SET(here, &one);
	if (sched_setaffinity(w->tid, sizeof(one), &one) < 0)
		return -EPERM;
	if (sched_setaffinity(w->tid, sizeof(was), &was) < 0) {
		/* What it may use has just become less: let the host say. */
		memset(&was, 0xff, sizeof(was));
		sched_setaffinity(w->tid, sizeof(was), &was);
	}
	w->pulled = true;
	return 1;
}

static int lease(struct yield *y, struct wish *w)
{
	int r = lease_begin(y->leases, w->target, w->tid);

	if (r == -EPERM)
		atomic_fetch_and(&y->ways, ~YIELD_LEASE);
	return r < 0 && r != -EAGAIN ? -EPERM : r;
}

static const struct way {
	unsigned int bit;
	int counter;
	int (*act)(struct yield *y, struct wish *w);
} by_pull = { YIELD_PULL, PULLED, pull },
  by_lease = { YIELD_LEASE, LEASED, lease };

/*
 * By whether the caller shares its processor.  One that is alone leaves it to
 * the target and takes nothing from others.  Where others wait, the scheduler
 * gives it to whose turn it is, which the target's is not if it has just run.
 */
static const struct way *const order[][2] = {
	[false] = { &by_pull, &by_lease },
	[true] = { &by_lease, &by_pull },
};

static int act(struct yield *y, struct wish *w, bool shares)
{
	unsigned int ways = atomic_load(&y->ways);
	int r = -EPERM;

	for (size_t i = 0; i < 2; i++) {
		const struct way *way = order[shares][i];

		if (!(ways & way->bit))
			continue;
		r = way->act(y, w);
		if (r > 0)
			count(w->from, way->counter);
		if (r >= 0)
			break;
	}
	return r;
}

/* Nothing if somebody else is at it. */
static int run(struct yield *y, struct wish *w, bool shares)
{
	int r = 0;

	if (pthread_mutex_trylock(&w->target->hands))
		return 0;
	w->tid = atomic_load(&w->target->tid);
	if (w->tid)
		r = act(y, w, shares);
	pthread_mutex_unlock(&w->target->hands);
	return r;
}

/* The wish is checked; what comes of it is counted. */
static int grant(struct yield *y, struct wish *w, const struct vcpu *caller)
{
	int r = -EAGAIN;

	hints_note(y->hints, w->now);
	waits_learn(&w->from->waits, caller);
	if (rate_take(&w->from->calls, w->now))
		r = waits_maybe(&w->to->waits, w->target)
			    ? run(y, w, hints_shares(y->hints, caller->id))
			    : 0;
	if (r <= 0)
		count(w->from, !r	      ? NEEDLESS
			       : r == -EAGAIN ? LIMITED
					      : REFUSED);
	return r;
}

int yield_to(struct yield *y, struct vcpu *caller, uint64_t id, bool halts)
{
	struct wish w = { .now = clock_ns() };
	int r;

	if (id >= y->vm->nr_cpus)
		return -ENOENT;
	if (id == caller->id)
		return -EINVAL;
	if (!y->asked)
		return 0;
	w.target = &y->vm->vcpu[id];
	w.from = &y->cpu[caller->id];
	w.to = &y->cpu[id];
	r = grant(y, &w, caller);
	/* Two are here now, and it's not us who shall run. */
	if (w.pulled && !halts)
		sched_yield();
	return r;
}

int yield_set_page(struct yield *y, uint64_t addr)
{
	struct hl_yield_hints *page = NULL;

	if (addr && addr % sizeof(*page) == 0)
		page = mem_ptr(&y->vm->mem, gpa(addr), sizeof(*page));
	if (addr && !page)
		return -EFAULT;
	hints_set_page(y->hints, page);
	return 0;
}

static uint64_t sum(const struct yield *y, int what)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < y->vm->nr_cpus; i++)
		n += counter_get(&y->cpu[i].count[what]);
	return n;
}

static void put_stats(const struct yield *y, FILE *out, const char *fmt)
{
	fprintf(out, fmt, (unsigned long long)sum(y, PULLED),
		(unsigned long long)sum(y, LEASED),
		(unsigned long long)sum(y, NEEDLESS),
		(unsigned long long)sum(y, LIMITED),
		(unsigned long long)sum(y, REFUSED));
}

static void stats_json(void *ctx, FILE *out)
{
	put_stats(ctx, out,
		  "{\"pulls\":%llu,\"leases\":%llu,\"needless\":%llu,"
		  "\"limited\":%llu,\"refused\":%llu}");
}

static void stats_text(void *ctx, FILE *out)
{
	put_stats(ctx, out,
		  "yields: pulls %llu, leases %llu, needless %llu, over the "
		  "limit %llu, refused %llu\n");
}

static int make_parts(struct yield *y, const struct yield_options *opt)
{
	const struct hints_policy policy = { .calls = opt->ways,
					     .kvm = opt->kvm };

	y->hints = hints_new(y->vm, &policy);
	if (!y->hints)
		return -errno;
	if (!(opt->ways & YIELD_LEASE))
		return 0;
	y->leases = leases_new(y->vm);
	return y->leases ? 0 : -errno;
}

struct yield *yield_new(struct vm *vm, const struct yield_options *opt)
{
	struct yield *y =
		calloc(1, sizeof(*y) + vm->nr_cpus * sizeof(y->cpu[0]));
	int err;

	if (!y)
		return NULL;
	y->vm = vm;
	y->asked = opt->ways;
	atomic_init(&y->ways, opt->ways);
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		y->cpu[i].calls =
			(struct rate){ NS_PER_S / opt->rate, CALLS_BURST, 0 };
	err = make_parts(y, opt);
	if (err) {
		yield_free(y);
		errno = -err;
		return NULL;
	}
	y->part = (struct stats_part){ .name = "yield",
				       .json = stats_json,
				       .text = stats_text,
				       .ctx = y };
	stats_add(vm, &y->part);
	return y;
}

void yield_free(struct yield *y)
{
	if (!y)
		return;
	leases_free(y->leases);
	hints_free(y->hints);
	free(y);
}
