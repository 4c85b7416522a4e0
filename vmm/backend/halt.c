// SPDX-License-Identifier: GPL-2.0-only
/* Halting by KVM's own state of a vCPU.  vCPU threads. */
#include "vmm/backend/halt.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "vmm/core/vcpu.h"

#define RFLAGS_IF (1u << 9)

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

int halt_vcpu(struct vcpu *vcpu, bool irqs)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_HALTED };
	int err = 0;

	if (!vcpu)
		return -ENODEV;
	if (irqs)
		err = enable_interrupts(vcpu);
	if (err)
		return err;
	return ioctl(vcpu->fd, KVM_SET_MP_STATE, &state) < 0 ? -errno : 0;
}
