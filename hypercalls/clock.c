// SPDX-License-Identifier: GPL-2.0-only
/* The host's time by a call: include/hotline/clock.h. */
#include "include/hotline/clock.h"

#include "hypercalls/calls.h"
#include "hypercalls/hypercalls.h"
#include "vmm/backend/clock.h"

int64_t clock_call_read(struct hypercalls *hc, const struct hl_call *c)
{
	(void)c;
	return (int64_t)clock_read(hc->clock);
}

int64_t clock_call_wall(struct hypercalls *hc, const struct hl_call *c)
{
	(void)hc, (void)c;
	return (int64_t)clock_wall();
}
