// SPDX-License-Identifier: GPL-2.0-only
/* The worker pool: order, bounds, removal and its end. */
#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/lib_run.h"
#include "vmm/backend/pool.h"

#define JOBS 64

struct job {
	struct pool_job job; /* first */
	unsigned int at;     /* when it started, from 1 */
};

static struct pool *pool;
static struct job job[JOBS];
static atomic_uint started, ended;
static atomic_bool open;

static void nap(void)
{
	const struct timespec ts = { .tv_nsec = 1000000 };

	nanosleep(&ts, NULL);
}

static void run(struct pool_job *arg)
{
	struct job *j = (struct job *)arg;

	j->at = ++started;
	while (!open)
		nap();
	ended++;
}

static void make(unsigned int threads)
{
	pool = pool_new(threads);
	ck_assert_ptr_nonnull(pool);
	for (unsigned int i = 0; i < JOBS; i++) {
		job[i].job.run = run;
		ck_assert_int_eq(pool_add(pool, &job[i].job), 0);
	}
	while (started < threads)
		nap();
}

START_TEST(in_order)
{
	open = true;
	make(1);
	while (ended < JOBS)
		nap();
	for (unsigned int i = 0; i < JOBS; i++) {
		ck_assert_uint_eq(job[i].at, i + 1);
		ck_assert(!pool_remove(pool, &job[i].job));
	}
	pool_free(pool);
}
END_TEST

START_TEST(bounded)
{
	make(3);
	for (int i = 0; i < 20; i++)
		nap();
	ck_assert_uint_eq(started, 3);
	open = true;
	while (ended < JOBS)
		nap();
	pool_free(pool);
}
END_TEST

/* First, last and in the middle; those that run stay. */
START_TEST(removed)
{
	static const unsigned int gone[] = { 1, 2, 30, JOBS - 1 };

	make(1);
	ck_assert(!pool_remove(pool, &job[0].job));
	for (unsigned int i = 0; i < 4; i++) {
		ck_assert(pool_remove(pool, &job[gone[i]].job));
		ck_assert(!pool_remove(pool, &job[gone[i]].job));
	}
	open = true;
	while (ended < JOBS - 4)
		nap();
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(job[gone[i]].at, 0);
	ck_assert_int_eq(pool_add(pool, &job[1].job), 0);
	while (ended < JOBS - 3)
		nap();
	pool_free(pool);
}
END_TEST

static void open_later(struct pool_job *arg)
{
	(void)arg;
	started++;
	for (int i = 0; i < 20; i++)
		nap();
	ended++;
}

/* The end waits for what runs and drops what waits. */
START_TEST(freed_while_busy)
{
	pool = pool_new(2);
	for (unsigned int i = 0; i < JOBS; i++) {
		job[i].job.run = open_later;
		ck_assert_int_eq(pool_add(pool, &job[i].job), 0);
	}
	while (started < 2)
		nap();
	pool_free(pool);
	ck_assert_uint_eq(started, ended);
	ck_assert_uint_lt(ended, JOBS);
	pool = pool_new(0);
	ck_assert_int_lt(pool_add(pool, &job[JOBS - 1].job), 0);
	pool_free(pool);
	pool_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pool");
	TCase *tc = tcase_create("pool");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, in_order);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, removed);
	tcase_add_test(tc, freed_while_busy);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
