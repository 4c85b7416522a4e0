// SPDX-License-Identifier: GPL-2.0-only
/* KVM's local APIC timer.  vCPU threads. */
#include "vmm/backend/timer.h"

#include <cpuid.h>
#include <errno.h>

#include "vmm/core/vcpu.h"

#define MSR_IA32_TSC_DEADLINE 0x6e0
#define F1_ECX_HYPERVISOR     (1u << 31)

int timer_set(struct vcpu *vcpu, uint64_t deadline)
{
	if (!vcpu)
		return -ENODEV;
	return vcpu_set_msr(vcpu, MSR_IA32_TSC_DEADLINE, deadline);
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
