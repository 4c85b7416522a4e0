// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU's MSRs by ioctl, as the host has them; the vCPU's own thread. */
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/core/vcpu.h"

/* As struct kvm_msrs, whose entries have no number. */
struct batch {
	uint32_t nmsrs, pad;
	struct kvm_msr_entry entries[VCPU_MSRS_MAX];
};

_Static_assert(sizeof(struct kvm_msrs) == offsetof(struct batch, entries),
	       "KVM's entries begin there");

/* Only what is used of it is written, as this is on a path of hypercalls. */
static int ask_kvm(const struct vcpu *vcpu, unsigned long request,
		   struct batch *b, const struct kvm_msr_entry *e,
		   unsigned int nr)
{
	int n;

	if (nr > VCPU_MSRS_MAX)
		return -E2BIG;
	b->nmsrs = nr;
	b->pad = 0;
	memcpy(b->entries, e, nr * sizeof(*e));
	n = ioctl(vcpu->fd, request, b);
	return n < 0 ? -errno : n;
}

int vcpu_set_msrs(struct vcpu *vcpu, const struct kvm_msr_entry *e,
		  unsigned int nr)
{
	struct batch b;

	return ask_kvm(vcpu, KVM_SET_MSRS, &b, e, nr);
}

int vcpu_get_msrs(const struct vcpu *vcpu, struct kvm_msr_entry *e,
		  unsigned int nr)
{
	struct batch b;
	int n = ask_kvm(vcpu, KVM_GET_MSRS, &b, e, nr);

	if (n > 0)
		memcpy(e, b.entries, (size_t)n * sizeof(*e));
	return n;
}

int vcpu_set_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	const struct kvm_msr_entry e = { .index = msr, .data = value };
	int n = vcpu_set_msrs(vcpu, &e, 1);

	return n < 0 ? n : n == 1 ? 0 : -EIO;
}

int vcpu_get_msr(const struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	struct kvm_msr_entry e = { .index = msr };
	int n = vcpu_get_msrs(vcpu, &e, 1);

	if (n == 1)
		*value = e.data;
	return n < 0 ? n : n == 1 ? 0 : -EIO;
}
