// SPDX-License-Identifier: GPL-2.0-only
/* Lists of MSRs: include/hotline/msr.h.  On the vCPU's thread. */
#include <linux/kvm.h>

#include "hypercalls/calls.h"
#include "hypercalls/hypercalls.h"
#include "vmm/backend/msr.h"
#include "vmm/core/vcpu.h"

/* -EPERM and -EIO are the statuses of these names. */
_Static_assert(HL_EPERM == -1 && HL_EIO == -5, "errno");

/* Of entries with an MSR's number only: how many there are before one without. */
static unsigned int decode(struct kvm_msr_entry *msr,
			   const struct hl_list_entry *e, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr && !(e[i].a >> 32); i++)
		msr[i] = (struct kvm_msr_entry){ .index = (uint32_t)e[i].a,
						 .data = e[i].b };
	return i;
}

/* e[].b comes back as it was written, or as it was read. */
static unsigned int run(__typeof__(msr_write) *how, struct hypercalls *hc,
			struct hl_list_entry *e, unsigned int nr,
			int64_t *status)
{
	struct kvm_msr_entry msr[MSR_BATCH_MAX];
	unsigned int good = decode(msr, e, nr), done;
	int err = 0;

	done = how(hc->msrs, vcpu_self(), msr, good, &err);
	for (unsigned int i = 0; i < done; i++)
		e[i].b = msr[i].data;
	if (done < nr)
		*status = done < good ? err : HL_EINVAL;
	return done;
}

unsigned int msr_list_write(struct hypercalls *hc, const struct hl_call *c,
			    struct hl_list_entry *e, unsigned int nr,
			    int64_t *status)
{
	(void)c;
	return run(msr_write, hc, e, nr, status);
}

unsigned int msr_list_read(struct hypercalls *hc, const struct hl_call *c,
			   struct hl_list_entry *e, unsigned int nr,
			   int64_t *status)
{
	(void)c;
	return run(msr_read, hc, e, nr, status);
}
