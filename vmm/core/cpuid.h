/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What CPUID tells the guest: what KVM supports, our topology, and nothing
 * that the machine does not have.
 */
#ifndef CORE_CPUID_H
#define CORE_CPUID_H

#include <stdint.h>

struct kvm_cpuid2;

/* malloc()ed table for `cpus` vCPUs, or NULL with errno set. */
struct kvm_cpuid2 *cpuid_new(int kvm_fd, unsigned int cpus);
/*
 * Adds a leaf of our own to the table, which moves.  Before vCPUs are made.
 * 0, -EEXIST or -ENOMEM.
 */
int cpuid_add(struct kvm_cpuid2 **cpuid, uint32_t leaf, const uint32_t reg[4]);
/* Fits the table to one vCPU (APIC ids), KVM_SET_CPUID2.  0 or -errno. */
int cpuid_apply(struct kvm_cpuid2 *cpuid, int vcpu_fd, unsigned int id);

#endif
