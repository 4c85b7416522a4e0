// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leases of threads that only say they were vCPUs', and that nothing of one is
 * left.  Where the host allows none, that is all there is to see.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/lib_run.h"
#include "tests/unit/lib_yield.h"
#include "vmm/backend/lease.h"
#include "vmm/backend/sched.h"
#include "vmm/core/clock.h"

static uint32_t policy_of(int tid)
{
	struct sched_how how;

	ck_assert_int_eq(sched_how_get(tid, &how), 0);
	return how.policy;
}

/* The thread "lease", which is there once somebody has asked for one. */
static int lease_thread(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	int tid = 0;

	ck_assert_ptr_nonnull(tasks);
	while (!tid && (entry = readdir(tasks))) {
		char path[300], name[16] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 entry->d_name);
		f = fopen(path, "r");
		if (f && fscanf(f, "%15s", name) == 1 && !strcmp(name, "lease"))
			tid = atoi(entry->d_name);
		if (f)
			fclose(f);
	}
	closedir(tasks);
	ck_assert_int_ne(tid, 0);
	return tid;
}

static void wait_until_ordinary(int tid)
{
	while (policy_of(tid) != SCHED_OTHER)
		usleep(100);
}

/* As soon as the machine may have one more. */
static int begin(struct leases *l, struct vcpu *vcpu)
{
	int r;

	while ((r = lease_begin(l, vcpu, vcpu->tid)) == -EAGAIN)
		usleep(100);
	return r;
}

START_TEST(a_lease_ends_by_itself)
{
	struct leases *l;

	yield_make(&yield_pulls);
	l = leases_new(&yb.vm);
	ck_assert_ptr_nonnull(l);
	for (unsigned int i = 0; i < 20 && !lease_allowed(); i++) {
		ck_assert_int_eq(begin(l, &yb.vcpu[1]), 1);
		while (atomic_load(&yb.vcpu[1].hook))
			usleep(100);
		ck_assert_int_eq(policy_of(yb.vcpu[1].tid), SCHED_OTHER);
	}
	leases_free(l);
	ck_assert_int_eq(policy_of(0), SCHED_OTHER);
	yield_unmake();
}
END_TEST

/*
 * Who ends leases is urgent no longer than there are some.  It may well sleep
 * through one: each here is over before that thread, which is behind us on the
 * only processor we use, can know of it.
 */
START_TEST(nobody_stays_urgent)
{
	const struct sched_how first = { .policy = SCHED_FIFO, .priority = 3 };
	const struct sched_how ordinary = { .policy = SCHED_OTHER };
	struct leases *l;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	yield_make(&yield_pulls);
	l = leases_new(&yb.vm);
	for (unsigned int i = 0; i < 10 && !lease_allowed(); i++) {
		struct sched_how how = first;
		struct vcpu_hook *hook;

		ck_assert_int_eq(sched_how_set(0, &how), 0);
		ck_assert_int_eq(begin(l, &yb.vcpu[1]), 1);
		hook = atomic_load(&yb.vcpu[1].hook);
		ck_assert_ptr_nonnull(hook);
		hook->back(hook, &yb.vcpu[1]);
		how = ordinary;
		ck_assert_int_eq(sched_how_set(0, &how), 0);
		wait_until_ordinary(lease_thread());
	}
	leases_free(l);
	yield_unmake();
}
END_TEST

/* On whatever thread: it is the leaseholder's number that counts. */
START_TEST(a_lease_ends_when_its_holder_comes_back)
{
	struct leases *l;

	yield_make(&yield_pulls);
	l = leases_new(&yb.vm);
	for (unsigned int i = 0; i < 200 && !lease_allowed(); i++) {
		struct vcpu_hook *hook;
		int r = begin(l, &yb.vcpu[1 + i % 2]);

		ck_assert(r == 0 || r == 1);
		hook = atomic_load(&yb.vcpu[1 + i % 2].hook);
		if (hook)
			hook->back(hook, &yb.vcpu[1 + i % 2]);
		ck_assert_int_eq(policy_of(yb.vcpu[1 + i % 2].tid),
				 SCHED_OTHER);
		ck_assert_ptr_null(atomic_load(&yb.vcpu[1 + i % 2].hook));
	}
	leases_free(l);
	yield_unmake();
}
END_TEST

/* What its user made it is not touched. */
START_TEST(a_real_time_thread_needs_no_lease)
{
	struct sched_how rr = { .policy = SCHED_RR, .priority = 1 };
	struct leases *l;

	yield_make(&yield_pulls);
	l = leases_new(&yb.vm);
	if (!lease_allowed()) {
		ck_assert_int_eq(sched_how_set(yb.vcpu[1].tid, &rr), 0);
		ck_assert_int_eq(begin(l, &yb.vcpu[1]), 0);
		ck_assert_int_eq(policy_of(yb.vcpu[1].tid), SCHED_RR);
		wait_until_ordinary(lease_thread());
	}
	leases_free(l);
	yield_unmake();
}
END_TEST

/* Whoever gets them. */
START_TEST(leases_are_a_tenth_of_the_time)
{
	const struct yield_options leases = { .ways = YIELD_LEASE,
					      .rate = 1000000 };
	uint64_t start = clock_ns(), most;
	unsigned int leased = 0;

	yield_make(&leases);
	for (unsigned int i = 0; i < 300; i++)
		leased += yield_to(yb.yield, &yb.vcpu[0], 1 + i % 2, true) == 1;
	most = 5 + 1 + (clock_ns() - start) * 500 / 1000000000;
	ck_assert_uint_le(leased, most);
	ck_assert_uint_eq(yield_stat("leases"), leased);
	if (lease_allowed())
		ck_assert_uint_eq(leased, 0);
	yield_unmake();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lease");
	TCase *tc = tcase_create("threads");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_lease_ends_by_itself);
	tcase_add_test(tc, nobody_stays_urgent);
	tcase_add_test(tc, a_lease_ends_when_its_holder_comes_back);
	tcase_add_test(tc, a_real_time_thread_needs_no_lease);
	tcase_add_test(tc, leases_are_a_tenth_of_the_time);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
