// SPDX-License-Identifier: GPL-2.0-only
/* Processes that compute for ever and count it.  The runner's only thread. */
#include "tests/bench/hog.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/vmsched.h"

#define LOOPS 1000 /* a round */

/* What one has done is in a cache line of its own. */
static struct count {
	_Alignas(64) atomic_uint_fast64_t done;
} * counts;

static pid_t hogs[HOGS_MAX];
static unsigned int nr;

static void compute(struct count *count)
{
	volatile uint64_t x = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "hog");
	for (;;) {
		for (int i = 0; i < LOOPS; i++)
			x = x * 6364136223846793005ull + 1;
		/* Its only writer. */
		atomic_fetch_add_explicit(&count->done, 1,
					  memory_order_relaxed);
	}
}

int hog_start(int cpu)
{
	pid_t pid;

	if (nr == HOGS_MAX)
		return -EAGAIN;
	if (!counts)
		counts = mmap(NULL, HOGS_MAX * sizeof(*counts),
			      PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		return -ENOMEM;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		raise(SIGSTOP);
		compute(&counts[nr]);
	}
	vmsched_pin(pid, cpu, -1);
	waitpid(pid, NULL, WUNTRACED);
	hogs[nr++] = pid;
	return 0;
}

int hog_pid(void)
{
	return nr ? hogs[0] : 0;
}

static void signal_all(int sig)
{
	for (unsigned int i = 0; i < nr; i++)
		kill(hogs[i], sig);
}

void hogs_work(void)
{
	signal_all(SIGCONT);
}

void hogs_rest(void)
{
	signal_all(SIGSTOP);
}

uint64_t hogs_done(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < nr; i++)
		sum += atomic_load_explicit(&counts[i].done,
					    memory_order_relaxed);
	return sum;
}

void hogs_stop(void)
{
	signal_all(SIGKILL);
	while (nr)
		waitpid(hogs[--nr], NULL, 0);
	if (counts)
		memset(counts, 0, HOGS_MAX * sizeof(*counts));
}
