// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allow-list, and what becomes of a list.  KVM takes what KVM_SET_MSRS says
 * for the host's word and leaves out checks that it makes of a guest's WRMSR.
 * So the list has only MSRs whose handling does not ask who writes, as read in
 * Linux 6.12 (docs/security.md); where only some values are alike, it is said
 * which.  What is left out costs the guest nothing but speed: it executes
 * WRMSR.
 */
#include "vmm/backend/msr.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>

#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

/* MSRs: Intel SDM vol. 4; AMD APM vol. 2, appendix A. */
#define MCE_FIRST  0x400 /* CTL, STATUS, ADDR, MISC of each bank */
#define MCE_MSRS   128	 /* 32 banks, as KVM gives us: no KVM_X86_SETUP_MCE */
#define MCE_STATUS 1	 /* of four */

/* CPUID */
#define F1_ECX_PDCM   (1u << 15)
#define F81_ECX_CORE  (1u << 23) /* six counters at 0xc0010200 */
#define F22_EAX_V2    (1u << 0)	 /* global control */

#define CORE_COUNTERS 6
#define MOST_COUNTERS 8 /* that KVM has ever had of a kind */

/* How many MSRs of a row there are: what CPUID says of the processor's PMU. */
struct pmu {
	unsigned int general, full_width, fixed; /* Intel's counters */
	unsigned int control, fixed_control;	 /* Intel's, 0 or 1 */
	unsigned int core, core_control;	 /* AMD's */
};

/*
 * KVM checks the values of all of these alike for guest and host, or ignores
 * their reserved bits alike.
 */
static const struct {
	uint32_t first, nr;
	size_t has; /* offset of the number in struct pmu; 0 with nr: always */
} allowed[] = {
	/* Event selects and counters of AMD's first PMU, always there. */
	{ .first = 0xc0010000, .nr = 8 },
	/* CTL and CTR in pairs. */
	{ .first = 0xc0010200, .has = offsetof(struct pmu, core) },
	{ .first = 0xc0000301, .has = offsetof(struct pmu, core_control) },
	/*
	 * Intel's event selects, and counters by their full-width names: by
	 * the old ones (0xc1) a guest's value is sign-extended, a host's not.
	 */
	{ .first = 0x186, .has = offsetof(struct pmu, general) },
	{ .first = 0x4c1, .has = offsetof(struct pmu, full_width) },
	{ .first = 0x309, .has = offsetof(struct pmu, fixed) },
	{ .first = 0x38d, .has = offsetof(struct pmu, fixed_control) },
	{ .first = 0x38f, .has = offsetof(struct pmu, control) },
	/* Machine-check banks: memory of KVM's, no more. */
	{ .first = MCE_FIRST, .nr = MCE_MSRS },
};

static const struct kvm_cpuid_entry2 *leaf(const struct kvm_cpuid2 *cpuid,
					   uint32_t function)
{
	static const struct kvm_cpuid_entry2 none;

	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function)
			return &cpuid->entries[i];
	return &none;
}

static unsigned int at_most(unsigned int n)
{
	return n < MOST_COUNTERS ? n : MOST_COUNTERS;
}

static struct pmu pmu_of(const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *intel = leaf(cpuid, 0xa);
	unsigned int version = intel->eax & 0xff;
	struct pmu p = { 0 };

	if (version) {
		p.general = at_most(intel->eax >> 8 & 0xff);
		if (leaf(cpuid, 0x1)->ecx & F1_ECX_PDCM)
			p.full_width = p.general;
	}
	if (version > 1) {
		p.control = 1;
		p.fixed = at_most(intel->edx & 0x1f);
		p.fixed_control = p.fixed != 0;
	}
	if (leaf(cpuid, 0x80000001)->ecx & F81_ECX_CORE)
		p.core = 2 * CORE_COUNTERS;
	p.core_control = leaf(cpuid, 0x80000022)->eax & F22_EAX_V2;
	return p;
}

void msr_rules_init(struct msr_rules *rules, const struct kvm_cpuid2 *cpuid)
{
	struct pmu pmu = pmu_of(cpuid);

	_Static_assert(sizeof(allowed) / sizeof(allowed[0]) <= MSR_RULES,
		       "room for all rows");
	rules->nr = 0;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		uint32_t nr = allowed[i].nr;

		if (!nr)
			memcpy(&nr, (const char *)&pmu + allowed[i].has,
			       sizeof(nr));
		if (!nr)
			continue;
		rules->range[rules->nr].first = allowed[i].first;
		rules->range[rules->nr++].nr = nr;
	}
}

static bool may_read(const struct msr_rules *rules, uint32_t msr)
{
	for (unsigned int i = 0; i < rules->nr; i++)
		if (msr - rules->range[i].first < rules->range[i].nr)
			return true;
	return false;
}

bool msr_may_write(const struct msr_rules *rules, uint32_t msr, uint64_t value)
{
	/*
	 * Any may clear a status.  Whether a guest may set it depends on what
	 * it wrote to HWCR, which KVM asks of guests alone.
	 */
	if (msr - MCE_FIRST < MCE_MSRS && msr % 4 == MCE_STATUS && value)
		return false;
	return may_read(rules, msr);
}

/* How many it did. */
static unsigned int access_kvms(struct vcpu *vcpu, unsigned long request,
				struct kvm_msr_entry *e, unsigned int nr)
{
	int done = request == KVM_SET_MSRS ? vcpu_set_msrs(vcpu, e, nr)
					   : vcpu_get_msrs(vcpu, e, nr);

	return done > 0 ? (unsigned int)done : 0;
}

static bool is_for_kvm(const struct msr_rules *rules, unsigned long request,
		       const struct kvm_msr_entry *e)
{
	return request == KVM_SET_MSRS ? msr_may_write(rules, e->index, e->data)
				       : may_read(rules, e->index);
}

/* The VMM's own.  False: it has no such MSR. */
static bool access_ours(struct vcpu *vcpu, unsigned long request,
			struct kvm_msr_entry *e)
{
	struct bus *bus = &vcpu->vm->msr;
	uint64_t value;

	if (request == KVM_SET_MSRS)
		return bus_write(bus, e->index, 8, e->data);
	if (!bus_read(bus, e->index, 8, &value))
		return false;
	e->data = value;
	return true;
}

/* Runs of KVM's MSRs, each by one ioctl, and ours between. */
static unsigned int access_all(const struct msr_rules *rules, struct vcpu *vcpu,
			       unsigned long request, struct kvm_msr_entry *e,
			       unsigned int nr, int *err)
{
	unsigned int i = 0, n, done;

	while (i < nr) {
		for (n = 0; i + n < nr; n++)
			if (!is_for_kvm(rules, request, &e[i + n]))
				break;
		if (n) {
			done = access_kvms(vcpu, request, &e[i], n);
			i += done;
			if (done == n)
				continue;
			*err = -EIO;
			break;
		}
		if (!access_ours(vcpu, request, &e[i])) {
			*err = -EPERM;
			break;
		}
		i++;
	}
	return i;
}

unsigned int msr_write(const struct msr_rules *rules, struct vcpu *vcpu,
		       struct kvm_msr_entry *e, unsigned int nr, int *err)
{
	return access_all(rules, vcpu, KVM_SET_MSRS, e, nr, err);
}

unsigned int msr_read(const struct msr_rules *rules, struct vcpu *vcpu,
		      struct kvm_msr_entry *e, unsigned int nr, int *err)
{
	return access_all(rules, vcpu, KVM_GET_MSRS, e, nr, err);
}
