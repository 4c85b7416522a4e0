// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets in the middle of work, and two processors at one device: one that
 * drives it, one that changes what was checked (virtio 1.2, 2.4).
 */
#include "virtio.h"

#define BUF	 (ARENA + 0x1000000)
#define BUF_SIZE 0x100000u
#define PAINT	 0x77

static void pause_for(uint64_t cycles)
{
	uint64_t end = tsc() + cycles;

	while (tsc() < end)
		relax();
}

/* Much work at once, with an answer into BUF. */
static void give_work(struct vdev *d)
{
	struct vq *q = &d->vq[0];
	uint64_t heads = BUF + BUF_SIZE;

	for (uint16_t i = 0; i + 2 < q->size; i = (uint16_t)(i + 3)) {
		struct blk_head *h = (void *)(heads + i * 32u);

		*h = (struct blk_head){ BLK_IN, 0, i };
		if (d->id == VIRTIO_BLK) {
			vq_desc(q, i, (uintptr_t)h, 16, D_NEXT,
				(uint16_t)(i + 1));
			vq_desc(q, (uint16_t)(i + 1), BUF + i * 0x4000u, 0xc000,
				D_NEXT | D_WRITE, (uint16_t)(i + 2));
			vq_desc(q, (uint16_t)(i + 2), heads + i * 32u + 16, 1,
				D_WRITE, 0);
		} else {
			vq_desc(q, i, BUF + i * 0x4000u, 4096, D_WRITE, 0);
		}
		vq_offer(q, i);
	}
	vq_kick(d, q);
}

/* Once the status reads 0 the memory is the driver's (virtio 1.2, 2.4.1). */
static void reset_under_work(struct vdev *d, struct random *r)
{
	const uint64_t *p = (const uint64_t *)BUF;
	uint64_t paint = 0x0101010101010101ull * PAINT;

	vdev_start(d, 0);
	give_work(d);
	pause_for(random_below(r, 300000));
	if (random_below(r, 4))
		vdev_reset(d);
	else
		for (unsigned int q = 0; q < d->nr_queues; q++) {
			reg_write(d, R_QUEUE_SEL, q);
			reg_write(d, R_QUEUE_READY, 0);
		}
	memset((void *)BUF, PAINT, BUF_SIZE);
	pause_for(3000000);
	for (unsigned int i = 0; i < BUF_SIZE / 8; i++)
		if (p[i] != paint) {
			fail("%s: writes to memory after a reset", d->name);
			break;
		}
}

void test_reset(void)
{
	struct random r = { param("seed", 3) };
	uint64_t n = param("n", 40);

	for (unsigned int i = 0; i < nr_vdevs; i++) {
		for (uint64_t k = 0; k < n; k++)
			reset_under_work(&vdevs[i], &r);
		vdev_must_work(&vdevs[i], "resets under work");
		print("  %s: %u resets\n", vdevs[i].name, n);
	}
}

static struct {
	struct vdev *dev;
	struct random random;
	volatile bool stop;
} foe;

/* Second processor: flips what the device is just looking at. */
static void disturb(void *arg)
{
	struct random *r = &foe.random;

	(void)arg;
	while (!foe.stop) {
		struct vdev *d = foe.dev;
		struct vq *q = &d->vq[random_below(r, d->nr_queues)];
		uint16_t i = (uint16_t)random_below(r, 6);

		switch (random_below(r, 8)) {
		case 0:
			reg_write(d, R_NOTIFY, random_below(r, d->nr_queues));
			break;
		case 1:
			reg_write(d, R_INT_ACK, 3);
			break;
		case 2:
			if (!random_below(r, 16))
				reg_write(d, R_STATUS, 0);
			break;
		case 3:
			q->desc[i].addr = random_below(r, 2) ? ram_end - 8
							     : BUF;
			break;
		case 4:
			q->desc[i].len = random_below(r, 2) ? 0xfffffff0 : 512;
			break;
		case 5:
			q->desc[i].flags = (uint16_t)random_below(r, 8);
			q->desc[i].next = (uint16_t)random_below(r, 70);
			break;
		case 6:
			((volatile struct blk_head *)BUF)->type =
				random_below(r, 16);
			break;
		default:
			q->avail->idx =
				(uint16_t)(q->avail->idx + random_below(r, 3));
		}
	}
}

static void drive(struct vdev *d, uint64_t rounds)
{
	struct vq *q;

	for (uint64_t k = 0; k < rounds; k++) {
		reg_write(d, R_STATUS, 0);
		reg_write(d, R_STATUS, S_ACK | S_DRIVER);
		vdev_accept(d, vdev_features(d) & (F_VERSION_1 | F_INDIRECT));
		reg_write(d, R_STATUS, S_ACK | S_DRIVER | S_FEATURES_OK);
		for (unsigned int n = 0; n < d->nr_queues; n++)
			vdev_queue(d, n, QSIZE);
		reg_write(d, R_STATUS,
			  S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
		for (unsigned int n = 0; n < 12; n++) {
			q = &d->vq[n % d->nr_queues];
			vq_desc(q, 0, BUF, 16, D_NEXT, 1);
			vq_desc(q, 1, BUF + 0x1000, 4096, D_NEXT | D_WRITE, 2);
			vq_desc(q, 2, BUF + 0x3000, 1, D_WRITE, 0);
			vq_offer(q, (uint16_t)(n % 3));
			vq_kick(d, q);
		}
	}
}

void test_race(void)
{
	uint64_t n = param("n", 300);

	foe.random.state = param("seed", 5);
	foe.dev = &vdevs[0];
	for (unsigned int q = 0; q < QUEUES; q++)
		for (unsigned int i = 0; i < nr_vdevs; i++)
			if (q < vdevs[i].nr_queues)
				vdev_queue(&vdevs[i], q, QSIZE);
	ap_run(disturb, NULL);
	for (unsigned int i = 0; i < nr_vdevs; i++) {
		foe.dev = &vdevs[i];
		drive(&vdevs[i], n);
		print("  %s: %u rounds\n", vdevs[i].name, n);
	}
	foe.stop = true;
	ap_wait();
	for (unsigned int i = 0; i < nr_vdevs; i++)
		vdev_must_work(&vdevs[i], "two processors at it");
}
