/* SPDX-License-Identifier: GPL-2.0-only */
/* Between virtio/blk.c, the device, and virtio/blk_req.c, its requests. */
#ifndef VIRTIO_BLK_DEV_H
#define VIRTIO_BLK_DEV_H

#include <linux/virtio_blk.h>

#include "virtio/disk.h"
#include "virtio/virtio.h"

#define BLK_QUEUE_SIZE 256
#define BLK_SEG_MAX    (BLK_QUEUE_SIZE - 2) /* without header and status */
#define BLK_SIZE_MAX   (1u << 20)	    /* of a segment */
/* A driver that respects both never asks for more than this at once. */
#define BLK_REQ_MAX	  (BLK_SEG_MAX * BLK_SIZE_MAX)
#define BLK_RANGES	  16	     /* of a discard or write-zeroes */
#define BLK_RANGE_SECTORS (1u << 21) /* of each: 1 GiB */

struct blk_range {
	uint64_t off, len;  /* bytes */
	unsigned int flags; /* enum disk_req_flags */
};

struct blk_req {
	struct disk_req disk; /* first member */
	struct blk_req *next_free;
	uint8_t *status; /* in guest memory */
	uint32_t data;	 /* bytes that success stores before it */
	enum disk_op op; /* of all ranged[] */
	uint8_t queue;
	uint8_t range, ranges; /* next and number of ranged[] */
	struct chain chain;
	struct blk_range ranged[BLK_RANGES];
};

struct blk {
	struct virtio_dev dev; /* first member */
	struct disk *disk;
	struct disk_user user;
	const struct disk_geometry *geo;
	struct virtio_blk_config config;
	char serial[VIRTIO_BLK_ID_BYTES];
	unsigned int sync; /* DISK_SYNC if we are write-through */
	uint64_t turn;	   /* bytes asked for in this turn */
	uint32_t dirty;	   /* bit q: pushed since virtio_used() */
	struct blk_req *free;
	/*
	 * One more than all queues hold, and a queue never has more chains in
	 * flight than entries.  Costs memory only when used.
	 */
	struct blk_req *req;
	unsigned int fresh, nr_reqs; /* req[fresh..] were never taken */
};

/* Does what req->chain asks for; its status byte is split off already. */
void blk_req_handle(struct blk *blk, struct blk_req *req);
/* For struct disk_user. */
void blk_req_done(struct disk_user *user, struct disk_req *disk_req, int err);

struct blk_req *blk_req_get(struct blk *blk);
void blk_req_put(struct blk *blk, struct blk_req *req);

#endif
