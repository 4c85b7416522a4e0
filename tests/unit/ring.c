// SPDX-License-Identifier: GPL-2.0-only
/* Split-phase rings: what becomes of calls, in which order, and when not. */
#include <check.h>

#include "hypercalls/ring_impl.h"
#include "tests/unit/lib_run.h"
#include "tests/unit/lib_split.h"

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

static void expect(uint64_t cookie, int64_t result)
{
	ck_assert(split_wait(&g, &c));
	ck_assert_uint_eq(c.cookie, cookie);
	ck_assert_int_eq(c.result, result);
	ck_assert_uint_eq(c.zero, 0);
}

/* Nothing comes for a while. */
static void expect_none(void)
{
	split_settle();
	ck_assert(!split_poll(&g, &c));
}

START_TEST(opens)
{
	static const struct {
		uint64_t id, addr, entries;
		int64_t ret;
	} tries[] = {
		{ 0, 0, N, HL_EBUSY },
		{ SPLIT_RINGS, 0, N, HL_EINVAL },
		{ UINT64_MAX, 0, N, HL_EINVAL },
		{ 1, 0x1000, 0, HL_EINVAL },
		{ 1, 0x1000, 3, HL_EINVAL },
		{ 1, 0x1000, 2 * HL_RING_MAX, HL_EINVAL },
		{ 1, 0x1000, 1ull << 32, HL_EINVAL },
		{ 1, 0x1040, N, HL_EFAULT },
		{ 1, SPLIT_RINGS * SPLIT_STRIDE, 1, HL_EFAULT },
		{ 1, SPLIT_RINGS * SPLIT_STRIDE - 4096, 64, HL_EFAULT },
		{ 1, UINT64_MAX - 4095, 64, HL_EFAULT },
		{ 1, SPLIT_RINGS * SPLIT_STRIDE - 4096, 32, 0 },
		{ 2, 7 * SPLIT_STRIDE, HL_RING_MAX, 0 },
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		ck_assert_int_eq(rings_open(h.rings, tries[i].id, tries[i].addr,
					    tries[i].entries),
				 tries[i].ret);
	g.shared->call_tail = 1;
	ck_assert_int_eq(rings_open(h.rings, 3, 0, N), HL_EINVAL);
	ck_assert_int_eq(rings_close(h.rings, 3), HL_ENOENT);
	ck_assert_int_eq(rings_close(h.rings, SPLIT_RINGS), HL_EINVAL);
	ck_assert_int_eq(rings_cancel(h.rings, 3, 0), HL_ENOENT);
	ck_assert_int_eq(rings_cancel(h.rings, SPLIT_RINGS, 0), HL_EINVAL);
	g.shared->call_tail = 0;
	split_close(&g);
	ck_assert_int_eq(split_open(&g, &h, 0, N), 0);
}
END_TEST

START_TEST(statuses)
{
	split_post(&g, SPLIT_COUNT, 0, 1);
	expect(1, 3);
	ck_assert_uint_eq(c.done, 1);
	split_post(&g, SPLIT_LONG, 0, 2);
	expect(2, 6);
	ck_assert_uint_eq(c.done, 2);
	split_post(&g, SPLIT_NONE, 0, 3);
	expect(3, HL_ENOSYS);
	split_post(&g, SPLIT_PRIVATE, 0, 4);
	expect(4, HL_EINVAL);
	split_post(&g, SPLIT_COUNT, 0x8000, 5);
	expect(5, HL_EINVAL);
	split_post(&g, (enum split_op)0xffff, HL_CALL_BARRIER, 6);
	expect(6, HL_ENOSYS);
	ck_assert_uint_eq(h.seq, 2);
	expect_none();
}
END_TEST

/* Short calls overtake long ones; neither overtakes a barrier. */
START_TEST(barrier)
{
	split_post(&g, SPLIT_WAIT, 0, 1);
	split_post(&g, SPLIT_COUNT, 0, 2);
	expect(2, 6);
	split_post(&g, SPLIT_COUNT, HL_CALL_BARRIER, 3);
	split_post(&g, SPLIT_COUNT, 0, 4);
	split_post(&g, SPLIT_LONG, HL_CALL_BARRIER, 5);
	expect_none();
	ck_assert_uint_eq(ring_load(&g.shared->call_head), 2);
	h.open = true;
	expect(1, 3);
	expect(3, 9);
	expect(4, 12);
	expect(5, 15);
	ck_assert_uint_lt(h.place[3], h.place[4]);
	ck_assert_uint_lt(h.place[4], h.place[5]);
}
END_TEST

/* Only barriers, long and short: strictly in order, whoever runs them. */
START_TEST(barriers)
{
	uint32_t posted = 0;

	for (uint32_t i = 0; i < 2000; i++) {
		for (; posted < 2000 && split_pending(&g) < N; posted++)
			split_post(&g, posted % 3 ? SPLIT_LONG : SPLIT_COUNT,
				   HL_CALL_BARRIER, posted);
		expect(i, 3 * i);
		ck_assert_uint_eq(h.place[i], i + 1);
	}
}
END_TEST

START_TEST(indices_wrap)
{
	split_set_indices(&g, UINT32_MAX - 20);
	for (uint32_t i = 0; i < 3 * N; i += N) {
		for (uint32_t j = 0; j < N; j++)
			split_post(&g, SPLIT_COUNT, 0, i + j);
		for (uint32_t j = 0; j < N; j++)
			expect(i + j, 3 * (i + j));
	}
	ck_assert_uint_eq(ring_load(&g.shared->call_head), 3 * N - 21);
	ck_assert_uint_eq(ring_load(&g.shared->completion_tail), 3 * N - 21);
	ck_assert(!(ring_load(&g.shared->host_flags) & HL_RING_BROKEN));
}
END_TEST

/* No call is taken without room for its completion. */
START_TEST(back_pressure)
{
	atomic_int *done = (atomic_int *)&g.shared->completion_tail;

	for (uint32_t i = 0; i < N; i++)
		split_post(&g, SPLIT_COUNT, 0, i);
	ck_assert(split_until(done, N));
	for (uint32_t i = N; i < 2 * N; i++)
		split_post(&g, SPLIT_COUNT, 0, i);
	split_settle();
	ck_assert_uint_eq(ring_load(&g.shared->call_head), N);
	for (uint32_t i = 0; i < 2 * N; i++)
		expect(i, 3 * i);
	ck_assert_uint_eq(ring_load(&g.shared->call_head), 2 * N);
}
END_TEST

/* More long calls than the host holds at a time. */
START_TEST(many_long)
{
	atomic_int *taken;

	split_close(&g);
	ck_assert_int_eq(split_open(&g, &h, 0, 4 * RING_HELD), 0);
	taken = (atomic_int *)&g.shared->call_head;
	for (uint32_t i = 0; i < 4 * RING_HELD; i++)
		split_post(&g, SPLIT_WAIT, 0, i);
	ck_assert(split_until(taken, RING_HELD));
	ck_assert(split_until(&h.waiting, SPLIT_WORKERS));
	expect_none();
	ck_assert_int_eq(*taken, RING_HELD);
	h.open = true;
	for (uint32_t i = 0; i < 4 * RING_HELD; i++)
		ck_assert(split_wait(&g, &c));
	for (uint32_t i = 0; i < 4 * RING_HELD; i++)
		ck_assert_uint_eq(h.count[i], 1);
	expect_none();
}
END_TEST

START_TEST(cancels)
{
	atomic_int *taken = (atomic_int *)&g.shared->call_head;

	ck_assert_int_eq(rings_cancel(h.rings, 0, 0), HL_ENOENT);
	for (uint32_t i = 0; i < SPLIT_WORKERS + 4; i++)
		split_post(&g, SPLIT_WAIT, 0, i);
	split_post(&g, SPLIT_COUNT, HL_CALL_BARRIER, 100);
	ck_assert(split_until(&h.waiting, SPLIT_WORKERS));
	ck_assert(split_until(taken, SPLIT_WORKERS + 4));
	ck_assert_int_eq(rings_cancel(h.rings, 0, 0), HL_EALREADY);
	ck_assert_int_eq(rings_cancel(h.rings, 0, 100), HL_ENOENT);
	ck_assert_int_eq(rings_cancel(h.rings, 0, 99), HL_ENOENT);
	for (uint32_t i = SPLIT_WORKERS; i < SPLIT_WORKERS + 4; i++) {
		ck_assert_int_eq(rings_cancel(h.rings, 0, i), 0);
		expect(i, HL_ECANCELED);
		ck_assert_int_eq(rings_cancel(h.rings, 0, i), HL_ENOENT);
	}
	h.open = true;
	for (uint32_t i = 0; i < SPLIT_WORKERS; i++)
		ck_assert(split_wait(&g, &c));
	expect(100, 300);
	ck_assert_uint_eq(h.seq, SPLIT_WORKERS + 1);
}
END_TEST

/* A barrier that waits for nothing but a call which is cancelled. */
START_TEST(cancel_lets_barrier_go)
{
	struct split_ring other;
	atomic_int *taken = (atomic_int *)&g.shared->call_head;

	ck_assert_int_eq(split_open(&other, &h, 1, N), 0);
	for (uint32_t i = 0; i < SPLIT_WORKERS; i++)
		split_post(&other, SPLIT_WAIT, 0, i);
	ck_assert(split_until(&h.waiting, SPLIT_WORKERS));
	split_post(&g, SPLIT_LONG, 0, 10);
	split_post(&g, SPLIT_COUNT, HL_CALL_BARRIER, 11);
	ck_assert(split_until(taken, 1));
	expect_none();
	ck_assert_int_eq(rings_cancel(h.rings, 0, 10), 0);
	expect(10, HL_ECANCELED);
	expect(11, 33);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ring");
	TCase *tc = tcase_create("ring");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, opens);
	tcase_add_test(tc, statuses);
	tcase_add_test(tc, barrier);
	tcase_add_test(tc, barriers);
	tcase_add_test(tc, indices_wrap);
	tcase_add_test(tc, back_pressure);
	tcase_add_test(tc, many_long);
	tcase_add_test(tc, cancels);
	tcase_add_test(tc, cancel_lets_barrier_go);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
