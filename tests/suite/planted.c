// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sanitizers are for, one of each kind, built as the VMM under test is: a
 * row of the suite makes sure that they, and the suite's harness, notice.
 *
 * planted race|overflow|leak|shift
 */
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(8) int shared;
static _Alignas(8) atomic_bool added;
static char *volatile block;

static void *add(void *arg)
{
	shared++;
	atomic_store_explicit(&added, true, memory_order_relaxed);
	return arg;
}

/*
 * TSan misses a race of two accesses that happen at the same time: each looks
 * for the other before it has noted itself, or one's note overwrites the
 * other's.  So they come one after the other, by an order that it knows nothing
 * of (a relaxed flag synchronizes nothing), and the flag is not among the eight
 * bytes whose accesses are noted together.
 */
static void race(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, add, NULL))
		abort();
	while (!atomic_load_explicit(&added, memory_order_relaxed))
		sched_yield();
	add(NULL);
	pthread_join(thread, NULL);
}

static void overflow(void)
{
	volatile size_t len = 8;

	block = malloc(len);
	block[len] = 1;
	free(block);
}

static void leak(void)
{
	block = malloc(8);
	block = NULL;
}

static void shift(void)
{
	volatile int by = INT_MAX;

	shared = 1 << by;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} kinds[] = {
		{ "race", race },
		{ "overflow", overflow },
		{ "leak", leak },
		{ "shift", shift },
	};

	for (size_t i = 0; argc == 2 && i < sizeof(kinds) / sizeof(kinds[0]);
	     i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		kinds[i].fn();
		printf("%s: done\n", argv[1]);
		return 0;
	}
	fprintf(stderr, "usage: planted race|overflow|leak|shift\n");
	return 2;
}
