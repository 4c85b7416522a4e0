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

#include <asm/kvm_para.h>
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "include/hotline/yield.h"
#include "vmm/backend/lease.h"
#include "vmm/backend/rate.h"
#include "vmm/core/affinity.h"
#include "vmm/core/clock.h"
#include "vmm/core/counter.h"
#include "vmm/core/stats.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define NS_PER_S 1000000000ull
/* Of one caller: a second's, and at once. */
#define CALLS	    4000
#define CALLS_BURST 64
/* For one vCPU: a tenth of its time, at LEASE_NS each. */
#define LEASES	     500
#define LEASES_BURST 5
/* Its page may be elsewhere one day: calls between two looks at the MSR. */
#define LEARN_CALLS 256

enum { PULLED, LEASED, NEEDLESS, LIMITED, REFUSED, COUNTERS };

struct yield_cpu {
	/* Its own thread's. */
	struct rate calls;
	uint64_t online_ns; /* when online was read, or 0 */
	int online;	    /* processors of the host */
	unsigned int known; /* calls that the byte below is good for */
	_Atomic uint64_t count[COUNTERS];
	/* Read by others: the guest's byte that says so, or NULL. */
	const uint8_t *_Atomic preempted;
	struct rate leases; /* for it; with vcpu->hands */
};

struct yield {
	struct vm *vm;
	struct leases *leases; /* with YIELD_LEASE */
	unsigned int asked;    /* YIELD_*; 0: calls do nothing */
	atomic_uint ways;      /* YIELD_*: those that the host has not refused */
	struct stats_part part;
	struct yield_cpu cpu[]; /* by APIC id */
};

static void count(struct yield_cpu *caller, int what)
{
	counter_add(&caller->count[what], 1);
}

/* Where the vCPU has its struct kvm_steal_time; 0: nowhere.  Its own thread. */
static uint64_t steal_time(const struct vcpu *vcpu)
{
	uint64_t buf[(sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)) /
		     sizeof(uint64_t)] = { 0 };
	struct kvm_msrs *msrs = (void *)buf;

	msrs->nmsrs = 1;
	msrs->entries[0].index = MSR_KVM_STEAL_TIME;
	if (ioctl(vcpu->fd, KVM_GET_MSRS, msrs) != 1 ||
	    !(msrs->entries[0].data & KVM_MSR_ENABLED))
		return 0;
	return msrs->entries[0].data & KVM_STEAL_VALID_BITS;
}

/*
 * Only a vCPU's own thread can ask for its MSRs without waiting, so a vCPU that
 * has not called yet is not known.
 */
static void learn(struct yield_cpu *cpu, const struct vcpu *vcpu)
{
	uint64_t addr;
	const uint8_t *st;

	if (cpu->known--)
		return;
	cpu->known = LEARN_CALLS;
	addr = steal_time(vcpu);
	st = addr ? mem_ptr(&vcpu->vm->mem, gpa(addr),
			    sizeof(struct kvm_steal_time))
		  : NULL;
	atomic_store(&cpu->preempted,
		     st ? st + offsetof(struct kvm_steal_time, preempted)
			: NULL);
}

/*
 * KVM says so of vCPUs that the host took off their processor, not of those
 * that halt.  A byte that the guest forged harms its own yields.
 */
static bool seems_to_run(const struct yield_cpu *cpu)
{
	const uint8_t *byte = atomic_load(&cpu->preempted);

	return byte &&
	       !(__atomic_load_n(byte, __ATOMIC_RELAXED) & KVM_VCPU_PREEMPTED);
}

static int online(struct yield_cpu *cpu, uint64_t now)
{
	if (!cpu->online_ns || now - cpu->online_ns > NS_PER_S) {
		cpu->online = affinity_online();
		cpu->online_ns = now;
	}
	return cpu->online;
}

/* A yield on its way. */
struct wish {
	struct vcpu *caller, *target;
	struct yield_cpu *from, *to; /* theirs */
	int tid;		     /* the target's */
	uint64_t now;
	bool pulled;
};

/* -EPERM: it may not run here. */
static int pull(struct yield *y, struct wish *w)
{
	int here = sched_getcpu();
	cpu_set_t was, one;

	(void)y;
	if (affinity_get(w->tid, online(w->from, w->now), &was) ||
	    here < 0 || here >= CPU_SETSIZE || !CPU_ISSET(here, &was))
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
	int r;

	if (!rate_take(&w->to->leases, w->now))
		return -EAGAIN;
	r = lease_begin(y->leases, w->target, w->tid);
	if (r == -EPERM)
		atomic_fetch_and(&y->ways, ~YIELD_LEASE);
	return r < 0 ? -EPERM : r;
}

static const struct way {
	unsigned int bit;
	int counter;
	int (*act)(struct yield *y, struct wish *w);
} by_pull = { YIELD_PULL, PULLED, pull }, by_lease = { YIELD_LEASE, LEASED, lease };

/*
 * A caller that halts leaves a processor to whom it waits for, and takes
 * nothing from others.  One that does not had better leave the target where it
 * is, if that can be.
 */
static const struct way *const order[][2] = {
	[false] = { &by_lease, &by_pull },
	[true] = { &by_pull, &by_lease },
};

static int act(struct yield *y, struct wish *w, bool halts)
{
	unsigned int ways = atomic_load(&y->ways);
	int r = -EPERM;

	for (size_t i = 0; i < 2; i++) {
		const struct way *way = order[halts][i];

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

/* -EBUSY: somebody else is at it. */
static int run(struct yield *y, struct wish *w, bool halts)
{
	int r = 0;

	if (pthread_mutex_trylock(&w->target->hands))
		return -EBUSY;
	w->tid = atomic_load(&w->target->tid);
	if (w->tid)
		r = act(y, w, halts);
	pthread_mutex_unlock(&w->target->hands);
	return r;
}

/* The wish is checked; what comes of it is counted. */
static int grant(struct yield *y, struct wish *w, bool halts)
{
	int r;

	if (!rate_take(&w->from->calls, w->now)) {
		count(w->from, LIMITED);
		return -EAGAIN;
	}
	learn(w->from, w->caller);
	r = seems_to_run(w->to) ? 0 : run(y, w, halts);
	if (r == -EBUSY)
		r = 0;
	if (r <= 0)
		count(w->from, !r ? NEEDLESS : r == -EAGAIN ? LIMITED : REFUSED);
	return r;
}

int yield_to(struct yield *y, struct vcpu *caller, uint64_t id, bool halts)
{
	struct wish w = { .caller = caller, .now = clock_ns() };
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
	r = grant(y, &w, halts);
	/* Two are here now, and it's not us who shall run. */
	if (w.pulled && !halts)
		sched_yield();
	return r;
}

int yield_set_page(struct yield *y, uint64_t addr)
{
	struct hl_yield_hints *page;

	if (!addr)
		return 0;
	page = addr % sizeof(*page) ? NULL : mem_ptr(&y->vm->mem, gpa(addr), sizeof(*page));
	if (!page)
		return -EFAULT;
	memset(page, y->asked ? HL_YIELD_CALL : HL_YIELD_KVM, sizeof(page->way));
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

static void init_cpu(struct yield_cpu *cpu)
{
	cpu->calls.each_ns = NS_PER_S / CALLS;
	cpu->calls.burst = CALLS_BURST;
	cpu->leases.each_ns = NS_PER_S / LEASES;
	cpu->leases.burst = LEASES_BURST;
}

struct yield *yield_new(struct vm *vm, unsigned int ways)
{
	struct yield *y = calloc(1, sizeof(*y) + vm->nr_cpus * sizeof(y->cpu[0]));

	if (!y)
		return NULL;
	y->vm = vm;
	y->asked = ways;
	atomic_init(&y->ways, ways);
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		init_cpu(&y->cpu[i]);
	if (ways & YIELD_LEASE) {
		y->leases = leases_new(vm);
		if (!y->leases) {
			free(y);
			return NULL;
		}
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
	free(y);
}
