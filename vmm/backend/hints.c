// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread "hints" reads how long each vCPU's thread has waited for a
 * processor, as long as there are yields, and sleeps otherwise.  Before it does
 * it has the guest call: a guest that is told not to yield could not wake it.
 */
#include "vmm/backend/hints.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "include/hotline/yield.h"
#include "vmm/core/affinity.h"
#include "vmm/core/clock.h"
#include "vmm/core/log.h"
#include "vmm/core/thread.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define NS_PER_MS 1000000ull
/* Between two looks; so much longer for each vCPU, as a look costs some us. */
#define PERIOD_NS     (10 * NS_PER_MS)
#define PERIOD_CPU_NS (NS_PER_MS / 4)
#define LINGER_NS     (1000 * NS_PER_MS) /* it looks on without yields */
/* A wait is counted when it is over: what one look saw is good so long. */
#define GOOD_NS	       (50 * NS_PER_MS)
#define ONLINE_NS      (1000 * NS_PER_MS) /* so old may their number be */
#define SHARED_PERCENT 20 /* of the time between two looks, waited */

struct hints_cpu {
	int fd;		    /* of its schedstat, or -1 */
	uint64_t waited_ns; /* in all, at the last look */
	uint64_t until_ns;  /* it shares, as far as is known */
	atomic_bool shares;
};

struct hints {
	struct vm *vm;
	struct hints_policy policy;
	pthread_t thread;
	atomic_bool awake;
	_Atomic uint64_t last_ns; /* of the yields */
	atomic_int online;	  /* processors of the host; 0: not known */
	pthread_mutex_t lock;	  /* the five below */
	pthread_cond_t moved;
	bool has_thread, stop;
	bool any;		     /* of cpu[].shares */
	struct hl_yield_hints *page; /* or NULL */
	uint64_t looked_ns;	     /* the thread's, as what is below */
	uint64_t counted_ns;	     /* when online was */
	struct hints_cpu cpu[];	     /* by APIC id */
};

uint8_t hints_way(const struct hints_policy *policy, bool any, bool mine)
{
	if (!any)
		return HL_YIELD_NONE;
	if (policy->kvm && (mine || !policy->calls))
		return HL_YIELD_KVM;
	return policy->calls ? HL_YIELD_CALL : HL_YIELD_NONE;
}

bool hints_shares(const struct hints *h, unsigned int id)
{
	return atomic_load_explicit(&h->cpu[id].shares, memory_order_relaxed);
}

int hints_online(const struct hints *h)
{
	return atomic_load_explicit(&h->online, memory_order_relaxed);
}

/* With the lock. */
static void write_page(struct hints *h)
{
	if (!h->page)
		return;
	for (unsigned int i = 0; i < sizeof(h->page->way); i++) {
		bool mine = i < h->vm->nr_cpus && hints_shares(h, i);

		__atomic_store_n(&h->page->way[i],
				 hints_way(&h->policy, h->any, mine),
				 __ATOMIC_RELAXED);
	}
}

/* Time in ns that the thread has been ready and not run.  False: not known. */
static bool read_waited(struct hints_cpu *cpu, int tid, uint64_t *waited)
{
	char text[96];
	unsigned long long ran, wait;
	ssize_t n;

	if (cpu->fd < 0) {
		snprintf(text, sizeof(text), "/proc/self/task/%d/schedstat",
			 tid);
		cpu->fd = open(text, O_RDONLY | O_CLOEXEC);
	}
	n = cpu->fd < 0 ? -1 : pread(cpu->fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return false;
	text[n] = '\0';
	if (sscanf(text, "%llu %llu", &ran, &wait) != 2)
		return false;
	*waited = wait;
	return true;
}

/* Does it share?  A host that does not tell is taken for one where all do. */
static bool look_at(struct hints *h, unsigned int id, uint64_t now)
{
	struct hints_cpu *cpu = &h->cpu[id];
	int tid = atomic_load(&h->vm->vcpu[id].tid);
	uint64_t waited, span = now - h->looked_ns;

	if (!tid)
		return false;
	if (!read_waited(cpu, tid, &waited))
		return true;
	if ((waited - cpu->waited_ns) * 100 > span * SHARED_PERCENT)
		cpu->until_ns = now + GOOD_NS;
	cpu->waited_ns = waited;
	atomic_store_explicit(&cpu->shares, now < cpu->until_ns,
			      memory_order_relaxed);
	return now < cpu->until_ns;
}

/* From a file, which takes longer than all the rest of a yield. */
static void count_online(struct hints *h, uint64_t now)
{
	if (hints_online(h) && now - h->counted_ns < ONLINE_NS)
		return;
	h->counted_ns = now;
	atomic_store(&h->online, affinity_online());
}

static bool look(struct hints *h)
{
	uint64_t now = clock_ns();
	bool any = false;

	count_online(h, now);
	for (unsigned int i = 0; i < h->vm->nr_cpus; i++)
		any |= look_at(h, i, now);
	h->looked_ns = now;
	return any;
}

/* What is known before the first look, and when it looks no more. */
static void forget(struct hints *h)
{
	h->any = true;
	for (unsigned int i = 0; i < h->vm->nr_cpus; i++) {
		h->cpu[i].until_ns = 0;
		atomic_store(&h->cpu[i].shares, false);
	}
}

/* With the lock.  A yield that comes while it falls asleep is not missed. */
static void sleep_long(struct hints *h)
{
	forget(h);
	write_page(h);
	atomic_store(&h->awake, false);
	atomic_store(&h->online, 0);
	while (!h->stop && clock_ns() - atomic_load(&h->last_ns) > LINGER_NS)
		pthread_cond_wait(&h->moved, &h->lock);
	atomic_store(&h->awake, true);
	look(h); /* what went before does not count */
	forget(h);
}

static void sleep_short(struct hints *h)
{
	uint64_t ns = clock_ns() + PERIOD_NS + h->vm->nr_cpus * PERIOD_CPU_NS;
	const struct timespec until = { .tv_sec = (time_t)(ns / 1000000000),
					.tv_nsec = (long)(ns % 1000000000) };

	while (!h->stop &&
	       pthread_cond_clockwait(&h->moved, &h->lock, CLOCK_MONOTONIC,
				      &until) != ETIMEDOUT)
		;
}

static void *run(void *arg)
{
	struct hints *h = arg;
	bool any;

	pthread_setname_np(pthread_self(), "hints");
	pthread_mutex_lock(&h->lock);
	look(h);
	forget(h);
	while (!h->stop) {
		sleep_short(h);
		pthread_mutex_unlock(&h->lock);
		any = look(h);
		pthread_mutex_lock(&h->lock);
		h->any = any;
		write_page(h);
		if (clock_ns() - atomic_load(&h->last_ns) > LINGER_NS)
			sleep_long(h);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void wake(struct hints *h)
{
	int err;

	pthread_mutex_lock(&h->lock);
	if (!h->has_thread && !h->stop) {
		err = thread_start(&h->thread, run, h);
		h->has_thread = !err;
		/* Once: the guest calls, which is right, if not always best. */
		if (err)
			warn("no thread to look after yields: %s",
			     strerror(-err));
	}
	atomic_store(&h->awake, true);
	pthread_cond_signal(&h->moved);
	pthread_mutex_unlock(&h->lock);
}

void hints_note(struct hints *h, uint64_t now_ns)
{
	atomic_store(&h->last_ns, now_ns);
	if (!atomic_load(&h->awake))
		wake(h);
}

void hints_set_page(struct hints *h, struct hl_yield_hints *page)
{
	pthread_mutex_lock(&h->lock);
	h->page = page;
	write_page(h);
	pthread_mutex_unlock(&h->lock);
}

struct hints *hints_new(struct vm *vm, const struct hints_policy *policy)
{
	struct hints *h =
		calloc(1, sizeof(*h) + vm->nr_cpus * sizeof(h->cpu[0]));

	if (!h)
		return NULL;
	h->vm = vm;
	h->policy = *policy;
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		h->cpu[i].fd = -1;
	forget(h);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->moved, NULL);
	return h;
}

void hints_free(struct hints *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_broadcast(&h->moved);
	pthread_mutex_unlock(&h->lock);
	if (h->has_thread)
		pthread_join(h->thread, NULL);
	for (unsigned int i = 0; i < h->vm->nr_cpus; i++)
		if (h->cpu[i].fd >= 0)
			close(h->cpu[i].fd);
	pthread_cond_destroy(&h->moved);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
