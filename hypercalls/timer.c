// SPDX-License-Identifier: GPL-2.0-only
/*
 * The deadline timer's calls: include/hotline/timer.h.  Any deadline is good.
 * The vCPU is the one whose thread this is.
 */
#include "include/hotline/timer.h"

#include "hypercalls/calls.h"
#include "vmm/backend/halt.h"
#include "vmm/backend/timer.h"
#include "vmm/core/vcpu.h"

int64_t timer_call_set(struct hypercalls *hc, const struct hl_call *c)
{
	(void)hc;
	return timer_set(vcpu_self(), c->arg[0]) ? HL_EIO : 0;
}

int64_t timer_call_halt(struct hypercalls *hc, const struct hl_call *c)
{
	struct vcpu *vcpu = vcpu_self();

	(void)hc;
	if (timer_set(vcpu, c->arg[0]) || halt_vcpu(vcpu, true))
		return HL_EIO;
	return 0;
}
