// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directed yields among threads that only say they were vCPUs': what is
 * answered, what is counted, and that nothing of it is left on a thread.
 */
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "include/hotline/yield.h"
#include "tests/unit/lib_line.h"
#include "tests/unit/lib_mmio.h"
#include "tests/unit/lib_run.h"
#include "tests/unit/lib_yield.h"
#include "vmm/backend/halt.h"
#include "vmm/backend/rate.h"
#include "vmm/backend/yield.h"
#include "vmm/core/thread.h"

#define PAGE 0x30000ull /* guest-physical */

/* --- how often --- */

START_TEST(a_rate_has_a_burst_and_then_its_pace)
{
	struct rate r = { .each_ns = 100, .burst = 3 };

	for (int i = 0; i < 3; i++)
		ck_assert(rate_take(&r, 1000));
	ck_assert(!rate_take(&r, 1000));
	ck_assert(!rate_take(&r, 1099));
	ck_assert(rate_take(&r, 1100));
	ck_assert(!rate_take(&r, 1100));
	/* What was not taken is not saved beyond the burst. */
	for (int i = 0; i < 3; i++)
		ck_assert(rate_take(&r, 1000000));
	ck_assert(!rate_take(&r, 1000000));
}
END_TEST

/* --- the calls --- */

static void setup(void)
{
	line_setup();
	bed.kvm.on = true; /* a vCPU's descriptor is -1 */
	for (unsigned int i = 0; i < LINE_CPUS; i++)
		line.vcpu[i].fd = -1;
	vcpu_adopt(&line.vcpu[0]);
}

static void teardown(void)
{
	vcpu_adopt(NULL);
	line_teardown();
}

START_TEST(only_a_vcpu_yields)
{
	vcpu_adopt(NULL);
	ck_assert_int_eq(line_call(HL_OP_YIELD_TO, 1, 0), HL_EIO);
	ck_assert_int_eq(line_call(HL_OP_YIELD_HALT, 1, 0), HL_EIO);
	ck_assert_int_eq(halt_vcpu(NULL, false), -ENODEV);
}
END_TEST

START_TEST(targets_are_checked)
{
	static const uint64_t nobody[] = { LINE_CPUS, 255, 1ull << 32,
					   1ull << 63, UINT64_MAX };

	for (unsigned int i = 0; i < 5; i++) {
		ck_assert_int_eq(line_call(HL_OP_YIELD_TO, nobody[i], 0),
				 HL_ENOENT);
		ck_assert_int_eq(line_call(HL_OP_YIELD_HALT, nobody[i], 0),
				 HL_ENOENT);
	}
	ck_assert_int_eq(line_call(HL_OP_YIELD_TO, 0, 0), HL_EINVAL);
	ck_assert_int_eq(line_call(HL_OP_YIELD_HALT, 0, 0), HL_EINVAL);
	/* It has not started. */
	ck_assert_int_eq(line_call(HL_OP_YIELD_TO, 1, 0), 0);
}
END_TEST

START_TEST(other_arguments_are_refused)
{
	ck_assert_int_eq(line_call(HL_OP_YIELD_TO, 1, 1), HL_EINVAL);
	for (unsigned int bit = 1; bit < 64; bit++)
		ck_assert_int_eq(line_call(HL_OP_YIELD_HALT, 1, 1ull << bit),
				 HL_EINVAL);
	ck_assert_int_eq(line_call(HL_OP_YIELD_PAGE, 0, 1), HL_EINVAL);
}
END_TEST

START_TEST(each_ends_its_crossing)
{
	line_slot(0, HL_OP_YIELD_TO, 1, 0);
	line_slot(1, HL_OP_NULL, 0, 0);
	ck_assert_int_eq(line_go(0, 2), 1);
	ck_assert(line.slot[1].result == HL_NOT_RUN);
}
END_TEST

START_TEST(a_page_is_ram)
{
	const uint8_t *way = line_ptr(PAGE);

	ck_assert_int_eq(line_call(HL_OP_YIELD_PAGE, PAGE + 8, 0), HL_EFAULT);
	ck_assert_int_eq(line_call(HL_OP_YIELD_PAGE, LINE_MEM, 0), HL_EFAULT);
	ck_assert_int_eq(line_call(HL_OP_YIELD_PAGE, ~0xfffull, 0), HL_EFAULT);
	ck_assert_int_eq(way[0], HL_YIELD_NONE);
	ck_assert_int_eq(line_call(HL_OP_YIELD_PAGE, PAGE, 0), 0);
	ck_assert_int_eq(way[0], HL_YIELD_CALL);
	ck_assert_int_eq(line_call(HL_OP_YIELD_PAGE, 0, 0), 0);
}
END_TEST

/* --- pulls --- */

START_TEST(a_flood_is_limited_and_counted)
{
	const struct yield_options slow = { .ways = YIELD_PULL, .rate = 1 };
	unsigned int ran = 0;

	yield_make(&slow);
	for (unsigned int i = 0; i < 1000; i++) {
		int r = yield_to(yb.yield, &yb.vcpu[0], 1 + i % 2, false);

		ck_assert(r == 1 || r == -EAGAIN);
		ran += r == 1;
	}
	ck_assert_uint_ge(ran, 64);
	ck_assert_uint_eq(yield_stat("pulls"), ran);
	ck_assert_uint_eq(yield_stat("limited"), 1000 - ran);
	/* Of one caller, not of all. */
	ck_assert_int_eq(yield_to(yb.yield, &yb.vcpu[1], 2, true), 1);
	yield_unmake();
}
END_TEST

static bool same(int tid, const cpu_set_t *want)
{
	cpu_set_t is;

	return sched_getaffinity(tid, sizeof(is), &is) == 0 &&
	       CPU_EQUAL(&is, want);
}

static void *pull_often(void *arg)
{
	struct vcpu *caller = arg;

	for (unsigned int i = 0; i < 500; i++)
		yield_to(yb.yield, caller, 3 - caller->id, i & 1);
	return NULL;
}

/* Both from threads that pull each other's, and a third. */
static void pull_at_once(void)
{
	pthread_t thread[2];

	for (unsigned int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, pull_often, &yb.vcpu[1 + i]);
	for (unsigned int i = 0; i < 500; i++)
		yield_to(yb.yield, &yb.vcpu[0], 1 + i % 2, true);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

START_TEST(a_pull_leaves_no_narrow_mask)
{
	cpu_set_t all, one;

	yield_make(&yield_pulls);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	pull_at_once();
	ck_assert(same(yb.vcpu[1].tid, &all));
	ck_assert(same(yb.vcpu[2].tid, &all));
	ck_assert_uint_gt(yield_stat("pulls"), 0);
	/* Nor a wider one. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(yb.vcpu[1].tid, sizeof(one), &one),
			 0);
	pull_at_once();
	ck_assert(same(yb.vcpu[1].tid, &one));
	ck_assert(same(yb.vcpu[2].tid, &all));
	yield_unmake();
}
END_TEST

START_TEST(who_may_not_come_is_not_pulled)
{
	cpu_set_t all, here, others;

	yield_make(&yield_pulls);
	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	CPU_XOR(&others, &all, &here);
	if (CPU_COUNT(&others)) {
		sched_setaffinity(0, sizeof(here), &here);
		sched_setaffinity(yb.vcpu[1].tid, sizeof(others), &others);
		ck_assert_int_eq(yield_to(yb.yield, &yb.vcpu[0], 1, true),
				 -EPERM);
		ck_assert(same(yb.vcpu[1].tid, &others));
		ck_assert_uint_eq(yield_stat("refused"), 1);
		sched_setaffinity(0, sizeof(all), &all);
	}
	yield_unmake();
}
END_TEST

START_TEST(by_kvm_alone_nothing_is_done)
{
	const struct yield_options kvm = { .kvm = true, .rate = 1 };

	yield_make(&kvm);
	for (unsigned int i = 0; i < 1000; i++)
		ck_assert_int_eq(yield_to(yb.yield, &yb.vcpu[0], 1, false), 0);
	ck_assert_int_eq(yield_to(yb.yield, &yb.vcpu[0], 9, false), -ENOENT);
	ck_assert_int_eq(yield_set_page(yb.yield, PAGE), 0);
	ck_assert_int_eq(*(uint8_t *)mem_ptr(&yb.vm.mem, gpa(PAGE), 1),
			 HL_YIELD_KVM);
	yield_unmake();
}
END_TEST

static void *say_mask(void *arg)
{
	sched_getaffinity(0, sizeof(cpu_set_t), arg);
	return NULL;
}

struct starter {
	bool pulled, narrow; /* when it starts the helper */
	cpu_set_t helper;
};

static void *start_a_helper(void *arg)
{
	struct starter *s = arg;
	struct vcpu vcpu = { .hands = PTHREAD_MUTEX_INITIALIZER };
	pthread_t thread;
	cpu_set_t one;

	vcpu_adopt(&vcpu);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (s->narrow)
		sched_setaffinity(0, sizeof(one), &one);
	if (s->pulled)
		pthread_mutex_lock(&vcpu.hands);
	ck_assert_int_eq(thread_start(&thread, say_mask, &s->helper), 0);
	if (s->pulled)
		pthread_mutex_unlock(&vcpu.hands);
	ck_assert_int_eq(pthread_mutex_trylock(&vcpu.hands), 0);
	pthread_join(thread, NULL);
	return NULL;
}

/* A vCPU's thread starts some, and may be narrow just then, or for long. */
START_TEST(helpers_run_where_the_process_may)
{
	struct starter s = { .pulled = _i & 1, .narrow = _i & 2 };
	pthread_t thread;
	cpu_set_t all;

	sched_getaffinity(0, sizeof(all), &all);
	pthread_create(&thread, NULL, start_a_helper, &s);
	pthread_join(thread, NULL);
	ck_assert(CPU_EQUAL(&s.helper, &all));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("yield");
	TCase *tc = tcase_create("calls");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, only_a_vcpu_yields);
	tcase_add_test(tc, targets_are_checked);
	tcase_add_test(tc, other_arguments_are_refused);
	tcase_add_test(tc, each_ends_its_crossing);
	tcase_add_test(tc, a_page_is_ram);
	suite_add_tcase(s, tc);
	tc = tcase_create("threads");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_rate_has_a_burst_and_then_its_pace);
	tcase_add_test(tc, a_flood_is_limited_and_counted);
	tcase_add_test(tc, a_pull_leaves_no_narrow_mask);
	tcase_add_test(tc, who_may_not_come_is_not_pulled);
	tcase_add_test(tc, by_kvm_alone_nothing_is_done);
	tcase_add_loop_test(tc, helpers_run_where_the_process_may, 0, 4);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
