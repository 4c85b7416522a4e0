// SPDX-License-Identifier: GPL-2.0-only
/*
 * The split virtqueue: when to kick and to interrupt, and rings that follow no
 * rules at all.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lib_ring.h"
#include "tests/unit/lib_run.h"
#include "virtio/queue.h"

#define RAM   (4u << 20)
#define RINGS 0x10000
#define TABLE 0x20000 /* an indirect one */
#define DATA  0x100000
#define N     16

static struct mem mem;
static struct queue q;
static struct ring r;
static struct chain c;

static void start(bool event_idx)
{
	ring_start(&r, &q, &mem, RINGS, N, event_idx);
}

static void setup(void)
{
	const struct mem_options opt = { .size = RAM, .backing = MEM_ANON };

	ck_assert_int_eq(mem_init(&mem, &opt), 0);
	memset(&q, 0, sizeof(q));
	start(false);
}

static void teardown(void)
{
	mem_exit(&mem);
}

static struct vring_desc *table(unsigned int i)
{
	return (struct vring_desc *)mem_ptr(&mem, gpa(TABLE), 16 * (i + 1)) + i;
}

static int pop_at(uint16_t head)
{
	ring_offer(&r, head);
	return queue_pop(&q, &c);
}

START_TEST(irq_by_flags)
{
	ring_desc(&r, 0, DATA, 1, 0, 0);
	ck_assert(!queue_wants_irq(&q));
	ck_assert_int_eq(pop_at(0), 1);
	queue_push(&q, 0, 0);
	ck_assert(queue_wants_irq(&q));
	ck_assert(!queue_wants_irq(&q));
	r.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	ck_assert_int_eq(pop_at(0), 1);
	queue_push(&q, 0, 0);
	ck_assert(!queue_wants_irq(&q));
	queue_disable_kick(&q);
	ck_assert_uint_eq(r.used->flags, VRING_USED_F_NO_NOTIFY);
	ck_assert(!queue_enable_kick(&q));
	ck_assert_uint_eq(r.used->flags, 0);
	ring_offer(&r, 0);
	ck_assert(queue_enable_kick(&q));
}
END_TEST

/*
 * More requests than the indices can count, in batches; the driver asks for an
 * interrupt at a random place.  Both decisions are checked against the words
 * of 2.7.7 and 2.7.10: was the marked entry among the new ones?
 */
START_TEST(event_index)
{
	uint32_t id, len;

	start(true);
	srandom(1);
	for (uint16_t i = 0; i < N; i++)
		ring_desc(&r, i, DATA, 1, 0, 0);
	for (unsigned int n = 0; n < 30000; n++) {
		unsigned int batch = 1 + (unsigned int)random() % N;
		uint16_t old = r.avail->idx, mark = ring_avail_event(&r);
		uint16_t event = (uint16_t)(old + random() % (2 * N));
		bool want = false;

		for (uint16_t i = 0; i < batch; i++)
			ring_offer(&r, i);
		ck_assert(vring_need_event(mark, r.avail->idx, old));
		ring_set_used_event(&r, event);
		for (uint16_t i = 0; i < batch; i++) {
			ck_assert_int_eq(queue_pop(&q, &c), 1);
			want |= (uint16_t)(old + i) == event;
			queue_push(&q, c.head, 0);
		}
		ck_assert_int_eq(queue_wants_irq(&q), want);
		ck_assert(!queue_wants_irq(&q));
		ck_assert(!queue_enable_kick(&q));
		while (ring_take(&r, &id, &len))
			;
	}
}
END_TEST

/* A kick is asked for once; what comes before the next mark is silent. */
START_TEST(event_index_kicks)
{
	start(true);
	ring_desc(&r, 0, DATA, 1, 0, 0);
	ring_desc(&r, 1, DATA, 1, 0, 0);
	ck_assert_int_eq(pop_at(0), 1);
	queue_disable_kick(&q);
	ring_offer(&r, 1);
	ck_assert(!vring_need_event(ring_avail_event(&r), 2, 1));
	ck_assert(queue_enable_kick(&q));
	ck_assert_int_eq(queue_pop(&q, &c), 1);
	ck_assert(!queue_enable_kick(&q));
	ck_assert(vring_need_event(ring_avail_event(&r), 3, 2));
}
END_TEST

/* Nobody asked for so long that the index has come round. */
START_TEST(event_index_comes_round)
{
	start(true);
	ring_desc(&r, 0, DATA, 1, 0, 0);
	ring_set_used_event(&r, UINT16_MAX - 5);
	for (unsigned int i = 0; i < 0x10000; i++) {
		ck_assert_int_eq(pop_at(0), 1);
		queue_push(&q, 0, 0);
	}
	ck_assert(queue_wants_irq(&q));
	ck_assert(!queue_wants_irq(&q));
}
END_TEST

/* Every buffer lies in RAM, the sums are right, heads are unique. */
static void check_chain(const bool *held)
{
	uint64_t out = 0, in = 0;

	ck_assert_uint_lt(c.head, N);
	ck_assert(!held[c.head]);
	ck_assert_uint_le(c.out + c.in, QUEUE_MAX_SEGS);
	for (unsigned int i = 0; i < (unsigned int)c.out + c.in; i++) {
		uint64_t at =
			(uint64_t)((uint8_t *)c.iov[i].iov_base - mem.host);

		ck_assert_uint_lt(at, RAM);
		ck_assert_uint_gt(c.iov[i].iov_len, 0);
		ck_assert_uint_le(c.iov[i].iov_len, RAM - at);
		*(i < c.out ? &out : &in) += c.iov[i].iov_len;
	}
	ck_assert_uint_eq(out, c.out_len);
	ck_assert_uint_eq(in, c.in_len);
}

static uint64_t random_addr(void)
{
	static const uint64_t near[] = { 0, RAM, TABLE, RINGS, UINT64_MAX };

	return near[random() % 5] + (uint64_t)random() % 0x200 - 0x100;
}

static void random_desc(struct vring_desc *d)
{
	d->addr = random() % 2 ? DATA : random_addr();
	d->len = random() % 4 ? 16u * (uint32_t)(random() % 20)
			      : (uint32_t)random();
	d->flags = random() % 8 ? (uint16_t)(random() % 4) : (uint16_t)random();
	d->next = random() % 16 ? (uint16_t)(random() % N) : (uint16_t)random();
	if (d->flags & VRING_DESC_F_INDIRECT)
		d->addr = TABLE;
}

/* Rings of noise: whatever the answer, the rules of queue.h hold. */
START_TEST(hostile)
{
	bool held[N] = { false };
	unsigned int popped = 0;

	srandom(2);
	for (unsigned int round = 0; round < 40000; round++) {
		uint16_t head = (uint16_t)(random() % N);
		int got;

		for (unsigned int i = 0; i < 4; i++) {
			random_desc(&r.desc[random() % N]);
			random_desc(table((unsigned int)random() % N));
		}
		if (random() % 16)
			ring_offer(&r, head);
		else
			r.avail->idx += (uint16_t)(random() % (N + 2));
		got = queue_pop(&q, &c);
		if (got > 0) {
			check_chain(held);
			held[c.head] = true;
			popped++;
		}
		if (held[head] && random() % 4) {
			queue_push(&q, head, (uint32_t)random());
			held[head] = false;
		}
		queue_wants_irq(&q);
		queue_enable_kick(&q);
		if (got < 0) {
			start(random() % 2);
			memset(held, 0, sizeof(held));
		}
	}
	ck_assert_uint_gt(popped, 2000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_events");
	TCase *t = tcase_create("queue_events");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, irq_by_flags);
	tcase_add_test(t, event_index);
	tcase_add_test(t, event_index_kicks);
	tcase_add_test(t, event_index_comes_round);
	tcase_add_test(t, hostile);
	suite_add_tcase(s, t);
	return unit_run(s);
}
