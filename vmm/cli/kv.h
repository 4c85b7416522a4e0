/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VALUE[,KEY=VALUE|,WORD]... lists of an option.  ",," is a comma inside a
 * value.
 */
#ifndef CLI_KV_H
#define CLI_KV_H

#include "vmm/cli/cli.h"

struct kv_key {
	const char *name;
	bool word; /* may stand without =VALUE; val is then NULL */
	bool many; /* may come more than once */
	/* arg->key is name; arg->val lives only as long as the call. */
	int (*set)(void *ctx, const struct cli_arg *arg);
	size_t at; /* offset of the field in ctx */
};

/*
 * Calls the set() of each item in order.  A first item that does not begin
 * with a known KEY= is the value of keys[0].  0, or the first non-zero result
 * (EXIT_USAGE after cli_bad() if the list itself is wrong).
 */
int kv_parse(const struct cli_arg *arg, const struct kv_key *keys,
	     unsigned int nr_keys, void *ctx);

#endif
