// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID.  Topology: one socket, one thread per core, APIC id = vCPU number.
 * Leaves: Intel SDM vol. 2A, CPUID; AMD APM vol. 3, appendix E.
 */
#include "vmm/core/cpuid.h"

#include <asm/kvm_para.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define ENTRIES_START	    100
#define ENTRIES_MAX	    1000

#define F1_ECX_TSC_DEADLINE (1u << 24)
#define F1_ECX_X2APIC	    (1u << 21)
#define F1_ECX_HYPERVISOR   (1u << 31)
#define F1_EDX_HTT	    (1u << 28)
#define F6_EAX_ARAT	    (1u << 2)
#define F81_ECX_CMP_LEGACY  (1u << 1)

/* Bits that hold the ids 0..n-1. */
static uint32_t id_bits(uint32_t n)
{
	return n > 1 ? 32 - (uint32_t)__builtin_clz(n - 1) : 0;
}

static void leaf_1(struct kvm_cpuid_entry2 *e, uint32_t cpus)
{
	e->ebx = (e->ebx & 0x0000ffff) | cpus << 16;
	/*
	 * The in-kernel APIC has both, though KVM leaves them out of what it
	 * calls supported because they need that APIC.
	 */
	e->ecx |= F1_ECX_X2APIC | F1_ECX_TSC_DEADLINE | F1_ECX_HYPERVISOR;
	e->edx &= ~F1_EDX_HTT;
	if (cpus > 1)
		e->edx |= F1_EDX_HTT;
}

/* Intel's deterministic cache parameters: who shares, how many cores. */
static void leaf_4(struct kvm_cpuid_entry2 *e, uint32_t cpus)
{
	uint32_t level = e->eax >> 5 & 7;
	uint32_t cores = (1u << id_bits(cpus)) - 1;
	uint32_t sharing = level >= 3 ? cores : 0;

	if (!(e->eax & 0x1f))
		return;
	if (cores > 63)
		cores = 63;
	e->eax = (e->eax & 0x00003fff) | sharing << 14 | cores << 26;
}

/* AMD's counterpart, leaf 0x8000001d: only the sharing count. */
static void leaf_8000001d(struct kvm_cpuid_entry2 *e, uint32_t cpus)
{
	uint32_t level = e->eax >> 5 & 7;
	uint32_t sharing = level >= 3 ? cpus - 1 : 0;

	if (e->eax & 0x1f)
		e->eax = (e->eax & 0x00003fff) | sharing << 14;
}

/* Extended topology: level 0 threads (one), level 1 cores. */
static void leaf_b(struct kvm_cpuid_entry2 *e, uint32_t cpus)
{
	e->eax = e->ebx = 0;
	e->ecx = e->index;
	if (e->index == 0) {
		e->ebx = 1;
		e->ecx |= 1 << 8;
	} else if (e->index == 1) {
		e->eax = id_bits(cpus);
		e->ebx = cpus;
		e->ecx |= 2 << 8;
	}
}

static void fit(struct kvm_cpuid_entry2 *e, uint32_t cpus)
{
	switch (e->function) {
	case 0x1:
		leaf_1(e, cpus);
		break;
	case 0x4:
		leaf_4(e, cpus);
		break;
	case 0x6:
		e->eax |= F6_EAX_ARAT; /* the APIC timer never stops */
		break;
	case 0xb:
	case 0x1f:
		leaf_b(e, cpus);
		break;
	case 0x80000001:
		e->ecx &= ~F81_ECX_CMP_LEGACY;
		if (cpus > 1)
			e->ecx |= F81_ECX_CMP_LEGACY;
		break;
	case 0x80000008:
		e->ecx = (e->ecx & ~0xf0ffu) | id_bits(cpus) << 12 | (cpus - 1);
		break;
	case 0x8000001d:
		leaf_8000001d(e, cpus);
		break;
	}
}

struct kvm_cpuid2 *cpuid_new(int kvm_fd, unsigned int cpus)
{
	struct kvm_cpuid2 *table = NULL;

	for (uint32_t n = ENTRIES_START; n <= ENTRIES_MAX; n *= 2) {
		free(table);
		table = calloc(1,
			       sizeof(*table) + n * sizeof(table->entries[0]));
		if (!table)
			return NULL;
		table->nent = n;
		if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, table) == 0)
			break;
		if (errno != E2BIG) {
			free(table);
			return NULL;
		}
	}
	for (uint32_t i = 0; i < table->nent; i++)
		fit(&table->entries[i], cpus);
	return table;
}

int cpuid_add(struct kvm_cpuid2 **cpuid, uint32_t leaf, const uint32_t reg[4])
{
	struct kvm_cpuid2 *table = *cpuid;
	uint32_t n = table->nent;

	for (uint32_t i = 0; i < n; i++)
		if (table->entries[i].function == leaf)
			return -EEXIST;
	table = realloc(table,
			sizeof(*table) + (n + 1) * sizeof(table->entries[0]));
	if (!table)
		return -ENOMEM;
	table->entries[n] = (struct kvm_cpuid_entry2){
		.function = leaf,
		.eax = reg[0],
		.ebx = reg[1],
		.ecx = reg[2],
		.edx = reg[3],
	};
	table->nent = n + 1;
	*cpuid = table;
	return 0;
}

int cpuid_apply(struct kvm_cpuid2 *cpuid, int vcpu_fd, unsigned int id)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		switch (e->function) {
		case 0x1:
			e->ebx = (e->ebx & 0x00ffffff) | id << 24;
			break;
		case 0xb:
		case 0x1f:
			e->edx = id;
			break;
		case 0x8000001e:
			e->eax = id;
			e->ebx = id; /* core id; one thread per core */
			e->ecx = 0;  /* node 0 of 1 */
			break;
		}
	}
	return ioctl(vcpu_fd, KVM_SET_CPUID2, cpuid) < 0 ? -errno : 0;
}
