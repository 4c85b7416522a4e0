// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nonsense in the transport's registers (virtio 1.2, 4.2.2 and 3.1): queue
 * sizes and addresses, features, status, selectors, kicks, widths.
 */
#include "virtio.h"

#define BUF (ARENA + 0x1000000)

static void moment(void)
{
	struct deadline d = { tsc() + 10000000 };

	while (!deadline_over(&d))
		;
}

static uint32_t queue_ready(struct vdev *d, uint32_t num, uint64_t desc,
			    uint64_t avail, uint64_t used)
{
	vdev_negotiate(d, F_VERSION_1);
	reg_write(d, R_QUEUE_SEL, 0);
	reg_write(d, R_QUEUE_NUM, num);
	reg_write64(d, R_DESC, desc);
	reg_write64(d, R_AVAIL, avail);
	reg_write64(d, R_USED, used);
	reg_write(d, R_QUEUE_READY, 1);
	return reg_read(d, R_QUEUE_READY);
}

static void queue_sizes(struct vdev *d)
{
	static const uint32_t bad[] = {
		0, 3, 7, 0x1ff, 0x10000, 0x10008, 0x80000000, 0xffffffff
	};
	uint64_t at = ARENA + 0x400000;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		check(!queue_ready(d, bad[i], at, at + 0x2000, at + 0x3000),
		      "%s: a queue of size %x is ready", d->name,
		      (uint64_t)bad[i]);
	reg_write(d, R_QUEUE_SEL, 0);
	check(!queue_ready(d, reg_read(d, R_QUEUE_MAX) * 2, at, at + 0x2000,
			   at + 0x3000),
	      "%s: a queue twice as large as allowed is ready", d->name);
	check(queue_ready(d, 8, at, at + 0x2000, at + 0x3000) == 1,
	      "%s: a good queue is not ready", d->name);
}

static void queue_addresses(struct vdev *d)
{
	const uint64_t good = ARENA + 0x400000;
	const uint64_t bad[] = { ram_end,    ram_end - 8, 0xd0010000,
				 0xfee00000, 1ull << 52,  ~0ull - 0xf,
				 ~0ull,	     good + 1 };

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		check(!queue_ready(d, 8, bad[i], good, good + 0x1000),
		      "%s: descriptors at %x are accepted", d->name, bad[i]);
		check(!queue_ready(d, 8, good, bad[i], good + 0x1000),
		      "%s: avail ring at %x is accepted", d->name, bad[i]);
		check(!queue_ready(d, 8, good, good + 0x1000, bad[i]),
		      "%s: used ring at %x is accepted", d->name, bad[i]);
	}
	/* DRIVER_OK and a kick without any queue. */
	reg_write(d, R_STATUS, S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	for (unsigned int q = 0; q < d->nr_queues; q++)
		reg_write(d, R_NOTIFY, q);
	moment();
	vdev_must_work(d, "kicks without queues");
}

static void queue_overlap(struct vdev *d)
{
	uint64_t at = ARENA + 0x400000;

	memset((void *)at, 0xff, 0x1000);
	queue_ready(d, 8, at, at, at);
	reg_write(d, R_STATUS, S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	reg_write(d, R_NOTIFY, 0);
	moment();
	vdev_must_work(d, "rings on top of each other");
}

/* Addresses and sizes of a live queue must stay what they were. */
static void queue_live_changes(struct vdev *d)
{
	if (!vdev_start(d, 0))
		return;
	for (unsigned int q = 0; q < d->nr_queues; q++) {
		reg_write(d, R_QUEUE_SEL, q);
		reg_write64(d, R_DESC, ~0ull);
		reg_write64(d, R_AVAIL, ram_end);
		reg_write64(d, R_USED, 0xd0010000);
		reg_write(d, R_QUEUE_NUM, 0x8000);
		reg_write(d, R_QUEUE_READY, 1);
		reg_write(d, R_QUEUE_READY, 0x55);
		reg_write(d, R_NOTIFY, q);
	}
	moment();
	for (unsigned int q = 0; q < d->nr_queues; q++) {
		reg_write(d, R_QUEUE_SEL, q);
		reg_write(d, R_QUEUE_READY, 0);
		check(!reg_read(d, R_QUEUE_READY), "%s: queue %u stays ready",
		      d->name, (uint64_t)q);
		reg_write(d, R_NOTIFY, q);
	}
	vdev_must_work(d, "changes to live queues");
}

static void early_kicks(struct vdev *d)
{
	struct vq *q = &d->vq[d->nr_queues > 1];

	vdev_negotiate(d, F_VERSION_1);
	for (unsigned int n = 0; n < d->nr_queues; n++)
		vdev_queue(d, n, QSIZE);
	vq_desc(q, 0, ram_end, 64, 0, 0);
	vq_offer(q, 0);
	for (unsigned int n = 0; n < 4; n++)
		vq_kick(d, q);
	outl(d->port, q->index);
	moment();
	check(!q->used->idx, "%s: works before DRIVER_OK", d->name);
	check(!(reg_read(d, R_STATUS) & S_NEEDS_RESET),
	      "%s: looked at the ring before DRIVER_OK", d->name);
	vdev_must_work(d, "kicks before DRIVER_OK");
}

static void kicks_of_nothing(struct vdev *d)
{
	static const uint32_t bad[] = { 7,	    15,	       16,     17,
					255,	    256,       0xffff, 0x10000,
					0x80000000, 0xffffffff };

	if (!vdev_start(d, 0))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		if (bad[i] >= d->nr_queues) {
			reg_write(d, R_NOTIFY, bad[i]);
			outl(d->port, bad[i]);
			outw(d->port, (uint16_t)bad[i]);
			outl((uint16_t)(d->port + 1), bad[i]);
		}
	moment();
	check(reg_read(d, R_STATUS) ==
		      (S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK),
	      "%s: status %x after kicks of queues that are not there", d->name,
	      (uint64_t)reg_read(d, R_STATUS));
	vdev_must_work(d, "kicks of queues that are not there");
}

static void selectors(struct vdev *d)
{
	static const uint32_t bad[] = { 16, 17, 0xff, 0x10000, 0xffffffff };

	vdev_reset(d);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		reg_write(d, R_QUEUE_SEL, bad[i]);
		check(!reg_read(d, R_QUEUE_MAX) && !reg_read(d, R_QUEUE_READY),
		      "%s: there is a queue %x", d->name, (uint64_t)bad[i]);
		reg_write(d, R_QUEUE_NUM, 8);
		reg_write64(d, R_DESC, BUF);
		reg_write64(d, R_AVAIL, BUF);
		reg_write64(d, R_USED, BUF);
		reg_write(d, R_QUEUE_READY, 1);
		reg_write(d, R_QUEUE_READY, 0);
		reg_write(d, R_FEATURES_SEL, bad[i]);
		check(!reg_read(d, R_FEATURES), "%s: features %x: %x", d->name,
		      (uint64_t)bad[i], (uint64_t)reg_read(d, R_FEATURES));
		reg_write(d, R_DRIVER_SEL, bad[i]);
		reg_write(d, R_DRIVER, 0xffffffff);
	}
	vdev_must_work(d, "selectors out of range");
}

static bool features_stay(struct vdev *d, uint64_t accept)
{
	vdev_reset(d);
	reg_write(d, R_STATUS, S_ACK);
	reg_write(d, R_STATUS, S_ACK | S_DRIVER);
	vdev_accept(d, accept);
	reg_write(d, R_STATUS, S_ACK | S_DRIVER | S_FEATURES_OK);
	return reg_read(d, R_STATUS) & S_FEATURES_OK;
}

static void features(struct vdev *d)
{
	uint64_t offered = vdev_features(d);

	check(offered & F_VERSION_1, "%s: VERSION_1 is not offered", d->name);
	for (unsigned int bit = 0; bit < 64; bit++)
		if (!(offered >> bit & 1))
			check(!features_stay(d, F_VERSION_1 | 1ull << bit),
			      "%s: accepts feature %u, which it did not offer",
			      d->name, (uint64_t)bit);
	check(!features_stay(d, 0), "%s: accepts a legacy driver", d->name);
	check(!features_stay(d, ~0ull), "%s: accepts all features", d->name);
	check(features_stay(d, F_VERSION_1), "%s: refuses VERSION_1 alone",
	      d->name);
	check(features_stay(d, offered), "%s: refuses what it offers", d->name);
	/* Too late: they were accepted. */
	vdev_accept(d, ~0ull);
	reg_write(d, R_STATUS, S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	vdev_must_work(d, "feature nonsense");
}

static void status(struct vdev *d)
{
	static const uint32_t bad[] = { S_DRIVER_OK, S_FEATURES_OK,
					S_FAILED,    S_NEEDS_RESET,
					0xff,	     0xffffff00,
					0xffffffff,  S_ACK | S_DRIVER_OK };

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		vdev_reset(d);
		reg_write(d, R_STATUS, bad[i]);
		check(!(reg_read(d, R_STATUS) & (S_NEEDS_RESET | S_DRIVER_OK)),
		      "%s: status %x after writing %x", d->name,
		      (uint64_t)reg_read(d, R_STATUS), (uint64_t)bad[i]);
		reg_write(d, R_NOTIFY, 0);
	}
	vdev_must_work(d, "status nonsense");
}

/* Every register in every width, twice as far as the registers go. */
static void widths(struct vdev *d)
{
	static const unsigned int width[] = { 1, 2, 8 };
	struct random r = { d->base };

	vdev_start(d, 0);
	for (unsigned int w = 0; w < 3; w++)
		for (unsigned int reg = 0; reg < 0x400; reg += width[w]) {
			mmio_write(d->base + reg, width[w], random_wide(&r));
			mmio_read(d->base + reg, width[w]);
		}
	/* Unaligned, across registers and across the end of the window. */
	for (unsigned int reg = 1; reg < 0x1000; reg += 13)
		if (reg % 4)
			mmio_write(d->base + reg, 4, random_next(&r));
	mmio_write(d->base + 0xffe, 4, ~0ull);
	mmio_read(d->base + 0xffe, 4);
	check(reg_read(d, R_STATUS) ==
		      (S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK),
	      "%s: status %x after writes of odd widths", d->name,
	      (uint64_t)reg_read(d, R_STATUS));
	vdev_must_work(d, "writes of odd widths");
}

static void config(struct vdev *d)
{
	struct random r = { d->base + 1 };

	vdev_start(d, 0);
	for (unsigned int off = 0; off < 0xf00; off++) {
		mmio_write(d->base + R_CONFIG + off, 1u << off % 4,
			   random_wide(&r));
		mmio_read(d->base + R_CONFIG + off, 1u << off % 4);
	}
	/* Read-only registers. */
	reg_write(d, R_MAGIC, 0);
	reg_write(d, R_VERSION, 1);
	reg_write(d, R_ID, 99);
	reg_write(d, R_INT_STATUS, 3);
	reg_write(d, 0xfc, 77);
	check(reg_read(d, R_ID) == d->id && reg_read(d, R_VERSION) == 2,
	      "%s: read-only registers changed", d->name);
	vdev_must_work(d, "config writes");
}

void test_registers(void)
{
	static void (*const tests[])(struct vdev * d) = {
		queue_sizes,   queue_addresses,
		queue_overlap, queue_live_changes,
		early_kicks,   kicks_of_nothing,
		selectors,     features,
		status,	       widths,
		config,
	};

	for (unsigned int i = 0; i < nr_vdevs; i++) {
		for (unsigned int t = 0; t < ARRAY_SIZE(tests); t++)
			tests[t](&vdevs[i]);
		print("  %s: %u groups\n", vdevs[i].name,
		      (uint64_t)ARRAY_SIZE(tests));
	}
}
