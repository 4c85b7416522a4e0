// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `hotline run` uses when it was not told: $HOTLINE_KERNEL and
 * $HOTLINE_INITRD, or what `make install` put into HL_LIBDIR.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/cli/run.h"
#include "vmm/core/exitcode.h"
#include "vmm/run_config.h"

#ifndef HL_LIBDIR
#define HL_LIBDIR "/usr/local/lib/hotline"
#endif

static int missing(const char *var, const char *path)
{
	int err = errno;

	error("$%s=%s: %s; correct or unset the variable", var, path,
	      strerror(err));
	return err == EACCES ? EXIT_NOPERM : EXIT_NOINPUT;
}

/* The variable's file, or the installed one if there is one, or NULL. */
static int find(const char *var, const char *installed, const char **out)
{
	const char *path = getenv(var);

	*out = NULL;
	if (path && *path) {
		if (access(path, R_OK) < 0)
			return missing(var, path);
		*out = path;
	} else if (access(installed, R_OK) == 0) {
		*out = installed;
	}
	return 0;
}

int cli_run_defaults(struct run_config *cfg)
{
	bool own_kernel = !cfg->kernel;
	int err;

	if (cfg->watchdog_s && cfg->console == RUN_CONSOLE_OFF) {
		error("--watchdog %u: there is no output to watch with "
		      "--console off; drop one",
		      cfg->watchdog_s);
		return EXIT_USAGE;
	}
	if (own_kernel) {
		err = find("HOTLINE_KERNEL", HL_LIBDIR "/vmlinux",
			   &cfg->kernel);
		if (err)
			return err;
	}
	if (!cfg->kernel) {
		error("no kernel: give one with -k FILE or in $HOTLINE_KERNEL, "
		      "or install the default one as %s (README.md, "
		      "\"Install\")",
		      HL_LIBDIR "/vmlinux");
		return EXIT_NOINPUT;
	}
	/* Our initramfs goes with our kernel, and holds what runs a command. */
	if (!cfg->initrd && (own_kernel || cfg->command)) {
		err = find("HOTLINE_INITRD", HL_LIBDIR "/initramfs.cpio",
			   &cfg->initrd);
		if (err)
			return err;
	}
	if (cfg->initrd && !strcmp(cfg->initrd, "none"))
		cfg->initrd = NULL;
	if (!cfg->nr_nets && !cfg->no_net)
		cfg->nr_nets = 1; /* all zero: user mode, no forwarding */
	return 0;
}
