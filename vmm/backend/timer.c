// SPDX-License-Identifier: GPL-2.0-only
/* KVM's local APIC timer.  vCPU threads. */
#include "vmm/backend/timer.h"

#include <cpuid.h>
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "vmm/core/vcpu.h"

#define MSR_IA32_TSC_DEADLINE 0x6e0
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
 * Below another hypervisor an exit costs what that one's world switches cost,
 * beside which the way to this process is short.
 */
bool timer_is_nested(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c & F1_ECX_HYPERVISOR;
}
