// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/core/thread.h"

#include <signal.h>
#include <unistd.h>

#include "vmm/core/affinity.h"
#include "vmm/core/vcpu.h"

#define STACK_SIZE (128 << 10)

static bool runs_where_main_does(void)
{
	cpu_set_t here, there;

	return !sched_getaffinity(0, sizeof(here), &here) &&
	       !sched_getaffinity(getpid(), sizeof(there), &there) &&
	       CPU_EQUAL(&here, &there);
}

/*
 * What the caller has is mostly right, and comes by itself.  Only of a vCPU it
 * may be wrong: for a moment if somebody has its hands just now, or because the
 * user holds it to some processors.
 */
static void set_processors(pthread_attr_t *attr, bool is_vcpu, bool has_hands)
{
	cpu_set_t cpus;

	if (!is_vcpu || (has_hands && runs_where_main_does()))
		return;
	if (affinity_get(getpid(), affinity_online(), &cpus) == 0)
		pthread_attr_setaffinity_np(attr, sizeof(cpus), &cpus);
}

int thread_start(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	struct vcpu *self = vcpu_self();
	/* Not waited for: the caller may have locks that they wait for. */
	bool hands = self && !pthread_mutex_trylock(&self->hands);
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	pthread_attr_init(&attr);
	set_processors(&attr, self, hands);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(thread, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (hands)
		pthread_mutex_unlock(&self->hands);
	return -err;
}
