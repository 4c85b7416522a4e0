// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's timers as its programs use them.
 *
 *   timer storm SOCKETS ACTIVE NS ROUNDS   a timer for each of so many sockets,
 *       most of them far off; those of the active ones are put off, one after
 *       the other, to NS nanoseconds from now, as retransmission timers are
 *       with each packet that is acknowledged.  None should expire.
 *   timer sleeps N NS    sleeps so often, so long, and sees how late it wakes
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000ull

static int fail(const char *what)
{
	fprintf(stderr, "timer: %s: %s\n", what, strerror(errno));
	return 1;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NS),
				  .tv_nsec = (long)(ns % NS) };
}

/* This processor's so far, by the line's test; 0 if there is none. */
static uint64_t exits(void)
{
	int fd = open("/sys/kernel/debug/hotline/test", O_RDWR);
	char text[64] = "";
	unsigned long long n = 0;

	if (fd < 0)
		return 0;
	if (write(fd, "exits", 5) == 5 && pread(fd, text, 63, 0) > 0 &&
	    sscanf(text, "exits %llu", &n) != 1)
		n = 0;
	close(fd);
	return n;
}

static int set(int fd, uint64_t ns)
{
	const struct itimerspec t = { .it_value = timespec_of(ns) };

	return timerfd_settime(fd, 0, &t, NULL);
}

static int open_timers(int *fd, unsigned int sockets)
{
	const struct rlimit files = { sockets + 64, sockets + 64 };

	setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned int i = 0; i < sockets; i++) {
		fd[i] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
		/* Kept alive: seconds. */
		if (fd[i] < 0 || set(fd[i], 10 * NS + i * 1000000ull))
			return -1;
	}
	return 0;
}

static int storm(unsigned int sockets, unsigned int active, uint64_t ns,
		 unsigned int rounds)
{
	int *fd = calloc(sockets, sizeof(*fd));
	uint64_t expired = 0, start, left, n;

	if (!fd || open_timers(fd, sockets))
		return fail("timers");
	left = exits();
	start = now();
	for (unsigned int r = 0; r < rounds; r++)
		for (unsigned int i = 0; i < active; i++)
			if (set(fd[i], ns))
				return fail("timerfd_settime");
	start = now() - start;
	left = exits() - left;
	for (unsigned int i = 0; i < active; i++)
		expired += read(fd[i], &n, sizeof(n)) == sizeof(n);
	printf("put off %llu in %llu us, expired %llu, exits %llu\n",
	       (unsigned long long)rounds * active,
	       (unsigned long long)start / 1000, (unsigned long long)expired,
	       (unsigned long long)left);
	free(fd);
	return 0;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int sleeps(unsigned int n, uint64_t ns)
{
	int64_t *late = calloc(n, sizeof(*late));
	unsigned int early = 0;

	if (!late)
		return fail("memory");
	for (unsigned int i = 0; i < n; i++) {
		uint64_t until = now() + ns;
		struct timespec t = timespec_of(until);

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		late[i] = (int64_t)(now() - until);
		early += late[i] < 0;
	}
	qsort(late, n, sizeof(*late), compare);
	printf("early %u, late p50 %lld p99 %lld max %lld ns\n", early,
	       (long long)late[n / 2], (long long)late[n * 99ull / 100],
	       (long long)late[n - 1]);
	free(late);
	return 0;
}

int main(int argc, char *argv[])
{
	uint64_t n[4] = { 0 };

	for (int i = 2; i < argc && i < 6; i++) {
		n[i - 2] = strtoull(argv[i], NULL, 10);
		if (!n[i - 2])
			return 2;
	}
	if (argc == 6 && !strcmp(argv[1], "storm") && n[1] <= n[0])
		return storm((unsigned int)n[0], (unsigned int)n[1], n[2],
			     (unsigned int)n[3]);
	if (argc == 4 && !strcmp(argv[1], "sleeps"))
		return sleeps((unsigned int)n[0], n[1]);
	fputs("usage: timer storm SOCKETS ACTIVE NS ROUNDS | sleeps N NS\n",
	      stderr);
	return 2;
}
