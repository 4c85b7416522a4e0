// SPDX-License-Identifier: GPL-2.0-only
/* Who waits for a processor of the host, and what the guest is told of it. */
#include <asm/kvm_para.h>
#include <check.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/mman.h>
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

/* As KVM's file of statistics, with one of them. */
static int blocking_fd(uint64_t value)
{
	static const char name[48] = "blocking";
	const struct kvm_stats_desc desc = { .size = 1 };
	const struct kvm_stats_header header = {
		.name_size = sizeof(name),
		.num_desc = 1,
		.desc_offset = sizeof(header),
		.data_offset = sizeof(header) + sizeof(desc) + sizeof(name),
	};
	int fd = memfd_create("stats", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, &header, sizeof(header)), sizeof(header));
	ck_assert_int_eq(write(fd, &desc, sizeof(desc)), sizeof(desc));
	ck_assert_int_eq(write(fd, name, sizeof(name)), sizeof(name));
	ck_assert_int_eq(write(fd, &value, sizeof(value)), sizeof(value));
	return fd;
}

START_TEST(who_lost_its_processor_in_an_exit_is_found)
{
	struct waits w = { 0 };
	struct vcpu *asleep = &yb.vcpu[1], *us = &yb.vcpu[0];
	int halts, waits;

	yield_make(&yield_pulls);
	halts = blocking_fd(1);
	waits = blocking_fd(0);
	bed.kvm.msrs = give_steal_msr;
	steal_msr = YIELD_PAGE | KVM_MSR_ENABLED;
	waits_learn(&w, us);
	atomic_store(&us->tid, gettid());
	us->stats_fd = waits;
	ck_assert(!waits_maybe(&w, us)); /* it runs, as we do */
	asleep->stats_fd = halts;
	ck_assert(!waits_maybe(&w, asleep));
	asleep->stats_fd = waits;
	ck_assert(waits_maybe(&w, asleep));
	atomic_store(&us->tid, 0);
	close(halts);
	close(waits);
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
	tcase_add_test(tc, who_lost_its_processor_in_an_exit_is_found);
	tcase_add_test(tc, a_steal_time_that_is_nowhere_says_nothing);
	tcase_add_test(tc, hints_follow_from_who_shares);
	tcase_add_test(tc, the_page_follows_the_load);
	tcase_add_test(tc, a_page_is_left_alone);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
