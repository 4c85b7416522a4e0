// SPDX-License-Identifier: GPL-2.0-only
/* The test counter, and cells to wait at. */
#include "vmm/backend/selftest.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "include/hotline/test.h"
#include "vmm/core/clock.h"
#include "vmm/core/stats.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define NS	 1000000000ull
#define SLICE_NS 20000000ull /* how late the machine's end may be seen */

struct selftest {
	struct vm *vm;
	_Atomic uint64_t counter;
	pthread_mutex_t lock; /* cell[] */
	pthread_cond_t woken; /* CLOCK_MONOTONIC */
	struct {
		uint64_t waits, wakes; /* ever */
	} cell[HL_TEST_CELLS];
};

struct selftest *selftest_new(struct vm *vm)
{
	struct selftest *test = calloc(1, sizeof(*test));
	pthread_condattr_t attr;

	if (!test)
		return NULL;
	test->vm = vm;
	pthread_mutex_init(&test->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&test->woken, &attr);
	pthread_condattr_destroy(&attr);
	return test;
}

void selftest_free(struct selftest *test)
{
	if (!test)
		return;
	pthread_cond_destroy(&test->woken);
	pthread_mutex_destroy(&test->lock);
	free(test);
}

uint64_t selftest_add(struct selftest *test, uint64_t n)
{
	return atomic_fetch_add_explicit(&test->counter, n,
					 memory_order_relaxed);
}

/* The end of a wait until `end`, or of the part of it to sleep through. */
static struct timespec slice(uint64_t end)
{
	uint64_t until = clock_ns() + SLICE_NS;

	if (until > end)
		until = end;
	return (struct timespec){ .tv_sec = (time_t)(until / NS),
				  .tv_nsec = (long)(until % NS) };
}

void selftest_delay(struct selftest *test, uint64_t ns)
{
	uint64_t end = clock_ns() + ns;

	while (clock_ns() < end && !vm_ended(test->vm)) {
		struct timespec until = slice(end);

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
}

int64_t selftest_wait(struct selftest *test, unsigned int cell, uint64_t ns)
{
	uint64_t end = clock_ns() + ns, turn;
	int64_t status = 0;

	pthread_mutex_lock(&test->lock);
	turn = ++test->cell[cell].waits;
	while (test->cell[cell].wakes < turn && !status) {
		struct timespec until = slice(end);

		if (vm_ended(test->vm))
			status = HL_ECANCELED;
		else if (clock_ns() >= end)
			status = HL_ETIME;
		else
			pthread_cond_timedwait(&test->woken, &test->lock,
					       &until);
	}
	pthread_mutex_unlock(&test->lock);
	return status;
}

void selftest_wake(struct selftest *test, unsigned int cell)
{
	pthread_mutex_lock(&test->lock);
	test->cell[cell].wakes++;
	pthread_cond_broadcast(&test->woken);
	pthread_mutex_unlock(&test->lock);
}

int64_t selftest_exits(const struct vcpu *vcpu)
{
	uint64_t exits;

	if (!vcpu || vcpu->stats_fd < 0 ||
	    stats_read(vcpu->stats_fd, "exits", &exits))
		return HL_EIO;
	return (int64_t)exits;
}
