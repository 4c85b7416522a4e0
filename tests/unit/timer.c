// SPDX-License-Identifier: GPL-2.0-only
/* The timer's calls as a row says, and where there is no vCPU to arm. */
#include <check.h>
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "include/hotline/timer.h"
#include "lib_line.h"
#include "lib_mmio.h"
#include "tests/unit/lib_run.h"
#include "vmm/backend/halt.h"
#include "vmm/backend/timer.h"

START_TEST(only_a_vcpu_has_a_timer)
{
	ck_assert_int_eq(timer_set(NULL, 1), -ENODEV);
	ck_assert_int_eq(halt_vcpu(NULL, true), -ENODEV);
	ck_assert_int_eq(line_call(HL_OP_TIMER_SET, ~0ull, 0), HL_EIO);
	ck_assert_int_eq(line_call(HL_OP_TIMER_HALT, 0, 0), HL_EIO);
}
END_TEST

/* KVM_RUN's page of a vCPU that KVM does not know. */
static struct vcpu stranger(struct kvm_run *run, bool shares_regs)
{
	line.vm.shares_regs = shares_regs;
	memset(run, 0, sizeof(*run));
	return (struct vcpu){ .vm = &line.vm, .fd = -1, .run = run };
}

START_TEST(what_kvm_refuses_is_an_error)
{
	struct kvm_run run;
	struct vcpu vcpu = stranger(&run, _i);

	ck_assert_int_eq(timer_set(&vcpu, 0), -EBADF);
	ck_assert_int_eq(halt_vcpu(&vcpu, true), -EBADF);
	ck_assert_int_eq(run.kvm_valid_regs | run.kvm_dirty_regs, 0);
}
END_TEST

static int take_none(unsigned long req, struct kvm_msrs *msrs)
{
	ck_assert(req == KVM_SET_MSRS && msrs->nmsrs == 1);
	return 0;
}

START_TEST(a_deadline_that_kvm_leaves_out_is_an_error)
{
	struct kvm_run run;
	struct vcpu vcpu = stranger(&run, false);

	bed.kvm.on = true;
	bed.kvm.msrs = take_none;
	ck_assert_int_eq(timer_set(&vcpu, 1), -EIO);
}
END_TEST

/* As behind the exit after a first halt. */
START_TEST(registers_that_are_shared_are_changed_in_place)
{
	struct kvm_run run;
	struct vcpu vcpu = stranger(&run, true);

	run.kvm_valid_regs = KVM_SYNC_X86_REGS;
	run.s.regs.regs = (struct kvm_regs){ .rip = 7, .rflags = 0x82 };
	ck_assert_int_eq(halt_vcpu(&vcpu, true), -EBADF); /* the halt itself */
	ck_assert_int_eq(run.kvm_dirty_regs, KVM_SYNC_X86_REGS);
	ck_assert_int_eq(run.kvm_valid_regs, KVM_SYNC_X86_REGS);
	ck_assert_int_eq(run.s.regs.regs.rflags, 0x282);
	ck_assert_int_eq(run.s.regs.regs.rip, 7);
}
END_TEST

/* At each halt: it must not take those of the last for this one's. */
START_TEST(registers_that_are_not_shared_are_read_and_written)
{
	struct kvm_run run;
	struct vcpu vcpu = stranger(&run, false);

	bed.kvm.on = true;
	for (uint64_t rip = 7; rip < 9; rip++) {
		bed.kvm.regs = (struct kvm_regs){ .rip = rip, .rflags = 0x82 };
		bed.kvm.mp_state = KVM_MP_STATE_RUNNABLE;
		ck_assert_int_eq(halt_vcpu(&vcpu, true), 0);
		ck_assert_uint_eq(bed.kvm.regs.rflags, 0x282);
		ck_assert_uint_eq(bed.kvm.regs.rip, rip);
		ck_assert_uint_eq(bed.kvm.mp_state, KVM_MP_STATE_HALTED);
		ck_assert_int_eq(run.kvm_valid_regs | run.kvm_dirty_regs, 0);
	}
	bed.kvm.on = false;
}
END_TEST

START_TEST(other_arguments_are_zero)
{
	ck_assert_int_eq(line_call(HL_OP_TIMER_SET, 1, 1), HL_EINVAL);
	ck_assert_int_eq(line_call(HL_OP_TIMER_HALT, 1, 1), HL_EINVAL);
}
END_TEST

START_TEST(a_halt_ends_its_crossing)
{
	line_slot(0, HL_OP_TIMER_SET, 1, 0);
	line_slot(1, HL_OP_TIMER_HALT, 1, 0);
	line_slot(2, HL_OP_NULL, 0, 0);
	ck_assert_int_eq(line_go(0, 3), 2);
	ck_assert(line.slot[2].result == HL_NOT_RUN);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("timer");
	TCase *tc = tcase_create("calls");

	tcase_add_checked_fixture(tc, line_setup, line_teardown);
	tcase_add_test(tc, only_a_vcpu_has_a_timer);
	tcase_add_loop_test(tc, what_kvm_refuses_is_an_error, 0, 2);
	tcase_add_test(tc, a_deadline_that_kvm_leaves_out_is_an_error);
	tcase_add_test(tc, registers_that_are_shared_are_changed_in_place);
	tcase_add_test(tc, registers_that_are_not_shared_are_read_and_written);
	tcase_add_test(tc, other_arguments_are_zero);
	tcase_add_test(tc, a_halt_ends_its_crossing);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
