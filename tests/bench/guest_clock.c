// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the time.
 *
 *   time SOURCE HOW N    N times from the kernel's clocksource SOURCE; HOW:
 *                        vdso     clock_gettime() as programs call it
 *                        syscall  the same without the vDSO
 *                        counter  RDTSC alone
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define SOURCE                                                                 \
	"/sys/devices/system/clocksource/clocksource0/current_clocksource"

static int choose(const char *source)
{
	char now[32] = "";
	int fd = open(SOURCE, O_RDWR);
	ssize_t n = -1;

	if (fd < 0) {
		mkdir("/sys", 0755);
		mount("sysfs", "/sys", "sysfs", 0, NULL);
		fd = open(SOURCE, O_RDWR);
	}
	if (fd < 0)
		return guest_fail(SOURCE ": %s", strerror(errno));
	/* A name that it does not know is no error. */
	if (write(fd, source, strlen(source)) > 0)
		n = pread(fd, now, sizeof(now) - 1, 0);
	close(fd);
	if (n > 0)
		now[strcspn(now, "\n")] = '\0';
	if (n <= 0 || strcmp(now, source))
		return guest_fail("no clocksource %s: it stays %s", source,
				  now);
	return 0;
}

static void by_vdso(uint64_t n)
{
	struct timespec t;

	while (n--)
		clock_gettime(CLOCK_MONOTONIC, &t);
}

static void by_syscall(uint64_t n)
{
	struct timespec t;

	while (n--)
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
}

static void by_counter(uint64_t n)
{
	while (n--)
		__rdtsc();
}

int guest_clock(char *argv[], unsigned int argc, struct guest_result *r)
{
	static const struct {
		const char *name;
		void (*read)(uint64_t n);
	} ways[] = {
		{ "vdso", by_vdso },
		{ "syscall", by_syscall },
		{ "counter", by_counter },
	};
	uint64_t start;

	(void)argc;
	if (choose(argv[0]))
		return -1;
	r->ops = strtoull(argv[2], NULL, 10);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[1], ways[i].name))
			continue;
		start = guest_now();
		ways[i].read(r->ops);
		r->ns = guest_now() - start;
		return 0;
	}
	return guest_fail("time: no way \"%s\"", argv[1]);
}
