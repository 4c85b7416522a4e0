// SPDX-License-Identifier: GPL-2.0-only
/*
 * The split virtqueue: what is a chain, and what is refused.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lib_ring.h"
#include "tests/unit/lib_run.h"
#include "virtio/queue.h"

#define RAM	 (5ull << 29) /* 2.5 GiB, untouched: two buffers of 2 GiB fit */
#define RINGS	 0x10000
#define TABLE	 0x20000 /* an indirect one */
#define DATA	 0x100000
#define N	 16

#define NEXT	 VRING_DESC_F_NEXT
#define WRITE	 VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT

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
	const struct mem_options opt = { .size = RAM,
					 .backing = MEM_ANON,
					 .no_thp = true };

	ck_assert_int_eq(mem_init(&mem, &opt), 0);
	memset(&q, 0, sizeof(q));
	start(false);
}

static void teardown(void)
{
	mem_exit(&mem);
}

/* Entry i of the indirect table. */
static struct vring_desc *table(unsigned int i)
{
	return (struct vring_desc *)mem_ptr(&mem, gpa(TABLE), 16 * (i + 1)) + i;
}

static int pop_at(uint16_t head)
{
	ring_offer(&r, head);
	return queue_pop(&q, &c);
}

/* Refused, and the queue is dead until it is set up again. */
static void refused(uint16_t head)
{
	ck_assert_int_eq(pop_at(head), -EPROTO);
	ck_assert_uint_eq(q.in_flight, 0);
	ring_desc(&r, 0, DATA, 1, 0, 0);
	ck_assert_int_eq(pop_at(0), 0);
	ck_assert(!queue_enable_kick(&q));
	start(false);
}

START_TEST(set_up)
{
	static const struct {
		uint16_t size;
		uint64_t desc, avail, used;
		int err;
	} rows[] = {
		{ 1, RINGS, RINGS + 16, RINGS + 24, 0 },
		{ 256, RINGS, RINGS + 0x1000, RINGS + 0x2000, 0 },
		{ 0, RINGS, RINGS, RINGS, -EINVAL },
		{ 3, RINGS, RINGS, RINGS, -EINVAL },
		{ 512, RINGS, RINGS, RINGS, -EINVAL },
		{ N, RINGS + 8, RINGS, RINGS, -EINVAL },
		{ N, RINGS, RINGS + 1, RINGS, -EINVAL },
		{ N, RINGS, RINGS, RINGS + 2, -EINVAL },
		{ N, RAM - 16 * N, RAM - 6 - 2 * N, RAM - 8 - 8 * N, 0 },
		{ N, RAM - 16 * N + 16, RINGS, RINGS, -EINVAL },
		{ N, RINGS, RAM - 4 - 2 * N, RINGS, -EINVAL },
		{ N, RINGS, RINGS, RAM - 4 - 8 * N, -EINVAL },
		{ N, RAM, RINGS, RINGS, -EINVAL },
		{ N, UINT64_MAX - 15, RINGS, RINGS, -EINVAL },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		queue_reset(&q);
		q.size = rows[i].size;
		q.desc_gpa = rows[i].desc;
		q.avail_gpa = rows[i].avail;
		q.used_gpa = rows[i].used;
		ck_assert_msg(queue_start(&q) == rows[i].err, "row %u", i);
		ck_assert_int_eq(q.ready, !rows[i].err);
	}
}
END_TEST

START_TEST(not_ready)
{
	queue_reset(&q);
	ck_assert_int_eq(queue_pop(&q, &c), 0);
	ck_assert(!queue_enable_kick(&q));
	ck_assert(!queue_wants_irq(&q));
	queue_disable_kick(&q);
}
END_TEST

START_TEST(plain_chain)
{
	uint32_t id, len;

	ck_assert_int_eq(queue_pop(&q, &c), 0);
	ring_desc(&r, 3, DATA, 10, NEXT, 5);
	ring_desc(&r, 5, DATA + 100, 20, NEXT, 1);
	ring_desc(&r, 1, DATA + 200, 30, WRITE | NEXT, 0);
	ring_desc(&r, 0, DATA + 300, 40, WRITE, 0);
	ck_assert_int_eq(pop_at(3), 1);
	ck_assert_uint_eq(c.head, 3);
	ck_assert_uint_eq(c.out, 2);
	ck_assert_uint_eq(c.in, 2);
	ck_assert_uint_eq(c.out_len, 30);
	ck_assert_uint_eq(c.in_len, 70);
	ck_assert_ptr_eq(c.iov[2].iov_base, mem_ptr(&mem, gpa(DATA + 200), 30));
	ck_assert_uint_eq(c.iov[3].iov_len, 40);
	ck_assert_int_eq(queue_pop(&q, &c), 0);
	ck_assert(!ring_take(&r, &id, &len));
	queue_push(&q, 3, 55);
	ck_assert(ring_take(&r, &id, &len));
	ck_assert_uint_eq(id, 3);
	ck_assert_uint_eq(len, 55);
	ck_assert_int_eq(pop_at(3), 1);
	queue_push(&q, 3, 0);
}
END_TEST

START_TEST(empty_buffers)
{
	ring_desc(&r, 0, UINT64_MAX, 0, NEXT, 1);
	ring_desc(&r, 1, DATA, 1, NEXT, 2);
	ring_desc(&r, 2, UINT64_MAX, 0, WRITE, 0);
	ck_assert_int_eq(pop_at(0), 1);
	ck_assert_uint_eq(c.out, 1);
	ck_assert_uint_eq(c.in, 0);
	queue_push(&q, 0, 0);
	ck_assert_int_eq(pop_at(2), 1);
	ck_assert_uint_eq(c.out + c.in, 0);
	queue_push(&q, 2, 0);
}
END_TEST

START_TEST(bad_chains)
{
	refused(N); /* no such descriptor */
	refused(UINT16_MAX);
	ring_desc(&r, 0, DATA, 1, NEXT, N); /* next is none */
	refused(0);
	ring_desc(&r, 0, DATA, 1, NEXT, 0); /* loops */
	refused(0);
	ring_desc(&r, 0, DATA, 0, NEXT, 1);
	ring_desc(&r, 1, DATA, 0, NEXT, 0);
	refused(0);
	ring_desc(&r, 0, DATA, 1, WRITE | NEXT, 1); /* wrong order */
	ring_desc(&r, 1, DATA, 1, 0, 0);
	refused(0);
	ring_desc(&r, 0, RAM - 1, 2, 0, 0); /* not RAM */
	refused(0);
	ring_desc(&r, 0, UINT64_MAX, 2, 0, 0);
	refused(0);
	ring_desc(&r, 0, 0, 1u << 31, NEXT, 1); /* 4 GiB in all */
	ring_desc(&r, 1, 0, 1u << 31, WRITE, 0);
	refused(0);
	ring_desc(&r, 0, 0, 1u << 31, NEXT, 1); /* one byte less */
	ring_desc(&r, 1, 0, (1u << 31) - 1, WRITE, 0);
	ck_assert_int_eq(pop_at(0), 1);
}
END_TEST

START_TEST(bad_indices)
{
	ring_desc(&r, 0, DATA, 1, 0, 0);
	r.avail->idx = N;
	ck_assert_int_eq(queue_pop(&q, &c), 1);
	start(false);
	r.avail->idx = N + 1; /* more than there can be */
	ck_assert_int_eq(queue_pop(&q, &c), -EPROTO);
	start(false);
	r.avail->idx = UINT16_MAX; /* backwards */
	ck_assert_int_eq(queue_pop(&q, &c), -EPROTO);
	start(false);
	ring_desc(&r, 0, DATA, 1, 0, 0);
	ck_assert_int_eq(pop_at(0), 1);
	ck_assert_int_eq(pop_at(0), -EPROTO); /* still in flight */
	queue_push(&q, 0, 0);		      /* which ends well all the same */
	ck_assert_uint_eq(q.in_flight, 0);
}
END_TEST

START_TEST(indirect)
{
	*table(0) = (struct vring_desc){ DATA, 1, NEXT, 2 };
	*table(2) = (struct vring_desc){ DATA, 2, NEXT | WRITE, 1 };
	*table(1) = (struct vring_desc){ DATA, 4, WRITE, 0 };
	/* The write flag of the table itself says nothing (2.7.5.3.2). */
	ring_desc(&r, 0, TABLE, 48, INDIRECT | WRITE, 0);
	ck_assert_int_eq(pop_at(0), 1);
	ck_assert_uint_eq(c.out_len, 1);
	ck_assert_uint_eq(c.in_len, 6);
	/* Direct ones may come before it. */
	ring_desc(&r, 1, DATA, 100, NEXT, 2);
	ring_desc(&r, 2, TABLE, 48, INDIRECT, 0);
	ck_assert_int_eq(pop_at(1), 1);
	ck_assert_uint_eq(c.out, 2);
	ck_assert_uint_eq(c.out_len, 101);
	/* Nobody says that a table is aligned. */
	memmove((char *)table(0) + 3, table(0), 48);
	ring_desc(&r, 3, TABLE + 3, 48, INDIRECT, 0);
	ck_assert_int_eq(pop_at(3), 1);
	ck_assert_uint_eq(c.in_len, 6);
}
END_TEST

START_TEST(bad_indirect)
{
	*table(0) = (struct vring_desc){ DATA, 1, 0, 0 };
	ring_desc(&r, 0, TABLE, 0, INDIRECT, 0);
	refused(0);
	ring_desc(&r, 0, TABLE, 24, INDIRECT, 0);
	refused(0);
	ring_desc(&r, 0, RAM - 16, 32, INDIRECT, 0);
	refused(0);
	ring_desc(&r, 0, TABLE, 16, INDIRECT | NEXT, 1);
	refused(0);
	ring_desc(&r, 0, TABLE, 16, INDIRECT, 0);
	q.indirect = false;
	refused(0);
	*table(0) = (struct vring_desc){ DATA, 1, NEXT, 1 };
	ring_desc(&r, 0, TABLE, 16, INDIRECT, 0); /* points behind it */
	refused(0);
	*table(0) = (struct vring_desc){ TABLE + 16, 16, INDIRECT, 0 };
	*table(1) = (struct vring_desc){ DATA, 1, 0, 0 };
	ring_desc(&r, 0, TABLE, 16, INDIRECT, 0); /* nested */
	refused(0);
	*table(0) = (struct vring_desc){ DATA, 1, NEXT, 0 };
	ring_desc(&r, 0, TABLE, 16, INDIRECT, 0); /* loops */
	refused(0);
}
END_TEST

START_TEST(longest_chain)
{
	for (uint16_t i = 0; i <= QUEUE_MAX_SEGS; i++)
		*table(i) = (struct vring_desc){ DATA, 1, NEXT, i + 1 };
	ring_desc(&r, 0, TABLE, 16 * (QUEUE_MAX_SEGS + 1), INDIRECT, 0);
	table(QUEUE_MAX_SEGS - 1)->flags = 0;
	ck_assert_int_eq(pop_at(0), 1);
	ck_assert_uint_eq(c.out, QUEUE_MAX_SEGS);
	queue_push(&q, 0, 0);
	table(QUEUE_MAX_SEGS - 1)->flags = NEXT;
	table(QUEUE_MAX_SEGS)->flags = 0;
	refused(0);
}
END_TEST

START_TEST(vectors)
{
	char a[4] = "abcd", b[3] = "efg", out[8] = "";
	const struct iovec v[] = { { a, 4 }, { b, 0 }, { b, 3 } };

	ck_assert_uint_eq(iov_to_buf(v, 3, 0, out, 7), 7);
	ck_assert_str_eq(out, "abcdefg");
	memset(out, 0, sizeof(out));
	ck_assert_uint_eq(iov_to_buf(v, 3, 3, out, 2), 2);
	ck_assert_str_eq(out, "de");
	ck_assert_uint_eq(iov_to_buf(v, 3, 5, out, 8), 2);
	ck_assert_uint_eq(iov_to_buf(v, 3, 7, out, 8), 0);
	ck_assert_uint_eq(iov_to_buf(v, 3, 100, out, 8), 0);
	ck_assert_uint_eq(iov_from_buf(v, 3, 2, "XYZ", 3), 3);
	ck_assert(!memcmp(a, "abXY", 4) && !memcmp(b, "Zfg", 3));
	ck_assert_uint_eq(iov_from_buf(v, 3, 6, "12", 2), 1);
	ck_assert_int_eq(b[2], '1');
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue");
	TCase *t = tcase_create("queue");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, set_up);
	tcase_add_test(t, not_ready);
	tcase_add_test(t, plain_chain);
	tcase_add_test(t, empty_buffers);
	tcase_add_test(t, bad_chains);
	tcase_add_test(t, bad_indices);
	tcase_add_test(t, indirect);
	tcase_add_test(t, bad_indirect);
	tcase_add_test(t, longest_chain);
	tcase_add_test(t, vectors);
	suite_add_tcase(s, t);
	return unit_run(s);
}
