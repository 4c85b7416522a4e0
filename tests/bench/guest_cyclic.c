// SPDX-License-Identifier: GPL-2.0-only
/*
 * cyclictest of Debian's rt-tests, as a process of its own: it wakes once a
 * millisecond and says in microseconds how late.
 */
#include "guest.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM	  "/bin/cyclictest"
#define INTERVAL  "1000"
#define HISTOGRAM "10000"
#define BUCKETS	  10000
#define NS_PER_US 1000

struct heard {
	uint64_t bucket[BUCKETS];
	long long min, avg, max;
};

static pid_t start(uint64_t n, int *out)
{
	char loops[32];
	int fds[2];
	pid_t pid;

	snprintf(loops, sizeof(loops), "%llu", (unsigned long long)n);
	if (pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		execl(PROGRAM, PROGRAM, "-q", "-m", "-p", "80", "-i", INTERVAL,
		      "-h", HISTOGRAM, "-l", loops, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	*out = fds[0];
	return pid;
}

/*
 * The histogram ends with its total.  Behind it are the numbers of the wakeups
 * that it had no bucket for, in lines of any length, which look like its own.
 */
static void hear(FILE *f, struct heard *h)
{
	unsigned long long at, n, total = 0;
	bool ended = false;
	char line[256];

	while (fgets(line, sizeof(line), f)) {
		ended |= sscanf(line, "# Total: %llu", &total) == 1;
		if (!ended && sscanf(line, "%llu %llu", &at, &n) == 2 &&
		    at < BUCKETS)
			h->bucket[at] = n;
		sscanf(line, "# Min Latencies: %lld", &h->min);
		sscanf(line, "# Avg Latencies: %lld", &h->avg);
		sscanf(line, "# Max Latencies: %lld", &h->max);
	}
}

/* The rank-th sample, from 0, is in this bucket; beyond all: the latest. */
static uint64_t quantile(const struct heard *h, uint64_t rank)
{
	uint64_t below = 0, at = 0;

	while (at < BUCKETS && below + h->bucket[at] <= rank)
		below += h->bucket[at++];
	return at < BUCKETS ? at : (uint64_t)h->max;
}

int guest_cyclictest(struct guest_result *r)
{
	static struct heard h;
	uint64_t begun = guest_now();
	int out, status = -1;
	pid_t pid;
	FILE *f;

	h = (struct heard){ .max = -1 };
	pid = start(r->ops, &out);
	f = pid > 0 ? fdopen(out, "r") : NULL;
	if (!f)
		return guest_fail("cyclictest: cannot start it");
	hear(f, &h);
	fclose(f);
	waitpid(pid, &status, 0);
	r->ns = guest_now() - begun;
	if (status || h.min < 0 || h.max < h.min)
		return guest_fail("cyclictest: status %d, from %lld to %lld us",
				  status, h.min, h.max);
	r->min = (uint64_t)h.min * NS_PER_US;
	r->mean = (uint64_t)h.avg * NS_PER_US;
	r->max = (uint64_t)h.max * NS_PER_US;
	r->p50 = quantile(&h, r->ops / 2) * NS_PER_US;
	r->p99 = quantile(&h, r->ops * 99 / 100) * NS_PER_US;
	return 0;
}
