// SPDX-License-Identifier: GPL-2.0-only
/* --yield auto|kvm|pull|lease|off[,rate=N] */
#include "vmm/cli/kv.h"
#include "vmm/cli/run.h"
#include "vmm/run_config.h"

static int set_how(void *ctx, const struct cli_arg *arg)
{
	static const char *const names[] = {
		[RUN_YIELD_AUTO] = "auto", [RUN_YIELD_KVM] = "kvm",
		[RUN_YIELD_PULL] = "pull", [RUN_YIELD_LEASE] = "lease",
		[RUN_YIELD_OFF] = "off",   NULL
	};
	struct run_yield *yield = ctx;
	unsigned int i;
	int err = cli_choice(arg, names, &i);

	if (!err)
		yield->how = i;
	return err;
}

static int set_rate(void *ctx, const struct cli_arg *arg)
{
	struct run_yield *yield = ctx;
	uint64_t n;
	int err = cli_uint(arg, 1, RUN_YIELD_RATE, &n);

	if (!err)
		yield->rate = (unsigned int)n;
	return err;
}

static const struct kv_key keys[] = {
	{ .name = "how", .set = set_how },
	{ .name = "rate", .set = set_rate },
};

int cli_run_yield(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;
	struct run_yield yield = { 0 };
	int err = kv_parse(arg, keys, sizeof(keys) / sizeof(keys[0]), &yield);

	if (err)
		return err;
	if (yield.rate &&
	    (yield.how == RUN_YIELD_OFF || yield.how == RUN_YIELD_KVM))
		return cli_bad(
			arg, "rate= is for calls that are answered here; drop "
			     "it, or write auto, pull or lease");
	cfg->yield = yield;
	return 0;
}
