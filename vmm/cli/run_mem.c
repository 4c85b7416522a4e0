// SPDX-License-Identifier: GPL-2.0-only
/* --mem SIZE[,backing=...][,thp=...][,prealloc=...] */
#include "vmm/cli/kv.h"
#include "vmm/cli/run.h"
#include "vmm/run_config.h"

static int set_size(void *ctx, const struct cli_arg *arg)
{
	struct mem_options *mem = ctx;

	return cli_size(arg, RUN_MEM_MIN, RUN_MEM_MAX, &mem->size);
}

static int set_backing(void *ctx, const struct cli_arg *arg)
{
	static const char *const names[] = {
		[MEM_AUTO] = "auto", [MEM_ANON] = "anon", [MEM_MEMFD] = "memfd", NULL
	};
	struct mem_options *mem = ctx;
	unsigned int i;
	int err = cli_choice(arg, names, &i);

	if (!err)
		mem->backing = i;
	return err;
}

static const struct kv_key keys[] = {
	{ .name = "size", .set = set_size },
	{ .name = "backing", .set = set_backing },
	{ .name = "thp",
	  .set = cli_set_off,
	  .at = offsetof(struct mem_options, no_thp) },
	{ .name = "prealloc",
	  .set = cli_set_onoff,
	  .at = offsetof(struct mem_options, prealloc) },
};

int cli_run_mem(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;

	return kv_parse(arg, keys, sizeof(keys) / sizeof(keys[0]), &cfg->mem);
}
