/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What CPUID tells the guest: what KVM supports, our topology, and nothing
 * that the machine does not have.
 */
#ifndef CORE_CPUID_H
#define CORE_CPUID_H

struct kvm_cpuid2;

/* malloc()ed table for `cpus` vCPUs, or NULL with errno set. */
struct kvm_cpuid2 *cpuid_new(int kvm_fd, unsigned int cpus);
/* Fits the table to one vCPU (APIC ids), KVM_SET_CPUID2.  0 or -errno. */
int cpuid_apply(struct kvm_cpuid2 *cpuid, int vcpu_fd, unsigned int id);

#endif
