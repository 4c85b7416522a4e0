// SPDX-License-Identifier: GPL-2.0-only
/* Parsing a command line and catching what is said about it. */
#include "tests/unit/lib_cli.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/cli/run.h"

#define MAX_ARGS 64

struct run_config cfg;
char said[4096];

int capture(int fd)
{
	int old = dup(fd), mem = memfd_create("said", 0);

	ck_assert(old >= 0 && mem >= 0);
	ck_assert(dup2(mem, fd) == fd);
	close(mem);
	return old;
}

void release(int fd, int old)
{
	ssize_t n;

	fflush(stdout);
	n = pread(fd, said, sizeof(said) - 1, 0);
	said[n < 0 ? 0 : n] = '\0';
	ck_assert(dup2(old, fd) == fd);
	close(old);
}

int parse(const char *line)
{
	static char text[1024];
	char *argv[MAX_ARGS + 1] = { "run" }, *save = NULL, *p;
	int argc = 1, old, err;

	run_config_exit(&cfg);
	run_config_init(&cfg);
	snprintf(text, sizeof(text), "%s", line);
	for (p = strtok_r(text, " ", &save); p && argc < MAX_ARGS;
	     p = strtok_r(NULL, " ", &save)) {
		for (char *c = p; *c; c++)
			if (*c == '_')
				*c = ' ';
		argv[argc++] = p;
	}
	old = capture(STDERR_FILENO);
	err = cli_run_parse(&cfg, argc, argv);
	release(STDERR_FILENO, old);
	return err;
}

void good(const char *line)
{
	int err = parse(line);

	ck_assert_msg(err == 0, "%s: %d: %s", line, err, said);
	ck_assert_msg(!said[0], "%s: %s", line, said);
}

void cli_setup(void)
{
	setenv("HOTLINE_KERNEL", "/dev/null", 1);
	setenv("HOTLINE_INITRD", "/dev/zero", 1);
	run_config_init(&cfg);
}

void cli_teardown(void)
{
	run_config_exit(&cfg);
}
