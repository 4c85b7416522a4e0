// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of the processor, which the kernel sets anew as it goes from one
 * counted process to another.
 *
 *   perf switches N    two processes hand a byte to each other N times, with
 *                      EVENTS counted of each, as `perf stat` does
 */
#include "guest.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS (sizeof(events) / sizeof(events[0]))

static const uint64_t events[] = {
	PERF_COUNT_HW_CPU_CYCLES,	PERF_COUNT_HW_INSTRUCTIONS,
	PERF_COUNT_HW_CACHE_REFERENCES, PERF_COUNT_HW_CACHE_MISSES,
	PERF_COUNT_HW_BRANCH_MISSES,	PERF_COUNT_HW_BRANCH_INSTRUCTIONS,
};

static int count(pid_t pid, uint64_t event)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = event,
		.exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

/* How many of them could be counted; closed as this process ends. */
static unsigned int count_all(pid_t pid, int *fd)
{
	unsigned int n = 0;

	for (size_t i = 0; i < EVENTS; i++) {
		fd[n] = count(pid, events[i]);
		n += fd[n] >= 0;
	}
	return n;
}

static void close_all(const int *fd, unsigned int n)
{
	while (n--)
		close(fd[n]);
}

static void echo(int in, int out)
{
	char c;

	while (read(in, &c, 1) == 1)
		if (write(out, &c, 1) != 1)
			break;
	_exit(0);
}

static int switches(int in, int out, uint64_t n)
{
	char c = 0;

	while (n--)
		if (write(out, &c, 1) != 1 || read(in, &c, 1) != 1)
			return guest_fail("perf: %s", strerror(errno));
	return 0;
}

static int measure(struct guest_result *r, const int *to, const int *from,
		   pid_t pid)
{
	int fd[2 * EVENTS], err;
	unsigned int n = count_all(0, fd);
	uint64_t start;

	if (!n)
		return guest_lacks("PMU");
	n += count_all(pid, fd + n);
	start = guest_now();
	err = switches(from[0], to[1], r->ops);
	r->ns = guest_now() - start;
	close_all(fd, n);
	return err;
}

int guest_perf(char *argv[], unsigned int argc, struct guest_result *r)
{
	int to[2], from[2], err;
	pid_t pid;

	(void)argc;
	if (strcmp(argv[0], "switches"))
		return guest_fail("perf: no way \"%s\"", argv[0]);
	r->ops = strtoull(argv[1], NULL, 10);
	if (pipe(to) || pipe(from))
		return guest_fail("perf: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		close(to[1]);
		echo(to[0], from[1]);
	}
	err = pid < 0 ? guest_fail("perf: %s", strerror(errno))
		      : measure(r, to, from, pid);
	close(to[0]);
	close(to[1]);
	close(from[0]);
	close(from[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return err;
}
