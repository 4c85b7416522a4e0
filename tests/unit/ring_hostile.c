// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split-phase rings: guests that follow no rules, interrupts and doorbells that
 * need not be, and ends at any moment.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "hypercalls/ring_impl.h"
#include "tests/unit/lib_run.h"
#include "tests/unit/lib_split.h"
#include "vmm/core/clock.h"

#define N 16

static struct split_host h;
static struct split_ring g;
static struct hl_completion c;

static void setup(void)
{
	split_start(&h);
	ck_assert_int_eq(split_open(&g, &h, 0, N), 0);
}

static void teardown(void)
{
	split_stop(&h);
}

static void bell(void)
{
	eventfd_write(rings_doorbell(h.rings, 0), 1);
}

/* Broken by two indices; it stays so until it is closed. */
static void breaks(uint32_t tail, uint32_t head)
{
	atomic_int *flags = (atomic_int *)&g.shared->host_flags;

	ring_store(&g.shared->completion_head, head);
	ring_store(&g.shared->call_tail, tail);
	bell();
	ck_assert(split_until(flags, HL_RING_BROKEN));
	ring_store(&g.shared->completion_head, 0);
	ring_store(&g.shared->call_tail, 1);
	bell();
	split_settle();
	ck_assert_uint_eq(ring_load(&g.shared->call_head), 0);
	ck_assert_uint_eq(h.seq, 0);
	split_close(&g);
	ck_assert_int_eq(split_open(&g, &h, 0, N), 0);
}

START_TEST(indices_without_sense)
{
	breaks(N + 1, 0);
	breaks(UINT32_MAX, 0);
	breaks(0x80000000, 0);
	breaks(1, 1);
	breaks(0, UINT32_MAX - N);
	breaks(0, 0x80000000);
	split_post(&g, SPLIT_COUNT, 0, 7);
	ck_assert(split_wait(&g, &c));
	ck_assert_uint_eq(c.cookie, 7);
}
END_TEST

/* What it had taken before completes all the same. */
START_TEST(broken_while_running)
{
	atomic_int *flags = (atomic_int *)&g.shared->host_flags;

	split_post(&g, SPLIT_WAIT, 0, 1);
	ck_assert(split_until(&h.waiting, 1));
	ring_store(&g.shared->call_tail, 1000);
	bell();
	ck_assert(split_until(flags, HL_RING_BROKEN));
	h.open = true;
	ck_assert(split_wait(&g, &c));
	ck_assert_uint_eq(c.cookie, 1);
	split_close(&g);
}
END_TEST

/* A head that moves backwards makes no room and breaks nothing of ours. */
START_TEST(head_moves_back)
{
	atomic_int *taken = (atomic_int *)&g.shared->call_head;

	for (uint32_t i = 0; i < N; i++) {
		split_post(&g, SPLIT_COUNT, 0, i);
		ck_assert(split_wait(&g, &c));
	}
	for (uint32_t i = 0; i < SPLIT_WORKERS; i++)
		split_post(&g, SPLIT_WAIT, 0, i);
	ck_assert(split_until(&h.waiting, SPLIT_WORKERS));
	ring_store(&g.shared->completion_head, 0);
	split_post(&g, SPLIT_COUNT, 0, 50);
	split_settle();
	ck_assert_int_eq(*taken, N + SPLIT_WORKERS);
	ring_store(&g.shared->completion_head, N);
	bell();
	ck_assert(split_wait(&g, &c));
	ck_assert_uint_eq(c.cookie, 50);
}
END_TEST

static atomic_bool scribbling;

/* Mostly plausible indices, so that calls are taken; any calls. */
static void *scribble(void *arg)
{
	struct hl_ring *shared = arg;
	uint32_t *call = (uint32_t *)(shared + 1);
	uint64_t x = 88172645463325252ull;

	while (scribbling) {
		bool wild = x % 1024 == 0;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		ring_store(&shared->completion_head,
			   ring_load(&shared->completion_tail) +
				   (wild ? (uint32_t)(x >> 20) : 0));
		ring_store(&shared->call_tail,
			   ring_load(&shared->call_head) + x % 8);
		ring_store(&shared->host_flags, (uint32_t)x);
		ring_store(&call[(x >> 10) % (16 * N)],
			   (uint32_t)(x >> 32) & 0x18003);
		bell();
	}
	return NULL;
}

/* Someone writes all over an open ring while it is closed and opened. */
START_TEST(scribbled)
{
	int64_t end = clock_ms() + 1000;
	pthread_t thread;

	h.open = true;
	scribbling = true;
	ck_assert_int_eq(pthread_create(&thread, NULL, scribble, g.shared), 0);
	while (clock_ms() < end) {
		int64_t ret = rings_close(h.rings, 0);

		ck_assert(ret == 0 || ret == HL_EAGAIN || ret == HL_ENOENT);
		ring_store(&g.shared->completion_head, 0);
		ring_store(&g.shared->call_tail, 0);
		ret = rings_open(h.rings, 0, 0, N);
		ck_assert(ret == 0 || ret == HL_EBUSY || ret == HL_EINVAL);
		for (uint64_t i = 0; i < 10; i++)
			rings_cancel(h.rings, 0, i);
	}
	scribbling = false;
	pthread_join(thread, NULL);
	rings_close(h.rings, 0);
	ck_assert_uint_gt(h.seq, 0);
}
END_TEST

START_TEST(interrupts)
{
	split_post(&g, SPLIT_COUNT, 0, 1);
	ck_assert(split_until(&h.raised, 1));
	ring_store(&g.shared->guest_flags, HL_RING_POLLED);
	for (uint32_t i = 0; i < 100; i++) {
		split_post(&g, i % 2 ? SPLIT_COUNT : SPLIT_LONG, 0, i);
		ck_assert(split_wait(&g, &c));
	}
	split_settle();
	ck_assert_int_eq(h.raised, 1);
	ring_store(&g.shared->guest_flags, 0);
	split_post(&g, SPLIT_LONG, 0, 1);
	ck_assert(split_until(&h.raised, 2));
	ck_assert_int_eq(h.raised_by[0], 2);
}
END_TEST

/* One interrupt for what was posted together. */
START_TEST(interrupts_batched)
{
	const struct hl_call call = { .op = SPLIT_COUNT };

	for (uint32_t i = 0; i < N; i++)
		split_write(&g, &call);
	split_flush(&g);
	for (uint32_t i = 0; i < N; i++)
		ck_assert(split_wait(&g, &c));
	split_settle();
	ck_assert_int_eq(h.raised, 1);
}
END_TEST

/* The host writes no more once the close is through. */
START_TEST(close_while_running)
{
	const size_t len = HL_RING_CALLS + N * (64 + 24);
	uint8_t *copy = malloc(len);

	split_post(&g, SPLIT_WAIT, 0, 1);
	split_post(&g, SPLIT_COUNT, HL_CALL_BARRIER, 2);
	ck_assert(split_until(&h.waiting, 1));
	ck_assert_int_eq(rings_close(h.rings, 0), HL_EAGAIN);
	ck_assert_int_eq(rings_close(h.rings, 0), HL_EAGAIN);
	ck_assert_int_eq(rings_open(h.rings, 0, 0, N), HL_EBUSY);
	h.open = true;
	ck_assert(split_wait(&g, &c));
	split_close(&g);
	ck_assert_uint_eq(ring_load(&g.shared->call_head), 1);
	memset(g.shared, 0xa5, len);
	memcpy(copy, g.shared, len);
	bell();
	ck_assert_int_eq(rings_close(h.rings, 0), HL_ENOENT);
	split_settle();
	ck_assert_int_eq(memcmp(copy, g.shared, len), 0);
	free(copy);
}
END_TEST

/*
 * Workers sleep, more calls wait for them, others stream through another ring:
 * the end waits for the sleepers alone, and drops the rest.
 */
START_TEST(stop_while_busy)
{
	static struct split_host busy;
	struct split_ring a, b;

	split_start(&busy);
	ck_assert_int_eq(split_open(&a, &busy, 0, 256), 0);
	ck_assert_int_eq(split_open(&b, &busy, 1, 256), 0);
	for (uint32_t i = 0; i < 256; i++) {
		split_post(&a, SPLIT_WAIT, 0, i);
		split_post(&b, i % 4 ? SPLIT_COUNT : SPLIT_LONG, 0, i);
	}
	ck_assert(split_until(&busy.waiting, SPLIT_WORKERS));
	split_stop(&busy);
	ck_assert_int_eq(busy.waiting, 0);
}
END_TEST

/* Nothing was ever opened, or nothing posted. */
START_TEST(stop_idle)
{
	static struct split_host idle;

	split_start(&idle);
	split_stop(&idle);
	split_start(&idle);
	ck_assert_int_eq(split_open(&g, &idle, 3, 1), 0);
	split_stop(&idle);
	rings_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ring_hostile");
	TCase *tc = tcase_create("ring_hostile");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, indices_without_sense);
	tcase_add_test(tc, broken_while_running);
	tcase_add_test(tc, head_moves_back);
	tcase_add_test(tc, scribbled);
	tcase_add_test(tc, interrupts);
	tcase_add_test(tc, interrupts_batched);
	tcase_add_test(tc, close_while_running);
	tcase_add_test(tc, stop_while_busy);
	tcase_add_test(tc, stop_idle);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
