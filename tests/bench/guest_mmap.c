// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults and changes of one address space by threads on all processors,
 * which contend for the kernel's lock of it.
 *
 *   mmap THREADS MS     what is done is counted until so long is over
 */
#include "guest.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define THREADS_MAX 64
#define PAGES	    8
#define PAGE	    4096

struct stormer {
	pthread_t thread;
	unsigned int cpu;
	uint64_t end, done;
	int err;
};

/* Mapped, each page touched, half of it made read-only, unmapped. */
static int storm_once(void)
{
	volatile char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	for (int i = 0; i < PAGES; i++)
		p[i * PAGE] = 1;
	return mprotect((void *)p, PAGES / 2 * PAGE, PROT_READ) ||
	       munmap((void *)p, PAGES * PAGE);
}

static void *storm(void *arg)
{
	struct stormer *s = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(s->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		s->err = errno;
	while (!s->err && guest_now() < s->end) {
		if (storm_once())
			s->err = errno;
		s->done++;
	}
	return NULL;
}

int guest_mmap(char *argv[], unsigned int argc, struct guest_result *r)
{
	static struct stormer s[THREADS_MAX];
	unsigned long n = strtoul(argv[0], NULL, 10),
		      ms = strtoul(argv[1], NULL, 10);
	uint64_t begun = guest_now();
	int err = 0;

	(void)argc;
	if (!n || n > THREADS_MAX || !ms)
		return guest_fail("mmap: %s threads, %s ms", argv[0], argv[1]);
	for (unsigned int i = 0; i < n; i++) {
		s[i] = (struct stormer){ .cpu = i,
					 .end = begun + ms * 1000000 };
		if (pthread_create(&s[i].thread, NULL, storm, &s[i]))
			return guest_fail("mmap: no thread");
	}
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(s[i].thread, NULL);
		r->ops += s[i].done;
		err = err ? err : s[i].err;
	}
	r->ns = guest_now() - begun;
	return err ? guest_fail("mmap: %s", strerror(err)) : 0;
}
