// SPDX-License-Identifier: GPL-2.0-only
/* --disk FILE[,ro][,overlay=tmp][,queues=N][,aio=...][,direct=...][,...] */
#include <string.h>

#include "vmm/cli/kv.h"
#include "vmm/cli/run.h"
#include "vmm/run_config.h"

struct parse {
	struct run_config *cfg;
	struct run_disk *disk;
};

static int set_path(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;

	p->disk->path = run_config_own(p->cfg, strdup(arg->val));
	return 0;
}

static int set_ro(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;

	if (arg->val)
		return cli_onoff(arg, &p->disk->ro);
	p->disk->ro = true;
	return 0;
}

static int set_overlay(void *ctx, const struct cli_arg *arg)
{
	static const char *const names[] = { "off", "tmp", NULL };
	struct parse *p = ctx;
	unsigned int i;
	int err = cli_choice(arg, names, &i);

	if (!err)
		p->disk->overlay = i;
	return err;
}

static int set_format(void *ctx, const struct cli_arg *arg)
{
	static const char *const names[] = { "auto", "raw", NULL };
	struct parse *p = ctx;
	unsigned int i;
	int err = cli_choice(arg, names, &i);

	if (!err)
		p->disk->raw = i;
	return err;
}

static int set_queues(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;
	uint64_t n;
	int err = cli_uint(arg, 1, RUN_QUEUES, &n);

	if (!err)
		p->disk->queues = (unsigned int)n;
	return err;
}

static int set_aio(void *ctx, const struct cli_arg *arg)
{
	static const char *const names[] = { [RUN_AIO_AUTO] = "auto",
					     [RUN_AIO_URING] = "io_uring",
					     [RUN_AIO_LIBAIO] = "libaio",
					     NULL };
	struct parse *p = ctx;
	unsigned int i;
	int err = cli_choice(arg, names, &i);

	if (!err)
		p->disk->aio = i;
	return err;
}

static int set_direct(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;

	return cli_onoff(arg, &p->disk->direct);
}

static int set_serial(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;
	size_t len = strlen(arg->val);

	if (!len || len > RUN_SERIAL_LEN)
		return cli_bad(arg, "%s; write 1 to %d characters",
			       len ? "too long" : "empty", RUN_SERIAL_LEN);
	for (size_t i = 0; i < len; i++)
		if (arg->val[i] <= ' ' || arg->val[i] > '~')
			return cli_bad(arg,
				       "has a character that a serial number "
				       "cannot have; write visible ASCII");
	memcpy(p->disk->serial, arg->val, len + 1);
	return 0;
}

static const struct kv_key keys[] = {
	{ .name = "path", .set = set_path },
	{ .name = "ro", .word = true, .set = set_ro },
	{ .name = "overlay", .set = set_overlay },
	{ .name = "format", .set = set_format },
	{ .name = "queues", .set = set_queues },
	{ .name = "aio", .set = set_aio },
	{ .name = "direct", .set = set_direct },
	{ .name = "serial", .set = set_serial },
};

int cli_run_disk(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;
	struct parse p = { .cfg = cfg };
	int err;

	if (cfg->nr_disks == RUN_DISKS)
		return cli_bad(arg, "too many disks; a machine has at most %d",
			       RUN_DISKS);
	p.disk = &cfg->disk[cfg->nr_disks];
	err = kv_parse(arg, keys, sizeof(keys) / sizeof(keys[0]), &p);
	if (err)
		return err;
	if (!p.disk->path)
		return cli_bad(arg, "names no file; write FILE first");
	if (p.disk->ro && p.disk->overlay)
		return cli_bad(
			arg,
			"ro and overlay=tmp exclude each other: an overlay "
			"never writes to the file anyway; drop ro");
	cfg->nr_disks++;
	return 0;
}
