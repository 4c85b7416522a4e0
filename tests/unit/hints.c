// SPDX-License-Identifier: GPL-2.0-only
/* Who waits for a processor of the host, and what the guest is told of it. */
#include <asm/kvm_para.h>
#include <check.h>
#include <linux/kvm.h>
#include <string.h>
#include <unistd.h>

#include "include/hotline/yield.h"
#include "tests/unit/lib_mmio.h"
#include "tests/unit/lib_run.h"
#include "tests/unit/lib_yield.h"
#include "vmm/backend/hints.h"
#include "vmm/backend/waits.h"

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

	yield_make(&yield_pulls);
	ck_assert(waits_maybe(&w, &yb.vcpu[1])); /* who knows */
	bed.kvm.msrs = give_steal_msr;
	steal_msr = YIELD_PAGE | KVM_MSR_ENABLED;
	st = mem_ptr(&yb.vm.mem, gpa(YIELD_PAGE), sizeof(*st));
	waits_learn(&w, &yb.vcpu[1]);
	ck_assert(!waits_maybe(&w, &yb.vcpu[1]));
	st->preempted = KVM_VCPU_PREEMPTED;
	ck_assert(waits_maybe(&w, &yb.vcpu[1]));
	st->preempted = KVM_VCPU_FLUSH_TLB;
	ck_assert(!waits_maybe(&w, &yb.vcpu[1]));
	yield_unmake();
}
END_TEST

START_TEST(a_steal_time_that_is_nowhere_says_nothing)
{
	static const uint64_t msr[] = { 0, YIELD_PAGE, YIELD_MEM | 1, ~0x3eull,
					(YIELD_MEM - 64 + 32) | 1 };

	yield_make(&yield_pulls);
	bed.kvm.msrs = give_steal_msr;
	for (unsigned int i = 0; i < 5; i++) {
		struct waits w = { 0 };

		steal_msr = msr[i];
		waits_learn(&w, &yb.vcpu[1]);
		if (msr[i] < YIELD_MEM && msr[i] & 1)
			continue; /* rounded down, it is in RAM */
		ck_assert(waits_maybe(&w, &yb.vcpu[1]));
	}
	yield_unmake();
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
			yield_to(yb.yield, &yb.vcpu[0], 1, true);
		usleep(1000);
	}
}

/* Threads that sleep wait for no processor. */
START_TEST(the_page_follows_the_load)
{
	uint8_t *way;

	yield_make(&yield_pulls);
	ck_assert_int_eq(yield_set_page(yb.yield, YIELD_PAGE), 0);
	way = mem_ptr(&yb.vm.mem, gpa(YIELD_PAGE), 4096);
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_int_eq(way[1], HL_YIELD_CALL);
		wait_for_way(&way[1], HL_YIELD_NONE);
		/* Without a yield it is back at what it was. */
		wait_for_way(&way[1], HL_YIELD_CALL);
	}
	for (unsigned int i = sizeof(((struct hl_yield_hints *)0)->way);
	     i < 4096; i++)
		ck_assert_int_eq(way[i], 0);
	yield_unmake();
}
END_TEST

/* Nobody writes to a page that was given back. */
START_TEST(a_page_is_left_alone)
{
	uint8_t *way;

	yield_make(&yield_pulls);
	ck_assert_int_eq(yield_set_page(yb.yield, YIELD_PAGE), 0);
	way = mem_ptr(&yb.vm.mem, gpa(YIELD_PAGE), 4096);
	yield_to(yb.yield, &yb.vcpu[0], 1, true);
	ck_assert_int_eq(yield_set_page(yb.yield, 0), 0);
	memset(way, 0x5a, 4096);
	ck_assert_int_eq(yield_set_page(yb.yield, YIELD_PAGE + 4096), 0);
	wait_for_way(way + 4096, HL_YIELD_NONE);
	ck_assert_int_eq(way[1], 0x5a);
	yield_unmake();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hints");
	TCase *tc = tcase_create("threads");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, kvm_says_who_is_preempted);
	tcase_add_test(tc, a_steal_time_that_is_nowhere_says_nothing);
	tcase_add_test(tc, hints_follow_from_who_shares);
	tcase_add_test(tc, the_page_follows_the_load);
	tcase_add_test(tc, a_page_is_left_alone);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
