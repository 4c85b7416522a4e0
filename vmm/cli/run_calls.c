// SPDX-License-Identifier: GPL-2.0-only
/* --hypercalls on|off|test[,vmcall=on|off][,rings=N][,workers=N][,test] */
#include <stddef.h>
#include <string.h>

#include "vmm/cli/kv.h"
#include "vmm/cli/run.h"
#include "vmm/run_config.h"

static int set_mode(void *ctx, const struct cli_arg *arg)
{
	struct run_line *line = ctx;

	/* A first word is taken for the mode, this one too. */
	if (!strcmp(arg->val, "test")) {
		line->test = true;
		return 0;
	}
	if (strcmp(arg->val, "on") && strcmp(arg->val, "off"))
		return cli_bad(arg, "no such choice; write on, off, or "
				    "KEY=VALUE (`hotline help run`)");
	line->off = !strcmp(arg->val, "off");
	return 0;
}

static int set_vmcall(void *ctx, const struct cli_arg *arg)
{
	struct run_line *line = ctx;
	bool on;
	int err = cli_onoff(arg, &on);

	if (!err)
		line->vmcall = on ? RUN_ON : RUN_OFF;
	return err;
}

static int set_test(void *ctx, const struct cli_arg *arg)
{
	struct run_line *line = ctx;

	line->test = true;
	return arg->val ? cli_onoff(arg, &line->test) : 0;
}

static int set_rings(void *ctx, const struct cli_arg *arg)
{
	struct run_line *line = ctx;
	uint64_t n;
	int err = cli_uint(arg, 0, RUN_RINGS, &n);

	line->said_rings = true;
	if (!err)
		line->rings = (unsigned int)n;
	return err;
}

static int set_workers(void *ctx, const struct cli_arg *arg)
{
	struct run_line *line = ctx;
	uint64_t n;
	int err = cli_uint(arg, 1, RUN_WORKERS, &n);

	if (!err)
		line->workers = (unsigned int)n;
	return err;
}

static const struct kv_key keys[] = {
	{ .name = "mode", .set = set_mode },
	{ .name = "vmcall", .set = set_vmcall },
	{ .name = "rings", .set = set_rings },
	{ .name = "workers", .set = set_workers },
	{ .name = "test", .word = true, .set = set_test },
};

int cli_run_calls(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;
	struct run_line line = { 0 };
	int err = kv_parse(arg, keys, sizeof(keys) / sizeof(keys[0]), &line);

	if (err)
		return err;
	if (line.off && (line.vmcall != RUN_AUTO || line.test ||
			 line.said_rings || line.workers))
		return cli_bad(arg,
			       "off takes nothing else; write --hypercalls off "
			       "alone");
	if (line.said_rings && !line.rings && line.workers)
		return cli_bad(arg,
			       "workers= is for rings; drop it or rings=0");
	cfg->line = line;
	return 0;
}
