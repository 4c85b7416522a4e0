// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/core/thread.h"

#include <signal.h>
#include <unistd.h>

#include "vmm/core/affinity.h"

#define STACK_SIZE (128 << 10)

int thread_start(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, old;
	cpu_set_t cpus;
	int err;

	pthread_attr_init(&attr);
	if (affinity_get(getpid(), affinity_online(), &cpus) == 0)
		pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(thread, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}
