// SPDX-License-Identifier: GPL-2.0-only
/*
 * Malformed chains on each kind of device (virtio 1.2, 2.7.5): one row, one
 * lie.  The device must say NEEDS_RESET with a configuration interrupt, leave
 * memory alone, take no more work, and be as good as new after a reset.
 */
#include "virtio.h"

#define BUF	   (ARENA + 0x1000000)
#define TABLE	   (ARENA + 0x1800000) /* an indirect table */
#define INT_CONFIG 2

enum expect {
	BROKEN, /* NEEDS_RESET */
	ALIVE,	/* whatever the device makes of it, a reset mends it */
};

struct ring_case {
	const char *name;
	enum expect expect;
	/* Offers a chain; `way` is D_WRITE for queues that the device fills. */
	void (*offer)(struct vq *q, uint16_t way);
};

static struct desc *table(void)
{
	return memset((void *)TABLE, 0, 0x10000);
}

static void one(struct vq *q, uint64_t addr, uint32_t len, uint16_t way)
{
	vq_desc(q, 0, addr, len, way, 0);
	vq_offer(q, 0);
}

static void loop_self(struct vq *q, uint16_t way)
{
	vq_desc(q, 0, BUF, 16, way | D_NEXT, 0);
	vq_offer(q, 0);
}

static void loop_long(struct vq *q, uint16_t way)
{
	for (uint16_t i = 0; i < q->size; i++)
		vq_desc(q, i, BUF, 16, way | D_NEXT,
			(uint16_t)((i + 1) % q->size));
	vq_offer(q, 0);
}

/* No byte in it, so that only counting descriptors finds the loop. */
static void loop_empty(struct vq *q, uint16_t way)
{
	vq_desc(q, 0, BUF, 0, way | D_NEXT, 1);
	vq_desc(q, 1, BUF, 0, way | D_NEXT, 0);
	vq_offer(q, 0);
}

static void next_outside(struct vq *q, uint16_t way)
{
	vq_desc(q, 0, BUF, 16, way | D_NEXT, q->size);
	vq_offer(q, 0);
}

static void head_outside(struct vq *q, uint16_t way)
{
	(void)way;
	vq_offer(q, q->size);
}

static void head_far(struct vq *q, uint16_t way)
{
	(void)way;
	vq_offer(q, 0xffff);
}

static void head_twice(struct vq *q, uint16_t way)
{
	vq_desc(q, 0, BUF, 0x1000, way, 0);
	vq_offer(q, 0);
	vq_offer(q, 0);
}

static void index_jump(struct vq *q, uint16_t way)
{
	vq_desc(q, 0, BUF, 16, way, 0);
	q->avail->idx = (uint16_t)(q->size + 1);
}

static void index_back(struct vq *q, uint16_t way)
{
	vq_desc(q, 0, BUF, 16, way, 0);
	q->avail->idx = 0xffff;
}

static void addr_beyond(struct vq *q, uint16_t way)
{
	one(q, ram_end, 64, way);
}

static void addr_straddles(struct vq *q, uint16_t way)
{
	one(q, ram_end - 32, 64, way);
}

static void addr_mmio(struct vq *q, uint16_t way)
{
	one(q, 0xd0010000, 64, way);
}

static void addr_apic(struct vq *q, uint16_t way)
{
	one(q, 0xfee00000, 64, way);
}

static void addr_above(struct vq *q, uint16_t way)
{
	one(q, 1ull << 40, 64, way);
}

static void addr_wraps(struct vq *q, uint16_t way)
{
	one(q, ~0ull - 31, 64, way);
}

static void len_wraps(struct vq *q, uint16_t way)
{
	one(q, BUF, 0xffffffff, way);
}

/* Each buffer is good, their sum does not fit 32 bits. */
static void len_sum(struct vq *q, uint16_t way)
{
	struct desc *t = table();

	vq_desc(q, 0, TABLE, 250 * 16, D_INDIRECT, 0);
	for (uint16_t i = 0; i < 250; i++)
		t[i] = (struct desc){ BUF, 0x1200000, way | D_NEXT,
				      (uint16_t)(i + 1) };
	t[249].flags = way;
	vq_offer(q, 0);
}

static void order(struct vq *q, uint16_t way)
{
	(void)way;
	vq_desc(q, 0, BUF, 16, D_WRITE | D_NEXT, 1);
	vq_desc(q, 1, BUF, 16, 0, 0);
	vq_offer(q, 0);
}

static void indirect_nested(struct vq *q, uint16_t way)
{
	struct desc *t = table();

	vq_desc(q, 0, TABLE, 32, D_INDIRECT, 0);
	t[0] = (struct desc){ BUF, 16, way | D_NEXT, 1 };
	t[1] = (struct desc){ TABLE, 32, D_INDIRECT, 0 };
	vq_offer(q, 0);
}

static void indirect_loop(struct vq *q, uint16_t way)
{
	struct desc *t = table();

	vq_desc(q, 0, TABLE, 32, D_INDIRECT, 0);
	t[0] = (struct desc){ BUF, 16, way | D_NEXT, 1 };
	t[1] = (struct desc){ BUF, 16, way | D_NEXT, 0 };
	vq_offer(q, 0);
}

static void indirect_next_outside(struct vq *q, uint16_t way)
{
	struct desc *t = table();

	vq_desc(q, 0, TABLE, 16, D_INDIRECT, 0);
	t[0] = (struct desc){ BUF, 16, way | D_NEXT, 1 };
	t[1] = (struct desc){ BUF, 16, way, 0 };
	vq_offer(q, 0);
}

static void indirect_with_next(struct vq *q, uint16_t way)
{
	struct desc *t = table();

	vq_desc(q, 0, TABLE, 16, D_INDIRECT | D_NEXT, 1);
	vq_desc(q, 1, BUF, 16, way, 0);
	t[0] = (struct desc){ BUF, 16, way, 0 };
	vq_offer(q, 0);
}

static void indirect_odd(struct vq *q, uint16_t way)
{
	struct desc *t = table();

	vq_desc(q, 0, TABLE, 17, D_INDIRECT, 0);
	t[0] = (struct desc){ BUF, 16, way, 0 };
	vq_offer(q, 0);
}

static void indirect_empty(struct vq *q, uint16_t way)
{
	(void)way;
	vq_desc(q, 0, TABLE, 0, D_INDIRECT, 0);
	vq_offer(q, 0);
}

static void indirect_outside(struct vq *q, uint16_t way)
{
	(void)way;
	vq_desc(q, 0, ram_end - 16, 32, D_INDIRECT, 0);
	vq_offer(q, 0);
}

static void indirect_huge(struct vq *q, uint16_t way)
{
	(void)way;
	vq_desc(q, 0, TABLE, 0xfffffff0, D_INDIRECT, 0);
	vq_offer(q, 0);
}

static void indirect_long(struct vq *q, uint16_t way)
{
	struct desc *t = table();

	vq_desc(q, 0, TABLE, 4096 * 16, D_INDIRECT, 0);
	for (uint16_t i = 0; i < 4096; i++)
		t[i] = (struct desc){ BUF, 16, way | D_NEXT,
				      (uint16_t)(i + 1) };
	vq_offer(q, 0);
}

static void zero_length(struct vq *q, uint16_t way)
{
	one(q, BUF, 0, way);
}

static void unaligned(struct vq *q, uint16_t way)
{
	one(q, BUF + 3, 7, way);
}

static void wrong_way(struct vq *q, uint16_t way)
{
	one(q, BUF, 64, way ^ D_WRITE);
}

/* The buffer is the queue itself: what comes of it is the driver's fault. */
static void addr_ring(struct vq *q, uint16_t way)
{
	one(q, (uintptr_t)q->used, 0x1000, way);
}

static void addr_descriptors(struct vq *q, uint16_t way)
{
	one(q, (uintptr_t)q->desc, 0x4000, way);
}

static const struct ring_case cases[] = {
	{ "a descriptor that is its own next", BROKEN, loop_self },
	{ "a loop over the whole table", BROKEN, loop_long },
	{ "a loop of empty buffers", BROKEN, loop_empty },
	{ "next outside the table", BROKEN, next_outside },
	{ "head outside the table", BROKEN, head_outside },
	{ "head 0xffff", BROKEN, head_far },
	{ "one head offered twice", ALIVE, head_twice },
	{ "avail index ahead by more than the ring", BROKEN, index_jump },
	{ "avail index that went back", BROKEN, index_back },
	{ "buffer beyond memory", BROKEN, addr_beyond },
	{ "buffer across the end of memory", BROKEN, addr_straddles },
	{ "buffer at device registers", BROKEN, addr_mmio },
	{ "buffer at the local APIC", BROKEN, addr_apic },
	{ "buffer at 1 TiB", BROKEN, addr_above },
	{ "buffer that wraps around", BROKEN, addr_wraps },
	{ "buffer of 4 GiB", BROKEN, len_wraps },
	{ "buffers of more than 4 GiB together", BROKEN, len_sum },
	{ "readable behind writable", BROKEN, order },
	{ "indirect in indirect", BROKEN, indirect_nested },
	{ "a loop in an indirect table", BROKEN, indirect_loop },
	{ "next outside an indirect table", BROKEN, indirect_next_outside },
	{ "indirect with a next", BROKEN, indirect_with_next },
	{ "indirect table of 17 bytes", BROKEN, indirect_odd },
	{ "indirect table of 0 bytes", BROKEN, indirect_empty },
	{ "indirect table across the end of memory", BROKEN, indirect_outside },
	{ "indirect table of 4 GiB", BROKEN, indirect_huge },
	{ "indirect chain of 4096", BROKEN, indirect_long },
	{ "an empty buffer", ALIVE, zero_length },
	{ "an unaligned buffer of 7 bytes", ALIVE, unaligned },
	{ "a buffer of the wrong direction", ALIVE, wrong_way },
	{ "a buffer over the used ring", ALIVE, addr_ring },
	{ "a buffer over the descriptors", ALIVE, addr_descriptors },
};

/* Queues at which a kick makes the device look at once. */
static const struct {
	uint32_t id;
	unsigned int queue;
	uint16_t way;
} queues[] = {
	{ VIRTIO_RNG, 0, D_WRITE },
	{ VIRTIO_BLK, 0, 0 },
	{ VIRTIO_CONSOLE, 1, 0 },
	{ VIRTIO_NET, 1, 0 },
};

static void expect_broken(struct vdev *d, struct vq *q, const char *what)
{
	struct deadline moment;
	uint16_t used;

	if (!vdev_broken(d, PATIENCE)) {
		fail("%s: %s: no NEEDS_RESET (status %x)", d->name, what,
		     (uint64_t)reg_read(d, R_STATUS));
		return;
	}
	moment = deadline_in(PATIENCE);
	while (!(reg_read(d, R_INT_STATUS) & INT_CONFIG))
		if (deadline_over(&moment)) {
			fail("%s: %s: no configuration interrupt", d->name,
			     what);
			break;
		}
	used = q->used->idx;
	vq_desc(q, 1, BUF, 16, 0, 0);
	vq_offer(q, 1);
	vq_kick(d, q);
	moment.end = tsc() + 10000000;
	while (!deadline_over(&moment))
		;
	check(q->used->idx == used, "%s: %s: still takes work", d->name, what);
}

static void run(struct vdev *d, unsigned int n, uint16_t way,
		const struct ring_case *c)
{
	uint32_t *guard = (uint32_t *)(ram_end - 64);

	if (!vdev_start(d, F_INDIRECT))
		return;
	memset(guard, 0x5a, 64);
	c->offer(&d->vq[n], way);
	vq_kick(d, &d->vq[n]);
	if (c->expect == BROKEN)
		expect_broken(d, &d->vq[n], c->name);
	for (unsigned int i = 0; i < 16; i++)
		if (guard[i] != 0x5a5a5a5a) {
			fail("%s: %s: wrote to the memory's end", d->name,
			     c->name);
			break;
		}
	vdev_must_work(d, c->name);
}

/* An indirect table without the feature that allows it. */
static void run_not_negotiated(struct vdev *d, unsigned int n, uint16_t way)
{
	struct desc *t = table();

	if (!vdev_start(d, 0))
		return;
	vq_desc(&d->vq[n], 0, TABLE, 16, D_INDIRECT, 0);
	t[0] = (struct desc){ BUF, 16, way, 0 };
	vq_offer(&d->vq[n], 0);
	vq_kick(d, &d->vq[n]);
	expect_broken(d, &d->vq[n], "indirect without the feature");
	vdev_must_work(d, "indirect without the feature");
}

void test_chains(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(queues); i++) {
		struct vdev *d = vdev_find(queues[i].id, 0);

		if (!d)
			continue;
		for (unsigned int c = 0; c < ARRAY_SIZE(cases); c++)
			run(d, queues[i].queue, queues[i].way, &cases[c]);
		run_not_negotiated(d, queues[i].queue, queues[i].way);
		print("  %s: %u chains\n", d->name,
		      (uint64_t)ARRAY_SIZE(cases) + 1);
	}
}
