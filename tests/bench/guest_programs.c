// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of Debian's that put a load on locks, as processes of their own; the
 * time is what they say themselves that it took, without their start.
 *
 *   program NAME THREADS
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS 12

/* %s in an argument: how many threads; says: what stands before the seconds. */
static const struct load {
	const char *name, *says;
	const char *argv[WORDS];
} loads[] = {
	{ "hackbench",
	  "Time:",
	  { "/bin/hackbench", "-g", "2", "-f", "3", "-l", "600", NULL } },
	{ "sysbench-threads",
	  "total time:",
	  { "/bin/sysbench", "threads", "--threads=%s", "--time=0",
	    "--events=2000", "--thread-yields=20", "--thread-locks=2", "run",
	    NULL } },
	{ "sysbench-mutex",
	  "total time:",
	  { "/bin/sysbench", "mutex", "--threads=%s", "--mutex-num=1",
	    "--mutex-locks=20000", "--mutex-loops=300", "run", NULL } },
};

static void become(const struct load *load, const char *threads, int out)
{
	static char text[WORDS][64];
	char *argv[WORDS];
	int i;

	for (i = 0; load->argv[i]; i++) {
		const char *at = strstr(load->argv[i], "%s");
		int n = at ? (int)(at - load->argv[i])
			   : (int)strlen(load->argv[i]);

		snprintf(text[i], sizeof(text[i]), "%.*s%s", n, load->argv[i],
			 at ? threads : "");
		argv[i] = text[i];
	}
	argv[i] = NULL;
	dup2(out, 1);
	dup2(out, 2);
	close(0);
	execv(argv[0], argv);
	_exit(127);
}

static uint64_t ns_said(const char *line, const char *says)
{
	const char *at = strstr(line, says);

	return at ? (uint64_t)(strtod(at + strlen(says), NULL) * 1e9) : 0;
}

/* Its standard output, to the end; the last line is kept for messages. */
static uint64_t hear(int fd, const char *says, char *last, size_t size)
{
	FILE *f = fdopen(fd, "r");
	char line[256];
	uint64_t ns = 0;

	while (f && fgets(line, sizeof(line), f)) {
		uint64_t said = ns_said(line, says);

		ns = said ? said : ns;
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			snprintf(last, size, "%s", line);
	}
	if (f)
		fclose(f);
	return ns;
}

static int run(const struct load *load, const char *threads,
	       struct guest_result *r)
{
	char last[256] = "";
	int fds[2], status = -1;
	uint64_t begun = guest_now();
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return guest_fail("program: %s", strerror(errno));
	pid = fork();
	if (!pid)
		become(load, threads, fds[1]);
	close(fds[1]);
	r->ns = hear(fds[0], load->says, last, sizeof(last));
	waitpid(pid, &status, 0);
	r->waited = guest_now() - begun;
	r->waited = r->waited > r->ns ? r->waited - r->ns : 0;
	r->ops = 1;
	if (status || !r->ns)
		return guest_fail("%s: status %d: %s", load->name, status,
				  last);
	return 0;
}

int guest_program(char *argv[], unsigned int argc, struct guest_result *r)
{
	(void)argc;
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		if (!strcmp(argv[0], loads[i].name))
			return run(&loads[i], argv[1], r);
	return guest_fail("program: no \"%s\"", argv[0]);
}
