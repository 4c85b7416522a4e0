/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSRs of the calling vCPU thread's own vCPU, many at a time: those of an
 * allow-list by one ioctl, those that the MSR bus has by a call.
 */
#ifndef BACKEND_MSR_H
#define BACKEND_MSR_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/core/vcpu.h"

struct kvm_cpuid2;

#define MSR_RULES     16
#define MSR_BATCH_MAX VCPU_MSRS_MAX

/* What this machine's processors have of the allow-list; constant. */
struct msr_rules {
	unsigned int nr;
	struct {
		uint32_t first, nr;
	} range[MSR_RULES];
};

void msr_rules_init(struct msr_rules *rules, const struct kvm_cpuid2 *cpuid);

/* May a list write this value?  Any value may be read back. */
bool msr_may_write(const struct msr_rules *rules, uint32_t msr, uint64_t value);

/*
 * In order, nr up to MSR_BATCH_MAX.  How many were done; if that is less than
 * nr, *err says why the next was not: -EPERM (not on the list) or -EIO (KVM
 * refused).  On the vCPU's thread, outside of KVM_RUN.
 */
unsigned int msr_write(const struct msr_rules *rules, struct vcpu *vcpu,
		       struct kvm_msr_entry *e, unsigned int nr, int *err);
unsigned int msr_read(const struct msr_rules *rules, struct vcpu *vcpu,
		      struct kvm_msr_entry *e, unsigned int nr, int *err);

#endif
