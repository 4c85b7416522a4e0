// SPDX-License-Identifier: GPL-2.0-only
/* Splits VALUE[,KEY=VALUE]... and hands the items to their setters. */
#include "vmm/cli/kv.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#define KEYS 32

/*
 * Cuts the first item off *rest, in place: ",," becomes "," and a single ","
 * ends the item.  *rest is NULL behind the last one.
 */
static char *cut(char **rest)
{
	char *item = *rest, *in = item, *out = item;

	while (*in) {
		if (*in == ',') {
			if (in[1] != ',')
				break;
			in++;
		}
		*out++ = *in++;
	}
	*rest = *in ? in + 1 : NULL;
	*out = '\0';
	return item;
}

static int find(const struct kv_key *keys, unsigned int nr, const char *name,
		size_t len)
{
	for (unsigned int i = 0; i < nr; i++)
		if (strlen(keys[i].name) == len &&
		    !memcmp(keys[i].name, name, len))
			return (int)i;
	return -1;
}

static int unknown(const struct cli_arg *arg, const struct kv_key *keys,
		   unsigned int nr, const char *item, size_t len)
{
	const char *names[KEYS], *near;
	char all[200] = "", word[64];

	snprintf(word, sizeof(word), "%.*s", (int)len, item);
	for (unsigned int i = 0; i < nr && i < KEYS; i++) {
		size_t at = strlen(all);

		names[i] = keys[i].name;
		snprintf(all + at, sizeof(all) - at, "%s%s", i ? ", " : "",
			 names[i]);
	}
	near = cli_nearest(word, names, nr < KEYS ? nr : KEYS);
	if (near)
		return cli_bad(arg, "unknown key \"%s\"; did you mean \"%s\"?",
			       word, near);
	return cli_bad(arg,
		       "unknown key \"%s\"; known are %s (a comma in a file "
		       "name is written twice)",
		       word, all);
}

static int set_item(const struct cli_arg *arg, const struct kv_key *keys,
		    unsigned int nr, void *ctx, char *item, bool first,
		    uint32_t *seen)
{
	char *eq = strchr(item, '=');
	size_t len = eq ? (size_t)(eq - item) : strlen(item);
	int i = find(keys, nr, item, len);
	struct cli_arg sub = *arg;

	if (first && (i < 0 || !eq)) {
		i = 0;
		sub.val = item;
	} else if (i < 0) {
		return unknown(arg, keys, nr, item, len);
	} else {
		sub.val = eq ? eq + 1 : NULL;
	}
	sub.key = keys[i].name;
	sub.field = (char *)ctx + keys[i].at;
	if (!sub.val && !keys[i].word)
		return cli_bad(arg, "\"%s\" needs a value; write %s=...", item,
			       item);
	if (*seen >> i & 1 && !keys[i].many)
		return cli_bad(arg, "\"%s\" is there twice; leave one away",
			       keys[i].name);
	*seen |= 1u << i;
	return keys[i].set(ctx, &sub);
}

int kv_parse(const struct cli_arg *arg, const struct kv_key *keys,
	     unsigned int nr_keys, void *ctx)
{
	char *text = strdup(arg->val), *rest = text;
	bool first = true;
	uint32_t seen = 0;
	int err = 0;

	if (!text)
		die(EXIT_OSERR, "out of memory");
	while (rest && !err) {
		char *item = cut(&rest);

		if (!*item)
			err = cli_bad(arg,
				      "empty %s; leave the comma away or put "
				      "something there",
				      *arg->val ? "item" : "value");
		else
			err = set_item(arg, keys, nr_keys, ctx, item, first,
				       &seen);
		first = false;
	}
	free(text);
	return err;
}
