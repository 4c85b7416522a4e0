// SPDX-License-Identifier: GPL-2.0-only
/* --clock on|off[,period=MS] */
#include <stddef.h>

#include "vmm/cli/kv.h"
#include "vmm/cli/run.h"
#include "vmm/run_config.h"

static int set_period(void *ctx, const struct cli_arg *arg)
{
	struct run_clock *clock = ctx;
	uint64_t ms;
	int err = cli_uint(arg, 1, RUN_PERIOD_MS, &ms);

	if (!err)
		clock->period_ms = (unsigned int)ms;
	return err;
}

static const struct kv_key keys[] = {
	{ .name = "mode",
	  .set = cli_set_off,
	  .at = offsetof(struct run_clock, off) },
	{ .name = "period", .set = set_period },
};

int cli_run_clock(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;
	struct run_clock clock = { 0 };
	int err = kv_parse(arg, keys, sizeof(keys) / sizeof(keys[0]), &clock);

	if (err)
		return err;
	if (clock.off && clock.period_ms)
		return cli_bad(arg, "off takes nothing else; write --clock off "
				    "alone");
	cfg->clock = clock;
	return 0;
}
