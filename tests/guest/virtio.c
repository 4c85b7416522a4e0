// SPDX-License-Identifier: GPL-2.0-only
/* Registers and rings: see virtio.h. */
#include "virtio.h"

#include "include/hotline/platform.h"

#define MAGIC 0x74726976
/* Rings live at the arena's start, 16 KiB for each queue. */
#define RINGS	  ARENA
#define RING_SIZE 0x4000
#define AVAIL_OFF 0x2000
#define USED_OFF  0x3000

struct vdev vdevs[VDEVS];
unsigned int nr_vdevs;

static const char *name_of(uint32_t id)
{
	switch (id) {
	case VIRTIO_NET:
		return "net";
	case VIRTIO_BLK:
		return "blk";
	case VIRTIO_CONSOLE:
		return "console";
	case VIRTIO_RNG:
		return "rng";
	}
	return "unknown";
}

static unsigned int count_queues(const struct vdev *d)
{
	unsigned int n;

	for (n = 0; n < QUEUES; n++) {
		reg_write(d, R_QUEUE_SEL, n);
		if (!reg_read(d, R_QUEUE_MAX))
			break;
	}
	return n;
}

void vdev_scan(void)
{
	for (unsigned int i = 0; i < VDEVS; i++) {
		struct vdev *d = &vdevs[nr_vdevs];

		d->base = HL_VIRTIO_MMIO + i * HL_VIRTIO_MMIO_STEP;
		d->port = (uint16_t)(HL_DOORBELL_PORT + i * HL_DOORBELL_STEP);
		if (reg_read(d, R_MAGIC) != MAGIC || !reg_read(d, R_ID))
			continue;
		check(reg_read(d, R_VERSION) == 2, "version %u of device %u",
		      (uint64_t)reg_read(d, R_VERSION), (uint64_t)i);
		d->id = reg_read(d, R_ID);
		d->name = name_of(d->id);
		d->nr_queues = count_queues(d);
		nr_vdevs++;
	}
}

struct vdev *vdev_find(uint32_t id, unsigned int nth)
{
	for (unsigned int i = 0; i < nr_vdevs; i++)
		if (vdevs[i].id == id && !nth--)
			return &vdevs[i];
	return NULL;
}

void reg_write64(const struct vdev *d, unsigned int reg, uint64_t val)
{
	reg_write(d, reg, (uint32_t)val);
	reg_write(d, reg + 4, (uint32_t)(val >> 32));
}

uint64_t vdev_features(const struct vdev *d)
{
	uint64_t low;

	reg_write(d, R_FEATURES_SEL, 0);
	low = reg_read(d, R_FEATURES);
	reg_write(d, R_FEATURES_SEL, 1);
	return low | (uint64_t)reg_read(d, R_FEATURES) << 32;
}

void vdev_accept(const struct vdev *d, uint64_t features)
{
	reg_write(d, R_DRIVER_SEL, 0);
	reg_write(d, R_DRIVER, (uint32_t)features);
	reg_write(d, R_DRIVER_SEL, 1);
	reg_write(d, R_DRIVER, (uint32_t)(features >> 32));
}

void vdev_reset(struct vdev *d)
{
	struct deadline limit = deadline_in(PATIENCE);

	reg_write(d, R_STATUS, 0);
	while (reg_read(d, R_STATUS) && !deadline_over(&limit))
		;
	check(!reg_read(d, R_STATUS), "%s: status is %x after a reset", d->name,
	      (uint64_t)reg_read(d, R_STATUS));
}

bool vdev_negotiate(struct vdev *d, uint64_t want)
{
	vdev_reset(d);
	reg_write(d, R_STATUS, S_ACK);
	reg_write(d, R_STATUS, S_ACK | S_DRIVER);
	vdev_accept(d, vdev_features(d) & want);
	reg_write(d, R_STATUS, S_ACK | S_DRIVER | S_FEATURES_OK);
	return reg_read(d, R_STATUS) & S_FEATURES_OK;
}

void vdev_queue(struct vdev *d, unsigned int n, uint16_t size)
{
	struct vq *q = &d->vq[n];
	uint64_t at = RINGS + ((uint64_t)(d - vdevs) * QUEUES + n) * RING_SIZE;

	memset((void *)at, 0, RING_SIZE);
	reg_write(d, R_QUEUE_SEL, n);
	q->index = n;
	q->size = size;
	if (reg_read(d, R_QUEUE_MAX) < size)
		q->size = (uint16_t)reg_read(d, R_QUEUE_MAX);
	q->avail_idx = q->seen = 0;
	q->desc = (void *)at;
	q->avail = (void *)(at + AVAIL_OFF);
	q->used = (void *)(at + USED_OFF);
	reg_write(d, R_QUEUE_NUM, q->size);
	reg_write64(d, R_DESC, at);
	reg_write64(d, R_AVAIL, at + AVAIL_OFF);
	reg_write64(d, R_USED, at + USED_OFF);
	reg_write(d, R_QUEUE_READY, 1);
}

bool vdev_start(struct vdev *d, uint64_t want)
{
	if (!vdev_negotiate(d, want | F_VERSION_1)) {
		fail("%s: FEATURES_OK did not stay", d->name);
		return false;
	}
	for (unsigned int n = 0; n < d->nr_queues; n++)
		vdev_queue(d, n, QSIZE);
	reg_write(d, R_STATUS, S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	return true;
}

bool vdev_answers(const struct vdev *d, struct vq *q, struct used_elem *elem)
{
	struct deadline limit = deadline_in(PATIENCE);

	while (q->used->idx == q->seen && !vdev_broken(d, 0))
		if (deadline_over(&limit))
			break;
	return vq_wait(q, elem, 0);
}

bool vdev_broken(const struct vdev *d, unsigned int seconds)
{
	struct deadline limit = deadline_in(seconds);

	while (!(reg_read(d, R_STATUS) & S_NEEDS_RESET))
		if (deadline_over(&limit))
			return false;
	return true;
}

void vq_desc(struct vq *q, uint16_t i, uint64_t addr, uint32_t len,
	     uint16_t flags, uint16_t next)
{
	q->desc[i].addr = addr;
	q->desc[i].len = len;
	q->desc[i].flags = flags;
	q->desc[i].next = next;
}

void vq_offer(struct vq *q, uint16_t head)
{
	q->avail->ring[q->avail_idx % q->size] = head;
	fence();
	q->avail->idx = ++q->avail_idx;
	fence();
}

/* By turns in both ways, if the device has the second (doorbell=1). */
void vq_kick(struct vdev *d, struct vq *q)
{
	static unsigned int kicks;

	if (param("doorbell", 0) && kicks++ & 1)
		outl(d->port, q->index);
	else
		reg_write(d, R_NOTIFY, q->index);
}

bool vq_wait(struct vq *q, struct used_elem *elem, unsigned int seconds)
{
	struct deadline limit = deadline_in(seconds);

	while (q->used->idx == q->seen)
		if (deadline_over(&limit))
			return false;
	fence();
	elem->id = q->used->ring[q->seen % q->size].id;
	elem->len = q->used->ring[q->seen % q->size].len;
	q->seen++;
	return true;
}
