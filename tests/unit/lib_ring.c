// SPDX-License-Identifier: GPL-2.0-only
/* See tests/unit/lib_ring.h. */
#include "tests/unit/lib_ring.h"

#include <check.h>
#include <string.h>

void ring_init(struct ring *r, const struct mem *mem, uint64_t at,
	       uint16_t size)
{
	uint8_t *host = mem_ptr(mem, gpa(at), 0x3000);

	memset(host, 0, 0x3000);
	memset(r, 0, sizeof(*r));
	r->size = size;
	r->desc_gpa = at;
	r->avail_gpa = at + 0x1000;
	r->used_gpa = at + 0x2000;
	r->desc = (struct vring_desc *)host;
	r->avail = (struct vring_avail *)(host + 0x1000);
	r->used = (struct vring_used *)(host + 0x2000);
}

void ring_start(struct ring *r, struct queue *q, const struct mem *mem,
		uint64_t at, uint16_t size, bool event_idx)
{
	ring_init(r, mem, at, size);
	queue_reset(q);
	q->mem = mem;
	q->max = QUEUE_MAX_SIZE;
	q->size = size;
	q->event_idx = event_idx;
	q->indirect = true;
	q->desc_gpa = r->desc_gpa;
	q->avail_gpa = r->avail_gpa;
	q->used_gpa = r->used_gpa;
	ck_assert_int_eq(queue_start(q), 0);
}

void ring_desc(struct ring *r, uint16_t i, uint64_t addr, uint32_t len,
	       uint16_t flags, uint16_t next)
{
	r->desc[i] = (struct vring_desc){ addr, len, flags, next };
}

void ring_offer(struct ring *r, uint16_t head)
{
	uint16_t idx = __atomic_load_n(&r->avail->idx, __ATOMIC_ACQUIRE);

	r->avail->ring[idx % r->size] = head;
	__atomic_store_n(&r->avail->idx, (uint16_t)(idx + 1), __ATOMIC_SEQ_CST);
}

bool ring_take(struct ring *r, uint32_t *id, uint32_t *len)
{
	uint16_t idx = __atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE);

	if (idx == r->seen)
		return false;
	*id = r->used->ring[r->seen % r->size].id;
	*len = r->used->ring[r->seen % r->size].len;
	r->seen++;
	return true;
}

void ring_set_used_event(struct ring *r, uint16_t idx)
{
	__atomic_store_n(&r->avail->ring[r->size], idx, __ATOMIC_SEQ_CST);
}

uint16_t ring_avail_event(const struct ring *r)
{
	return __atomic_load_n((uint16_t *)&r->used->ring[r->size],
			       __ATOMIC_SEQ_CST);
}
