/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver for virtio-mmio devices (virtio 1.2, 4.2 and 2.7) that does what
 * it is told, wrong things too.  No interrupts: it looks at the used ring.
 */
#ifndef GUEST_VIRTIO_H
#define GUEST_VIRTIO_H

#include "guest.h"

enum { VIRTIO_NET = 1, VIRTIO_BLK = 2, VIRTIO_CONSOLE = 3, VIRTIO_RNG = 4 };

enum { /* registers */
       R_MAGIC = 0x00,
       R_VERSION = 0x04,
       R_ID = 0x08,
       R_FEATURES = 0x10,
       R_FEATURES_SEL = 0x14,
       R_DRIVER = 0x20,
       R_DRIVER_SEL = 0x24,
       R_QUEUE_SEL = 0x30,
       R_QUEUE_MAX = 0x34,
       R_QUEUE_NUM = 0x38,
       R_QUEUE_READY = 0x44,
       R_NOTIFY = 0x50,
       R_INT_STATUS = 0x60,
       R_INT_ACK = 0x64,
       R_STATUS = 0x70,
       R_DESC = 0x80,
       R_AVAIL = 0x90,
       R_USED = 0xa0,
       R_CONFIG = 0x100,
};

enum { /* device status */
       S_ACK = 1,
       S_DRIVER = 2,
       S_DRIVER_OK = 4,
       S_FEATURES_OK = 8,
       S_NEEDS_RESET = 64,
       S_FAILED = 128,
};

#define F_INDIRECT  (1ull << 28)
#define F_EVENT_IDX (1ull << 29)
#define F_VERSION_1 (1ull << 32)
#define F_BLK_RO    (1ull << 5)

enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};
struct avail {
	uint16_t flags, idx, ring[];
};
struct used_elem {
	uint32_t id, len;
};
struct used {
	uint16_t flags, idx;
	struct used_elem ring[];
};

#define VDEVS  16
#define QUEUES 8
#define QSIZE  64

struct vq {
	unsigned int index;
	uint16_t size;		  /* entries */
	uint16_t avail_idx, seen; /* next to offer, next used to look at */
	volatile struct desc *desc;
	volatile struct avail *avail;
	volatile struct used *used;
};

struct vdev {
	uint64_t base;
	uint16_t port; /* its doorbell */
	uint32_t id;
	const char *name;
	unsigned int nr_queues; /* that the device has */
	struct vq vq[QUEUES];
};

extern struct vdev vdevs[VDEVS];
extern unsigned int nr_vdevs;

void vdev_scan(void);
/* The nth device of that kind, or NULL. */
struct vdev *vdev_find(uint32_t id, unsigned int nth);

static inline uint32_t reg_read(const struct vdev *d, unsigned int reg)
{
	return (uint32_t)mmio_read(d->base + reg, 4);
}
static inline void reg_write(const struct vdev *d, unsigned int reg,
			     uint32_t val)
{
	mmio_write(d->base + reg, 4, val);
}
void reg_write64(const struct vdev *d, unsigned int reg, uint64_t val);

uint64_t vdev_features(const struct vdev *d);
void vdev_accept(const struct vdev *d, uint64_t features);
/* Status 0, and the device says so. */
void vdev_reset(struct vdev *d);
/* Reset, ACKNOWLEDGE, DRIVER, the wanted ones of the features, FEATURES_OK. */
bool vdev_negotiate(struct vdev *d, uint64_t want);
void vdev_queue(struct vdev *d, unsigned int q, uint16_t size);
/* vdev_negotiate(), all queues, DRIVER_OK. */
bool vdev_start(struct vdev *d, uint64_t want);
/* NEEDS_RESET is there, or comes within seconds. */
bool vdev_broken(const struct vdev *d, unsigned int seconds);
/* Waits for either: true if it was a used buffer. */
bool vdev_answers(const struct vdev *d, struct vq *q, struct used_elem *elem);

/* Fills a descriptor. */
void vq_desc(struct vq *q, uint16_t i, uint64_t addr, uint32_t len,
	     uint16_t flags, uint16_t next);
void vq_offer(struct vq *q, uint16_t head); /* into the avail ring */
void vq_kick(struct vdev *d, struct vq *q);
/* The next used element within seconds, or false. */
bool vq_wait(struct vq *q, struct used_elem *elem, unsigned int seconds);

/* good.c: resets the device, gives it work, checks the answer. */
bool vdev_works(struct vdev *d);
/* The same, and says FAIL: after WHAT ... if it does not. */
void vdev_must_work(struct vdev *d, const char *what);

/* blk */
enum {
	BLK_IN,
	BLK_OUT,
	BLK_FLUSH = 4,
	BLK_GET_ID = 8,
	BLK_DISCARD = 11,
	BLK_ZEROES = 13
};
enum { BLK_OK, BLK_IOERR, BLK_UNSUPP, BLK_NONE = 0xee };
struct blk_head {
	uint32_t type, zero;
	uint64_t sector;
};
/* One request; what the device put into the status byte, or BLK_NONE. */
uint8_t blk_do(struct vdev *d, uint32_t type, uint64_t sector, uint64_t addr,
	       uint32_t len);

#endif
