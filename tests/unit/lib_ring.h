/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver's end of a split virtqueue, for tests that play the guest. */
#ifndef UNIT_LIB_RING_H
#define UNIT_LIB_RING_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "virtio/queue.h"
#include "vmm/core/mem.h"

struct ring {
	uint16_t size;
	uint64_t desc_gpa, avail_gpa, used_gpa;
	struct vring_desc *desc; /* host addresses */
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t seen; /* used entries taken */
};

/* Three pages at `at`, zeroed; size up to 256. */
void ring_init(struct ring *r, const struct mem *mem, uint64_t at,
	       uint16_t size);
/* The same, and the device's end of it, reset and started. */
void ring_start(struct ring *r, struct queue *q, const struct mem *mem,
		uint64_t at, uint16_t size, bool event_idx);
void ring_desc(struct ring *r, uint16_t i, uint64_t addr, uint32_t len,
	       uint16_t flags, uint16_t next);
/* Makes the chain at `head` available. */
void ring_offer(struct ring *r, uint16_t head);
/* Takes the next used entry; false if there is none. */
bool ring_take(struct ring *r, uint32_t *id, uint32_t *len);

/*
 * The marks of VIRTIO_RING_F_EVENT_IDX: interrupt for this one, and the one
 * that the device wants a kick for.
 */
void ring_set_used_event(struct ring *r, uint16_t idx);
uint16_t ring_avail_event(const struct ring *r);

#endif
