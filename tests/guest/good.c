// SPDX-License-Identifier: GPL-2.0-only
/* A correct request for each kind of device, and whether its answer is right. */
#include "virtio.h"

#define BUF (ARENA + 0x1000000) /* 16 MiB into the arena */

uint8_t blk_do(struct vdev *d, uint32_t type, uint64_t sector, uint64_t addr,
	       uint32_t len)
{
	volatile struct blk_head *head = (void *)(BUF + 0x800000);
	volatile uint8_t *status = (void *)(BUF + 0x800100);
	bool in = type == BLK_IN || type == BLK_GET_ID;
	struct vq *q = &d->vq[0];
	struct used_elem elem;

	head->type = type;
	head->zero = 0;
	head->sector = sector;
	*status = BLK_NONE;
	vq_desc(q, 0, (uintptr_t)head, sizeof(*head), D_NEXT, len ? 1 : 2);
	vq_desc(q, 1, addr, len, D_NEXT | (in ? D_WRITE : 0), 2);
	vq_desc(q, 2, (uintptr_t)status, 1, D_WRITE, 0);
	vq_offer(q, 0);
	vq_kick(d, q);
	return vq_wait(q, &elem, PATIENCE) ? *status : BLK_NONE;
}

static bool blk_works(struct vdev *d)
{
	volatile uint32_t *out = (void *)BUF, *in = (void *)(BUF + 0x10000);
	static uint32_t salt;

	if (vdev_features(d) & F_BLK_RO)
		return blk_do(d, BLK_IN, 8, BUF, 4096) == BLK_OK;
	salt++;
	for (uint32_t i = 0; i < 1024; i++) {
		out[i] = i * 2654435761u + salt;
		in[i] = 0;
	}
	return blk_do(d, BLK_OUT, 8, BUF, 4096) == BLK_OK &&
	       blk_do(d, BLK_FLUSH, 0, 0, 0) == BLK_OK &&
	       blk_do(d, BLK_IN, 8, BUF + 0x10000, 4096) == BLK_OK &&
	       !memcmp((void *)BUF, (void *)(BUF + 0x10000), 4096);
}

static bool rng_works(struct vdev *d)
{
	uint8_t *buf = (uint8_t *)BUF;
	struct used_elem elem;
	bool varies = false;

	memset(buf, 0, 64);
	vq_desc(&d->vq[0], 5, BUF, 64, D_WRITE, 0);
	vq_offer(&d->vq[0], 5);
	vq_kick(d, &d->vq[0]);
	if (!vq_wait(&d->vq[0], &elem, PATIENCE))
		return false;
	for (uint32_t i = 1; i < elem.len && i < 64; i++)
		varies |= buf[i] != buf[0];
	return elem.id == 5 && elem.len > 1 && elem.len <= 64 && varies;
}

static bool console_works(struct vdev *d)
{
	struct used_elem elem;

	memcpy((void *)BUF, "[alive]\n", 8);
	vq_desc(&d->vq[1], 3, BUF, 8, 0, 0);
	vq_offer(&d->vq[1], 3);
	vq_kick(d, &d->vq[1]);
	return vq_wait(&d->vq[1], &elem, PATIENCE) && elem.id == 3;
}

/* ARP: who has 10.0.2.2?  The user-mode network answers that itself. */
static void arp_write(uint8_t *p, const uint8_t mac[6])
{
	static const uint8_t head[] = { 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1 };
	static const uint8_t me[] = { 10, 0, 2, 15 }, gw[] = { 10, 0, 2, 2 };

	memset(p, 0, 12 + 60);
	p += 12; /* struct virtio_net_hdr_v1 */
	memset(p, 0xff, 6);
	memcpy(p + 6, mac, 6);
	memcpy(p + 12, head, 10);
	memcpy(p + 22, mac, 6);
	memcpy(p + 28, me, 4);
	memcpy(p + 38, gw, 4);
}

static bool net_works(struct vdev *d)
{
	static const uint8_t reply[] = { 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2 };
	struct deadline limit = deadline_in(PATIENCE);
	struct used_elem elem;
	uint8_t mac[6];

	for (unsigned int i = 0; i < 6; i++)
		mac[i] = (uint8_t)mmio_read(d->base + R_CONFIG + i, 1);
	for (uint16_t i = 0; i < 16; i++) {
		vq_desc(&d->vq[0], i, BUF + i * 0x1000u, 2048, D_WRITE, 0);
		vq_offer(&d->vq[0], i);
	}
	vq_kick(d, &d->vq[0]);
	while (!deadline_over(&limit)) {
		arp_write((uint8_t *)BUF + 0x20000, mac);
		vq_desc(&d->vq[1], 1, BUF + 0x20000, 12 + 60, 0, 0);
		vq_offer(&d->vq[1], 1);
		vq_kick(d, &d->vq[1]);
		if (!vq_wait(&d->vq[1], &elem, PATIENCE))
			return false;
		while (vq_wait(&d->vq[0], &elem, 1)) {
			uint8_t *p = (uint8_t *)BUF + elem.id * 0x1000u + 12;

			if (elem.id < 16 && !memcmp(p + 12, reply, 10) &&
			    !memcmp(p, mac, 6))
				return true;
			vq_offer(&d->vq[0], (uint16_t)elem.id);
			vq_kick(d, &d->vq[0]);
		}
	}
	return false;
}

bool vdev_works(struct vdev *d)
{
	if (!vdev_start(d, 0))
		return false;
	switch (d->id) {
	case VIRTIO_BLK:
		return blk_works(d);
	case VIRTIO_RNG:
		return rng_works(d);
	case VIRTIO_CONSOLE:
		return console_works(d);
	case VIRTIO_NET:
		return net_works(d);
	}
	return true;
}

void vdev_must_work(struct vdev *d, const char *what)
{
	check(vdev_works(d), "%s does not work after: %s (status %x)", d->name,
	      what, (uint64_t)reg_read(d, R_STATUS));
	vdev_reset(d);
}
