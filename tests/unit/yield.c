// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directed yields among threads that only say they were vCPUs': what is
 * answered, what is counted, and that nothing of it is left on a thread.
 */
#include <asm/kvm_para.h>
#include <check.h>
#include <errno.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/hotline/yield.h"
#include "tests/unit/lib_line.h"
#include "tests/unit/lib_mmio.h"
#include "tests/unit/lib_run.h"
#include "vmm/backend/halt.h"
#include "vmm/backend/hints.h"
#include "vmm/backend/lease.h"
#include "vmm/backend/rate.h"
#include "vmm/backend/sched.h"
#include "vmm/backend/waits.h"
#include "vmm/backend/yield.h"
#include "vmm/core/affinity.h"
#include "vmm/core/clock.h"
#include "vmm/core/log.h"
#include "vmm/core/thread.h"

#define CPUS 3
#define PAGE 0x30000ull

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

START_TEST(without_the_feature_there_is_none)
{
	ck_assert_int_eq(line_call(HL_OP_YIELD_TO, 1, 0), HL_ENOSYS);
	ck_assert_int_eq(line_call(HL_OP_YIELD_PAGE, 0, 0), HL_ENOSYS);
}
END_TEST

static void setup_without(void)
{
	line_setup_with(HL_FEATURE_TEST);
}

/* --- threads --- */

static struct vm vm;
static struct vcpu vcpu[CPUS];
static struct yield *yield;
static pthread_t sleeper[CPUS];
static pthread_mutex_t over = PTHREAD_MUTEX_INITIALIZER;

static void *sleep_until_over(void *arg)
{
	struct vcpu *v = arg;

	atomic_store(&v->tid, gettid());
	pthread_mutex_lock(&over);
	pthread_mutex_unlock(&over);
	return NULL;
}

/* vCPU 0 is who asks; the others' threads sleep. */
static void make(const struct yield_options *opt)
{
	const struct mem_options mem = { .size = LINE_MEM,
					 .backing = MEM_ANON };

	log_set_level(LOG_ERROR);
	memset(&vm, 0, sizeof(vm));
	vm.nr_cpus = CPUS;
	vm.vcpu = vcpu;
	ck_assert_int_eq(mem_init(&vm.mem, &mem), 0);
	memset(&bed, 0, sizeof(bed));
	bed.kvm.on = true;
	pthread_mutex_lock(&over);
	for (unsigned int i = 0; i < CPUS; i++) {
		vcpu[i] = (struct vcpu){
			.vm = &vm, .id = i, .fd = -1, .stats_fd = -1
		};
		if (!i)
			continue;
		pthread_create(&sleeper[i], NULL, sleep_until_over, &vcpu[i]);
		while (!atomic_load(&vcpu[i].tid))
			usleep(100);
	}
	yield = yield_new(&vm, opt);
	ck_assert_ptr_nonnull(yield);
}

static void unmake(void)
{
	yield_free(yield);
	pthread_mutex_unlock(&over);
	for (unsigned int i = 1; i < CPUS; i++)
		pthread_join(sleeper[i], NULL);
	mem_exit(&vm.mem);
	bed.kvm.on = false;
}

static const struct yield_options pulls = { .ways = YIELD_PULL,
					    .rate = 1000000 };

/* A number that the machine's statistics have. */
static unsigned long long stat_of(const char *name)
{
	char *text = NULL, *at;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	unsigned long long n;

	vm.parts->json(vm.parts->ctx, f);
	fclose(f);
	at = strstr(text, name);
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(sscanf(at + strlen(name), "\":%llu", &n), 1);
	free(text);
	return n;
}

START_TEST(a_flood_is_limited_and_counted)
{
	const struct yield_options slow = { .ways = YIELD_PULL, .rate = 1 };
	unsigned int ran = 0;

	make(&slow);
	for (unsigned int i = 0; i < 1000; i++) {
		int r = yield_to(yield, &vcpu[0], 1 + i % 2, false);

		ck_assert(r == 1 || r == -EAGAIN);
		ran += r == 1;
	}
	ck_assert_uint_ge(ran, 64);
	ck_assert_uint_eq(stat_of("pulls"), ran);
	ck_assert_uint_eq(stat_of("limited"), 1000 - ran);
	/* Of one caller, not of all. */
	ck_assert_int_eq(yield_to(yield, &vcpu[1], 2, true), 1);
	unmake();
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
		yield_to(yield, caller, 3 - caller->id, i & 1);
	return NULL;
}

/* Both from threads that pull each other's, and a third. */
static void pull_at_once(void)
{
	pthread_t thread[2];

	for (unsigned int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, pull_often, &vcpu[1 + i]);
	for (unsigned int i = 0; i < 500; i++)
		yield_to(yield, &vcpu[0], 1 + i % 2, true);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

START_TEST(a_pull_leaves_no_narrow_mask)
{
	cpu_set_t all, one;

	make(&pulls);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	pull_at_once();
	ck_assert(same(vcpu[1].tid, &all));
	ck_assert(same(vcpu[2].tid, &all));
	ck_assert_uint_gt(stat_of("pulls"), 0);
	/* Nor a wider one. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(vcpu[1].tid, sizeof(one), &one), 0);
	pull_at_once();
	ck_assert(same(vcpu[1].tid, &one));
	ck_assert(same(vcpu[2].tid, &all));
	unmake();
}
END_TEST

START_TEST(who_may_not_come_is_not_pulled)
{
	cpu_set_t all, here, others;

	make(&pulls);
	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	CPU_XOR(&others, &all, &here);
	if (CPU_COUNT(&others)) {
		sched_setaffinity(0, sizeof(here), &here);
		sched_setaffinity(vcpu[1].tid, sizeof(others), &others);
		ck_assert_int_eq(yield_to(yield, &vcpu[0], 1, true), -EPERM);
		ck_assert(same(vcpu[1].tid, &others));
		ck_assert_uint_eq(stat_of("refused"), 1);
		sched_setaffinity(0, sizeof(all), &all);
	}
	unmake();
}
END_TEST

START_TEST(by_kvm_alone_nothing_is_done)
{
	const struct yield_options kvm = { .kvm = true, .rate = 1 };

	make(&kvm);
	for (unsigned int i = 0; i < 1000; i++)
		ck_assert_int_eq(yield_to(yield, &vcpu[0], 1, false), 0);
	ck_assert_int_eq(yield_to(yield, &vcpu[0], 9, false), -ENOENT);
	ck_assert_int_eq(yield_set_page(yield, PAGE), 0);
	ck_assert_int_eq(*(uint8_t *)mem_ptr(&vm.mem, gpa(PAGE), 1),
			 HL_YIELD_KVM);
	unmake();
}
END_TEST

static void *say_mask(void *arg)
{
	sched_getaffinity(0, sizeof(cpu_set_t), arg);
	return NULL;
}

static void *start_a_helper(void *arg)
{
	pthread_t thread;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	ck_assert_int_eq(thread_start(&thread, say_mask, arg), 0);
	pthread_join(thread, NULL);
	return NULL;
}

/* A vCPU's thread starts some, and may be narrow just then. */
START_TEST(helpers_run_where_the_process_may)
{
	cpu_set_t all, helper;
	pthread_t thread;

	sched_getaffinity(0, sizeof(all), &all);
	pthread_create(&thread, NULL, start_a_helper, &helper);
	pthread_join(thread, NULL);
	ck_assert(CPU_EQUAL(&helper, &all));
}
END_TEST

/* --- leases --- */

static uint32_t policy_of(int tid)
{
	struct sched_how how;

	ck_assert_int_eq(sched_how_get(tid, &how), 0);
	return how.policy;
}

START_TEST(a_lease_ends_by_itself)
{
	struct leases *l;

	make(&pulls);
	l = leases_new(&vm);
	ck_assert_ptr_nonnull(l);
	for (unsigned int i = 0; i < 20 && !lease_allowed(); i++) {
		ck_assert_int_eq(lease_begin(l, &vcpu[1], vcpu[1].tid), 1);
		while (atomic_load(&vcpu[1].hook))
			usleep(100);
		ck_assert_int_eq(policy_of(vcpu[1].tid), SCHED_OTHER);
	}
	leases_free(l);
	ck_assert_int_eq(policy_of(0), SCHED_OTHER);
	unmake();
}
END_TEST

/* On whatever thread: it is the leaseholder's number that counts. */
START_TEST(a_lease_ends_when_its_holder_comes_back)
{
	struct leases *l;

	make(&pulls);
	l = leases_new(&vm);
	for (unsigned int i = 0; i < 200 && !lease_allowed(); i++) {
		struct vcpu_hook *hook;
		int r = lease_begin(l, &vcpu[1 + i % 2], vcpu[1 + i % 2].tid);

		ck_assert(r == 0 || r == 1);
		hook = atomic_load(&vcpu[1 + i % 2].hook);
		if (hook)
			hook->back(hook, &vcpu[1 + i % 2]);
		ck_assert_int_eq(policy_of(vcpu[1 + i % 2].tid), SCHED_OTHER);
		ck_assert_ptr_null(atomic_load(&vcpu[1 + i % 2].hook));
	}
	leases_free(l);
	unmake();
}
END_TEST

/* What its user made it is not touched. */
START_TEST(a_real_time_thread_needs_no_lease)
{
	struct sched_how rr = { .policy = SCHED_RR, .priority = 1 };
	struct leases *l;

	make(&pulls);
	l = leases_new(&vm);
	if (!lease_allowed()) {
		ck_assert_int_eq(sched_how_set(vcpu[1].tid, &rr), 0);
		ck_assert_int_eq(lease_begin(l, &vcpu[1], vcpu[1].tid), 0);
		ck_assert_int_eq(policy_of(vcpu[1].tid), SCHED_RR);
	}
	leases_free(l);
	unmake();
}
END_TEST

START_TEST(leases_are_a_tenth_of_the_time)
{
	const struct yield_options leases = { .ways = YIELD_LEASE,
					      .rate = 1000000 };
	uint64_t start = clock_ns(), most;
	unsigned int leased = 0;

	make(&leases);
	for (unsigned int i = 0; i < 300; i++)
		leased += yield_to(yield, &vcpu[0], 1, true) == 1;
	most = 5 + 1 + (clock_ns() - start) * 500 / 1000000000;
	ck_assert_uint_le(leased, most);
	ck_assert_uint_eq(stat_of("leases"), leased);
	if (lease_allowed())
		ck_assert_uint_eq(leased, 0);
	unmake();
}
END_TEST

/* --- who waits --- */

static uint64_t steal_msr;

static int give_steal_msr(unsigned long req, struct kvm_msrs *msrs)
{
	ck_assert(req == KVM_GET_MSRS && msrs->nmsrs == 1 &&
		  msrs->entries[0].index == MSR_KVM_STEAL_TIME);
	msrs->entries[0].data = steal_msr;
	return 1;
}

START_TEST(kvm_says_who_is_preempted)
{
	struct kvm_steal_time *st;
	struct waits w = { 0 };

	make(&pulls);
	ck_assert(waits_maybe(&w, &vcpu[1])); /* who knows */
	bed.kvm.msrs = give_steal_msr;
	steal_msr = PAGE | KVM_MSR_ENABLED;
	st = mem_ptr(&vm.mem, gpa(PAGE), sizeof(*st));
	waits_learn(&w, &vcpu[1]);
	ck_assert(!waits_maybe(&w, &vcpu[1]));
	st->preempted = KVM_VCPU_PREEMPTED;
	ck_assert(waits_maybe(&w, &vcpu[1]));
	st->preempted = KVM_VCPU_FLUSH_TLB;
	ck_assert(!waits_maybe(&w, &vcpu[1]));
	unmake();
}
END_TEST

START_TEST(a_steal_time_that_is_nowhere_says_nothing)
{
	static const uint64_t msr[] = { 0, PAGE, LINE_MEM | 1, ~0x3eull,
					(LINE_MEM - 64 + 32) | 1 };

	make(&pulls);
	bed.kvm.msrs = give_steal_msr;
	for (unsigned int i = 0; i < 5; i++) {
		struct waits w = { 0 };

		steal_msr = msr[i];
		waits_learn(&w, &vcpu[1]);
		if (msr[i] < LINE_MEM && msr[i] & 1)
			continue; /* rounded down, it is in RAM */
		ck_assert(waits_maybe(&w, &vcpu[1]));
	}
	unmake();
}
END_TEST

/* --- hints --- */

START_TEST(hints_follow_from_who_shares)
{
	static const struct hints_policy both = { true, true },
					 calls = { true, false },
					 kvm = { false, true };

	ck_assert_int_eq(hints_way(&both, false, false), HL_YIELD_NONE);
	ck_assert_int_eq(hints_way(&both, true, false), HL_YIELD_CALL);
	ck_assert_int_eq(hints_way(&both, true, true), HL_YIELD_KVM);
	ck_assert_int_eq(hints_way(&calls, true, true), HL_YIELD_CALL);
	ck_assert_int_eq(hints_way(&kvm, true, false), HL_YIELD_KVM);
	ck_assert_int_eq(hints_way(&kvm, false, false), HL_YIELD_NONE);
}
END_TEST

/* Yielding on, unless that is what is waited for. */
static void wait_for_way(const uint8_t *way, uint8_t what)
{
	while (__atomic_load_n(way, __ATOMIC_RELAXED) != what) {
		if (what == HL_YIELD_NONE)
			yield_to(yield, &vcpu[0], 1, true);
		usleep(1000);
	}
}

/* Threads that sleep wait for no processor. */
START_TEST(the_page_follows_the_load)
{
	uint8_t *way;

	make(&pulls);
	ck_assert_int_eq(yield_set_page(yield, PAGE), 0);
	way = mem_ptr(&vm.mem, gpa(PAGE), 4096);
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_int_eq(way[1], HL_YIELD_CALL);
		wait_for_way(&way[1], HL_YIELD_NONE);
		/* Without a yield it is back at what it was. */
		wait_for_way(&way[1], HL_YIELD_CALL);
	}
	for (unsigned int i = sizeof(((struct hl_yield_hints *)0)->way);
	     i < 4096; i++)
		ck_assert_int_eq(way[i], 0);
	unmake();
}
END_TEST

/* Nobody writes to a page that was given back. */
START_TEST(a_page_is_left_alone)
{
	uint8_t *way;

	make(&pulls);
	ck_assert_int_eq(yield_set_page(yield, PAGE), 0);
	way = mem_ptr(&vm.mem, gpa(PAGE), 4096);
	yield_to(yield, &vcpu[0], 1, true);
	ck_assert_int_eq(yield_set_page(yield, 0), 0);
	memset(way, 0x5a, 4096);
	ck_assert_int_eq(yield_set_page(yield, PAGE + 4096), 0);
	wait_for_way(way + 4096, HL_YIELD_NONE);
	ck_assert_int_eq(way[1], 0x5a);
	unmake();
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
	tc = tcase_create("off");
	tcase_add_checked_fixture(tc, setup_without, line_teardown);
	tcase_add_test(tc, without_the_feature_there_is_none);
	suite_add_tcase(s, tc);
	tc = tcase_create("threads");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_rate_has_a_burst_and_then_its_pace);
	tcase_add_test(tc, a_flood_is_limited_and_counted);
	tcase_add_test(tc, a_pull_leaves_no_narrow_mask);
	tcase_add_test(tc, who_may_not_come_is_not_pulled);
	tcase_add_test(tc, by_kvm_alone_nothing_is_done);
	tcase_add_test(tc, helpers_run_where_the_process_may);
	tcase_add_test(tc, a_lease_ends_by_itself);
	tcase_add_test(tc, a_lease_ends_when_its_holder_comes_back);
	tcase_add_test(tc, a_real_time_thread_needs_no_lease);
	tcase_add_test(tc, leases_are_a_tenth_of_the_time);
	tcase_add_test(tc, kvm_says_who_is_preempted);
	tcase_add_test(tc, a_steal_time_that_is_nowhere_says_nothing);
	tcase_add_test(tc, hints_follow_from_who_shares);
	tcase_add_test(tc, the_page_follows_the_load);
	tcase_add_test(tc, a_page_is_left_alone);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
