// SPDX-License-Identifier: GPL-2.0-only
/* The calls that manage rings: include/hotline/async.h. */
#include "hypercalls/calls.h"
#include "hypercalls/hypercalls.h"
#include "hypercalls/ring.h"

int64_t async_open(struct hypercalls *hc, const struct hl_call *c)
{
	return rings_open(hc->rings, c->arg[0], c->arg[1], c->arg[2]);
}

int64_t async_close(struct hypercalls *hc, const struct hl_call *c)
{
	return rings_close(hc->rings, c->arg[0]);
}

int64_t async_cancel(struct hypercalls *hc, const struct hl_call *c)
{
	return rings_cancel(hc->rings, c->arg[0], c->arg[1]);
}
