// SPDX-License-Identifier: GPL-2.0-only
/* Calls to test and to measure the line: include/hotline/test.h. */
#include "include/hotline/test.h"

#include "hypercalls/calls.h"
#include "hypercalls/hypercalls.h"
#include "vmm/backend/selftest.h"
#include "vmm/core/vcpu.h"

int64_t test_count(struct hypercalls *hc, const struct hl_call *c)
{
	return (int64_t)selftest_add(hc->test, c->arg[0]);
}

unsigned int test_sum(struct hypercalls *hc, const struct hl_call *c,
		      struct hl_list_entry *e, unsigned int nr, int64_t *status)
{
	uint64_t sum = 0;

	(void)c, (void)status;
	for (unsigned int i = 0; i < nr; i++)
		sum += e[i].a ^ e[i].b;
	selftest_add(hc->test, sum);
	return nr;
}

unsigned int test_invert(struct hypercalls *hc, const struct hl_call *c,
			 struct hl_list_entry *e, unsigned int nr,
			 int64_t *status)
{
	unsigned int i;

	(void)hc, (void)c;
	for (i = 0; i < nr && e[i].a; i++)
		e[i].b = ~e[i].a;
	if (i < nr)
		*status = HL_EINVAL;
	return i;
}

int64_t test_delay(struct hypercalls *hc, const struct hl_call *c)
{
	if (c->arg[0] > HL_TEST_DELAY_MAX || (int64_t)c->arg[1] < 0)
		return HL_EINVAL;
	selftest_delay(hc->test, c->arg[0]);
	return (int64_t)c->arg[1];
}

int64_t test_wait(struct hypercalls *hc, const struct hl_call *c)
{
	if (c->arg[0] >= HL_TEST_CELLS || c->arg[1] > HL_TEST_WAIT_MAX)
		return HL_EINVAL;
	return selftest_wait(hc->test, (unsigned int)c->arg[0], c->arg[1]);
}

int64_t test_wake(struct hypercalls *hc, const struct hl_call *c)
{
	if (c->arg[0] >= HL_TEST_CELLS)
		return HL_EINVAL;
	selftest_wake(hc->test, (unsigned int)c->arg[0]);
	return 0;
}

int64_t test_exits(struct hypercalls *hc, const struct hl_call *c)
{
	(void)hc, (void)c;
	return selftest_exits(vcpu_self());
}
