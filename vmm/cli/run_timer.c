// SPDX-License-Identifier: GPL-2.0-only
/* --timer on|off[,halt=auto|call|exits] */
#include <stddef.h>
#include <string.h>

#include "vmm/cli/kv.h"
#include "vmm/cli/run.h"
#include "vmm/run_config.h"

static int set_halt(void *ctx, const struct cli_arg *arg)
{
	struct run_timer *timer = ctx;

	if (!strcmp(arg->val, "auto"))
		timer->halt_by_call = RUN_AUTO;
	else if (!strcmp(arg->val, "call"))
		timer->halt_by_call = RUN_ON;
	else if (!strcmp(arg->val, "exits"))
		timer->halt_by_call = RUN_OFF;
	else
		return cli_bad(arg,
			       "no such choice; write auto, call or exits");
	return 0;
}

static const struct kv_key keys[] = {
	{ .name = "mode",
	  .set = cli_set_off,
	  .at = offsetof(struct run_timer, off) },
	{ .name = "halt", .set = set_halt },
};

int cli_run_timer(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;
	struct run_timer timer = { 0 };
	int err = kv_parse(arg, keys, sizeof(keys) / sizeof(keys[0]), &timer);

	if (err)
		return err;
	if (timer.off && timer.halt_by_call != RUN_AUTO)
		return cli_bad(arg, "halt= is for a timer that is on; drop it "
				    "or off");
	cfg->timer = timer;
	return 0;
}
