// SPDX-License-Identifier: GPL-2.0-only
/* KVM's local APIC timer, and its way to halt.  vCPU threads. */
#include "vmm/backend/timer.h"

#include <cpuid.h>
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "vmm/core/vcpu.h"

#define MSR_IA32_TSC_DEADLINE 0x6e0
#define RFLAGS_IF	      (1u << 9)
#define F1_ECX_HYPERVISOR     (1u << 31)

int timer_set(struct vcpu *vcpu, uint64_t deadline)
{
	uint64_t buf[(sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)) /
		     sizeof(uint64_t)] = { 0 };
	struct kvm_msrs *msrs = (void *)buf;
	int n;

	if (!vcpu)
		return -ENODEV;
	msrs->nmsrs = 1;
	msrs->entries[0] = (struct kvm_msr_entry){
		.index = MSR_IA32_TSC_DEADLINE,
		.data = deadline,
	};
	n = ioctl(vcpu->fd, KVM_SET_MSRS, msrs);
	if (n < 0)
		return -errno;
	return n == 1 ? 0 : -EIO;
}

/*
 * Takes effect as KVM_RUN enters, before it blocks.  Where KVM shares the
 * registers it is asked for them from the first halt on: a copy at each exit is
 * cheaper than a system call at each halt, and others need not pay for it.
 */
static int enable_interrupts(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_regs *regs = &run->s.regs.regs;

	if (!run->kvm_valid_regs && ioctl(vcpu->fd, KVM_GET_REGS, regs) < 0)
		return -errno;
	regs->rflags |= RFLAGS_IF;
	if (vcpu->vm->shares_regs) {
		run->kvm_valid_regs = KVM_SYNC_X86_REGS;
		run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
		return 0;
	}
	return ioctl(vcpu->fd, KVM_SET_REGS, regs) < 0 ? -errno : 0;
}

int timer_halt(struct vcpu *vcpu)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_HALTED };
	int err;

	if (!vcpu)
		return -ENODEV;
	err = enable_interrupts(vcpu);
	if (err)
		return err;
	return ioctl(vcpu->fd, KVM_SET_MP_STATE, &state) < 0 ? -errno : 0;
}

/*
 * Below another hypervisor an exit costs what that one's world switches cost,
 * beside which the way to this process is short.
 */
bool timer_is_nested(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c & F1_ECX_HYPERVISOR;
}
