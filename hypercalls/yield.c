// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directed yields: include/hotline/yield.h.  The caller is the vCPU whose
 * thread this is.
 */
#include "include/hotline/yield.h"

#include "hypercalls/calls.h"
#include "hypercalls/hypercalls.h"
#include "vmm/backend/halt.h"
#include "vmm/backend/yield.h"
#include "vmm/core/vcpu.h"

/* The backend's errors are the statuses of these names. */
_Static_assert(HL_EPERM == -1 && HL_ENOENT == -2 && HL_EAGAIN == -11 &&
		       HL_EFAULT == -14 && HL_EINVAL == -22,
	       "errno");

int64_t yield_call_to(struct hypercalls *hc, const struct hl_call *c)
{
	struct vcpu *vcpu = vcpu_self();

	return vcpu ? yield_to(hc->yield, vcpu, c->arg[0], false) : HL_EIO;
}

int64_t yield_call_halt(struct hypercalls *hc, const struct hl_call *c)
{
	struct vcpu *vcpu = vcpu_self();
	int64_t r;

	if (c->arg[1] & ~(uint64_t)HL_YIELD_IRQ)
		return HL_EINVAL;
	if (!vcpu)
		return HL_EIO;
	r = yield_to(hc->yield, vcpu, c->arg[0], true);
	if (r < 0)
		return r;
	return halt_vcpu(vcpu, c->arg[1] & HL_YIELD_IRQ) ? HL_EIO : r;
}

int64_t yield_call_page(struct hypercalls *hc, const struct hl_call *c)
{
	return yield_set_page(hc->yield, c->arg[0]);
}
