// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leases begin on the thread of the vCPU that asks for one.  They end on the
 * thread that has it, when it comes out of KVM_RUN, or on the thread "lease".
 *
 * That one has to run whatever the leases keep from running, and so does who
 * begins one: it may well be on the processor that it takes for the other.
 * So "lease" is above them, and the lock hands that down to who holds it.
 */
#include "vmm/backend/lease.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "vmm/backend/rate.h"
#include "vmm/backend/sched.h"
#include "vmm/core/clock.h"
#include "vmm/core/thread.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define PRIO_LEASED 1
#define PRIO_THREAD 2
/*
 * Of the whole machine: a tenth of one processor's time, at LEASE_NS each.  All
 * vCPUs may be on the same one, and others' processes too.
 */
#define EACH_NS	     (10 * LEASE_NS)
#define LEASES_BURST 5
/* Without a lease for so long the thread is an ordinary one again. */
#define LINGER_NS 10000000

struct lease {
	struct vcpu_hook hook; /* the vCPU's, while it has one */
	struct leases *all;
	struct vcpu *vcpu;
	int tid;	 /* who has it; 0: nobody */
	uint64_t end_ns; /* CLOCK_MONOTONIC */
	struct sched_how was;
};

struct leases {
	struct vm *vm;
	pthread_t thread;
	pthread_mutex_t lock; /* all below; hands down priorities */
	pthread_cond_t moved;
	bool has_thread, stop;
	bool urgent; /* the thread has PRIO_THREAD */
	int tid;     /* of the thread */
	unsigned int nr;
	struct rate rate;
	struct lease lease[]; /* by APIC id */
};

static int set_fifo(int tid, unsigned int prio)
{
	struct sched_how how = {
		.policy = SCHED_FIFO,
		.priority = prio,
		.flags = 1, /* SCHED_FLAG_RESET_ON_FORK */
	};

	return sched_how_set(tid, &how) < 0 ? -errno : 0;
}

/*
 * The flag may be there for good: who has no CAP_SYS_NICE can't take it back.
 * It is about children, of which vCPUs' threads have none that inherit.
 */
static void set_back(int tid, struct sched_how *was)
{
	if (sched_how_set(tid, was) == 0 || errno != EPERM)
		return;
	was->flags |= 1;
	sched_how_set(tid, was);
}

int lease_allowed(void)
{
	struct sched_how was,
		how = { .policy = SCHED_FIFO, .priority = PRIO_THREAD };

	if (sched_how_get(0, &was) < 0 || sched_how_set(0, &how) < 0)
		return -errno;
	set_back(0, &was);
	return 0;
}

/*
 * With the lock.  The hook comes last: a thread that finds none may end, and
 * its number be another's.
 */
static void end(struct lease *lease)
{
	if (lease->tid) {
		set_back(lease->tid, &lease->was);
		lease->tid = 0;
		lease->all->nr--;
	}
	atomic_store(&lease->vcpu->hook, NULL);
}

/* The vCPU's thread is out of KVM_RUN, or at its end. */
static void came_back(struct vcpu_hook *hook, struct vcpu *vcpu)
{
	struct lease *lease = (struct lease *)hook;

	(void)vcpu;
	pthread_mutex_lock(&lease->all->lock);
	end(lease);
	pthread_mutex_unlock(&lease->all->lock);
}

/* Ends those that are over; when the next is.  With the lock. */
static uint64_t end_old(struct leases *l, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; l->nr && i < l->vm->nr_cpus; i++) {
		struct lease *lease = &l->lease[i];

		if (!lease->tid)
			continue;
		if (lease->end_ns <= now)
			end(lease);
		else if (lease->end_ns < next)
			next = lease->end_ns;
	}
	return next;
}

/* Until the next lease begins, or at most until the time ns. */
static bool wait_moved(struct leases *l, uint64_t ns)
{
	const struct timespec until = { .tv_sec = (time_t)(ns / 1000000000),
					.tv_nsec = (long)(ns % 1000000000) };

	return pthread_cond_clockwait(&l->moved, &l->lock, CLOCK_MONOTONIC,
				      &until) != ETIMEDOUT;
}

static void be_ordinary(struct leases *l)
{
	struct sched_how how = { .policy = SCHED_OTHER };

	sched_how_set(0, &how);
	l->urgent = false;
}

/* A lease may have begun and ended before this thread hears of it. */
static void *run(void *arg)
{
	struct leases *l = arg;

	pthread_setname_np(pthread_self(), "lease");
	pthread_mutex_lock(&l->lock);
	l->tid = gettid();
	pthread_cond_broadcast(&l->moved);
	while (!l->stop) {
		uint64_t now = clock_ns();
		uint64_t next = end_old(l, now);

		if (l->nr)
			wait_moved(l, next);
		else if (!l->urgent)
			pthread_cond_wait(&l->moved, &l->lock);
		else if (!wait_moved(l, now + LINGER_NS) && !l->nr)
			be_ordinary(l);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* With the lock.  0 or -errno: the thread is there and runs before leases. */
static int make_ready(struct leases *l)
{
	int err;

	if (!l->has_thread) {
		err = thread_start(&l->thread, run, l);
		if (err)
			return err;
		l->has_thread = true;
	}
	while (!l->tid)
		pthread_cond_wait(&l->moved, &l->lock);
	if (l->urgent)
		return 0;
	err = set_fifo(l->tid, PRIO_THREAD);
	l->urgent = !err;
	pthread_cond_broadcast(&l->moved);
	return err;
}

static bool may_have_one(const struct sched_how *how)
{
	return how->policy == SCHED_OTHER || how->policy == SCHED_BATCH;
}

/* With the lock. */
static int begin(struct leases *l, struct lease *lease, int tid)
{
	int err;

	if (lease->tid)
		return 0;
	if (!rate_take(&l->rate, clock_ns()))
		return -EAGAIN;
	err = make_ready(l);
	if (err)
		return err;
	if (sched_how_get(tid, &lease->was) < 0)
		return -errno;
	if (!may_have_one(&lease->was))
		return lease->was.policy == SCHED_IDLE ? -EPERM : 0;
	/* All is said before it begins: it may begin in our place. */
	lease->tid = tid;
	lease->end_ns = clock_ns() + LEASE_NS;
	l->nr++;
	atomic_store(&lease->vcpu->hook, &lease->hook);
	pthread_cond_broadcast(&l->moved);
	err = set_fifo(tid, PRIO_LEASED);
	if (!err)
		return 1;
	end(lease);
	return err;
}

int lease_begin(struct leases *l, struct vcpu *vcpu, int tid)
{
	int err;

	pthread_mutex_lock(&l->lock);
	err = l->stop ? -ECANCELED : begin(l, &l->lease[vcpu->id], tid);
	pthread_mutex_unlock(&l->lock);
	return err;
}

struct leases *leases_new(struct vm *vm)
{
	struct leases *l =
		calloc(1, sizeof(*l) + vm->nr_cpus * sizeof(l->lease[0]));
	pthread_mutexattr_t attr;

	if (!l)
		return NULL;
	l->vm = vm;
	l->rate = (struct rate){ EACH_NS, LEASES_BURST, 0 };
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		l->lease[i] = (struct lease){ .hook.back = came_back,
					      .all = l,
					      .vcpu = &vm->vcpu[i] };
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&l->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	pthread_cond_init(&l->moved, NULL);
	return l;
}

void leases_free(struct leases *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
	if (l->has_thread)
		pthread_join(l->thread, NULL);
	pthread_cond_destroy(&l->moved);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
