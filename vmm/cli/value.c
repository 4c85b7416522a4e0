// SPDX-License-Identifier: GPL-2.0-only
/* Numbers, sizes and choices on the command line, and complaints about them. */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "vmm/cli/cli.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

int cli_bad(const struct cli_arg *arg, const char *fmt, ...)
{
	const char *whole = arg->whole ? arg->whole : "";
	const char *quote = arg->whole && (!*whole || strchr(whole, ' ')) ? "\""
									  : "";
	char msg[512], where[256] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (arg->key && arg->val && strcmp(arg->val, whole))
		snprintf(where, sizeof(where), "%s=%s: ", arg->key, arg->val);
	error("%s%s%s%.300s%s: %s%s", arg->opt, arg->whole ? " " : "", quote,
	      whole, quote, where, msg);
	return EXIT_USAGE;
}

/* Decimal digits at s; where they end, or NULL if none or too many. */
static const char *digits(const char *s, uint64_t *out, bool *overflow)
{
	uint64_t n = 0;
	const char *p;

	*overflow = false;
	for (p = s; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			*overflow = true;
	*out = n;
	return p == s ? NULL : p;
}

int cli_uint(const struct cli_arg *arg, uint64_t min, uint64_t max,
	     uint64_t *out)
{
	bool overflow;
	uint64_t n;
	const char *end = digits(arg->val, &n, &overflow);

	if (!end || *end)
		return cli_bad(
			arg, "not a whole number; write one from %llu to %llu",
			(unsigned long long)min, (unsigned long long)max);
	if (overflow || n < min || n > max)
		return cli_bad(arg, "too %s; write a number from %llu to %llu",
			       !overflow && n < min ? "small" : "large",
			       (unsigned long long)min,
			       (unsigned long long)max);
	*out = n;
	return 0;
}

/* "", "K", "KB", "KiB" and so on: log2 of the unit, or -1. */
static int unit_shift(const char *s)
{
	static const char units[] = "KMGTP";
	const char *u;

	if (!*s)
		return 20;
	if (!strcasecmp(s, "B"))
		return 0;
	u = strchr(units, toupper((unsigned char)*s));
	if (!u || (s[1] && strcasecmp(s + 1, "B") && strcasecmp(s + 1, "iB")))
		return -1;
	return 10 * (int)(u - units + 1);
}

/* "16M"; the largest unit that leaves a whole number. */
static const char *size_text(uint64_t bytes, char *buf, size_t len)
{
	static const char units[] = "BKMGTP";
	unsigned int u = 0;

	while (bytes && !(bytes & 1023) && u < 5) {
		bytes >>= 10;
		u++;
	}
	snprintf(buf, len, "%llu%c", (unsigned long long)bytes, units[u]);
	return buf;
}

int cli_size(const struct cli_arg *arg, uint64_t min, uint64_t max,
	     uint64_t *out)
{
	char lo[32], hi[32];
	bool overflow;
	uint64_t n;
	const char *end = digits(arg->val, &n, &overflow);
	int shift = end ? unit_shift(end) : -1;

	size_text(min, lo, sizeof(lo));
	size_text(max, hi, sizeof(hi));
	if (shift < 0)
		return cli_bad(arg,
			       "not a size; write a whole number with K, M, G "
			       "or T, e.g. 512M (without a unit: MiB)");
	if (overflow || n > UINT64_MAX >> shift || n << shift > max)
		return cli_bad(arg, "too large; write a size from %s to %s", lo,
			       hi);
	n <<= shift;
	if (n < min)
		return cli_bad(arg, "too small; write a size from %s to %s", lo,
			       hi);
	if (n & 4095)
		return cli_bad(arg, "not a multiple of the page size; write a "
				    "multiple of 4K");
	*out = n;
	return 0;
}

int cli_choice(const struct cli_arg *arg, const char *const *names,
	       unsigned int *out)
{
	char all[128] = "";
	unsigned int i;

	for (i = 0; names[i]; i++) {
		size_t at = strlen(all);

		if (!strcmp(arg->val, names[i])) {
			*out = i;
			return 0;
		}
		snprintf(all + at, sizeof(all) - at, "%s%s",
			 !i		? ""
			 : names[i + 1] ? ", "
					: " or ",
			 names[i]);
	}
	return cli_bad(arg, "no such choice; write %s", all);
}

int cli_onoff(const struct cli_arg *arg, bool *out)
{
	static const char *const names[] = { "off", "on", NULL };
	unsigned int i;
	int err = cli_choice(arg, names, &i);

	if (!err)
		*out = i;
	return err;
}

int cli_set_true(void *ctx, const struct cli_arg *arg)
{
	(void)ctx;
	*(bool *)arg->field = true;
	return 0;
}

int cli_set_onoff(void *ctx, const struct cli_arg *arg)
{
	(void)ctx;
	return cli_onoff(arg, arg->field);
}

int cli_set_off(void *ctx, const struct cli_arg *arg)
{
	bool on;
	int err = cli_onoff(arg, &on);

	(void)ctx;
	if (!err)
		*(bool *)arg->field = !on;
	return err;
}

int cli_set_path(void *ctx, const struct cli_arg *arg)
{
	(void)ctx;
	if (!*arg->val)
		return cli_bad(arg, "names no file; write a path");
	*(const char **)arg->field = arg->val;
	return 0;
}
