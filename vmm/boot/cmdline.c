// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel command line.  A later parameter wins in Linux, so ours come
 * first; only console= adds up and is left out when the user gives one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/boot/boot.h"

enum when { ALWAYS, ONE_CPU, WITH_ACPI };

static const struct {
	const char *text;
	enum when when;
} defaults[] = {
	/* Each console line is an exit or more. */
	{ "quiet", ALWAYS },
	/* A panic is reported by pvpanic and ends the machine at once. */
	{ "panic=-1", ALWAYS },
	/*
	 * Port 0x64 is our reset line with or without ACPI; a triple fault
	 * then is always an accident.
	 */
	{ "reboot=k", ALWAYS },
	/* The host vouches for the TSC: no watchdog to check it against. */
	{ "tsc=reliable", ALWAYS },
	/* Rewriting all lock prefixes costs more than one CPU gains. */
	{ "noreplace-smp", ONE_CPU },
	/*
	 * There is none; looking for it costs 230 exits.  A kernel that boots
	 * from a tree has no PCI code, and would hand the word to init.
	 */
	{ "pci=off", WITH_ACPI },
};

static bool applies(enum when when, const struct cmdline_options *opt)
{
	switch (when) {
	case ONE_CPU:
		return opt->cpus == 1;
	case WITH_ACPI:
		return opt->tables == BOOT_ACPI;
	default:
		return true;
	}
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Whether s has a parameter that begins with prefix.  As in the kernel, double
 * quotes protect spaces and what follows "--" belongs to init.
 */
static bool has_param(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	while (*s) {
		bool quoted = false;
		const char *word;

		while (is_space(*s))
			s++;
		word = s;
		while (*s && (quoted || !is_space(*s)))
			if (*s++ == '"')
				quoted = !quoted;
		if (s - word == 2 && !strncmp(word, "--", 2))
			return false;
		if (*word == '"')
			word++;
		if (!strncmp(word, prefix, len))
			return true;
	}
	return false;
}

static void put_defaults(FILE *f, const struct cmdline_options *opt)
{
	if (opt->console && !has_param(opt->user ? opt->user : "", "console="))
		fprintf(f, "console=%s ", opt->console);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (applies(defaults[i].when, opt))
			fprintf(f, "%s ", defaults[i].text);
	if (opt->tty)
		fputs("hotline.tty ", f);
	if (opt->root)
		fprintf(f, "root=%s %s ", opt->root,
			opt->root_ro ? "ro" : "rw");
}

char *cmdline_build(const struct cmdline_options *opt)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&buf, &len);

	if (!f)
		return NULL;
	put_defaults(f, opt);
	if (opt->user)
		fputs(opt->user, f);
	if (fclose(f)) {
		free(buf);
		return NULL;
	}
	while (len && is_space(buf[len - 1]))
		buf[--len] = '\0';
	return buf;
}
