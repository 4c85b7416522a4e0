// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-blk (virtio 1.2, 5.2): parses requests and answers them.  Runs on
 * the I/O thread, start and stop on vCPU threads; dev.lock held everywhere.
 *
 * A header is copied out of guest memory once; data moves straight between
 * guest memory and the disk; the last writable byte of a chain is its status.
 */
#include "virtio/blk.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "virtio/disk.h"
#include "virtio/virtio.h"
#include "vmm/core/vm.h"

#define BIT(n) (1ull << (n))
#define QUEUE_SIZE 256
#define SEG_MAX (QUEUE_SIZE - 2)	/* data segments: without header, status */
#define RANGE_SEGS 16			/* ranges of a discard or write-zeroes */
#define RANGE_SECTORS (1u << 21)	/* of each: 1 GiB */
/* Requests taken in one turn; then other sources of the loop have theirs. */
#define BUDGET 64

struct blk_range {
	uint64_t off, len;		/* bytes */
	unsigned int flags;		/* enum disk_req_flags */
};

struct blk_req {
	struct disk_req disk;		/* first member */
	struct blk_req *next_free;
	uint8_t *status;		/* in guest memory */
	uint32_t data;			/* bytes that success stores before it */
	enum disk_op op;		/* of all ranged[] */
	uint8_t queue;
	uint8_t range, ranges;		/* next and number of ranged[] */
	struct chain chain;
	struct blk_range ranged[RANGE_SEGS];
};

struct blk {
	struct virtio_dev dev;		/* first member */
	struct disk *disk;
	struct disk_user user;
	const struct disk_geometry *geo;
	struct virtio_blk_config config;
	char serial[VIRTIO_BLK_ID_BYTES];
	unsigned int sync;		/* DISK_SYNC if we are write-through */
	uint32_t dirty;			/* bit q: pushed since virtio_used() */
	struct blk_req *free;
	/* As many as all queues hold; memory is used when they are */
	struct blk_req *req;
	unsigned int fresh, nr_reqs;	/* req[fresh..] were never taken */
};

static struct blk_req *req_get(struct blk *blk)
{
	struct blk_req *req = blk->free;

	if (req)
		blk->free = req->next_free;
	else if (blk->fresh < blk->nr_reqs)
		req = &blk->req[blk->fresh++];
	return req;
}

static void req_put(struct blk *blk, struct blk_req *req)
{
	req->next_free = blk->free;
	blk->free = req;
}

/* data: bytes stored from the beginning of the writable part. */
static void finish(struct blk *blk, struct blk_req *req, uint8_t status,
		   uint32_t data)
{
	const struct chain *c = &req->chain;

	*req->status = status;
	if (data == c->in_len - 1)
		data++;
	queue_push(&blk->dev.queue[req->queue], c->head, data);
	blk->dirty |= 1u << req->queue;
	req_put(blk, req);
}

static void submit(struct blk *blk, struct blk_req *req, enum disk_op op,
		   unsigned int flags, uint64_t off, uint64_t len)
{
	req->disk.op = op;
	req->disk.flags = flags | blk->sync;
	req->disk.off = off;
	req->disk.len = len;
	disk_submit(blk->disk, &req->disk);
}

static bool in_range(const struct blk *blk, uint64_t sector, uint64_t nr)
{
	return sector <= blk->geo->sectors &&
	       nr <= blk->geo->sectors - sector;
}

static void do_read(struct blk *blk, struct blk_req *req, uint64_t sector)
{
	struct chain *c = &req->chain;
	uint32_t len = c->in_len - 1;

	if (len % DISK_SECTOR || !in_range(blk, sector, len / DISK_SECTOR)) {
		finish(blk, req, VIRTIO_BLK_S_IOERR, 0);
		return;
	}
	req->data = len;
	req->disk.iov = c->iov + c->out;
	req->disk.iovcnt = c->in;
	submit(blk, req, DISK_READ, 0, sector * DISK_SECTOR, len);
}

static void do_write(struct blk *blk, struct blk_req *req, uint64_t sector)
{
	struct chain *c = &req->chain;
	uint32_t skip = sizeof(struct virtio_blk_outhdr);
	uint32_t len = c->out_len - skip;
	struct iovec *iov = c->iov;

	if (blk->geo->readonly || len % DISK_SECTOR ||
	    !in_range(blk, sector, len / DISK_SECTOR)) {
		finish(blk, req, VIRTIO_BLK_S_IOERR, 0);
		return;
	}
	while (skip && skip >= iov->iov_len)
		skip -= (uint32_t)iov++->iov_len;
	if (skip) {
		iov->iov_base = (uint8_t *)iov->iov_base + skip;
		iov->iov_len -= skip;
	}
	req->disk.iov = iov;
	req->disk.iovcnt = c->out - (unsigned int)(iov - c->iov);
	submit(blk, req, DISK_WRITE, 0, sector * DISK_SECTOR, len);
}

static void do_get_id(struct blk *blk, struct blk_req *req)
{
	struct chain *c = &req->chain;
	size_t n = iov_from_buf(c->iov + c->out, c->in, 0, blk->serial,
				sizeof(blk->serial));

	finish(blk, req, VIRTIO_BLK_S_OK, (uint32_t)n);
}

/* Checks one guest range and keeps it: VIRTIO_BLK_S_*. */
static uint8_t add_range(struct blk *blk, struct blk_req *req, enum disk_op op,
			 const struct virtio_blk_discard_write_zeroes *seg)
{
	struct blk_range *range = &req->ranged[req->ranges];
	uint32_t flags = op == DISK_ZERO ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP :
			 0;

	if (seg->flags & ~flags)
		return VIRTIO_BLK_S_UNSUPP;
	if (seg->num_sectors > RANGE_SECTORS ||
	    !in_range(blk, seg->sector, seg->num_sectors))
		return VIRTIO_BLK_S_IOERR;
	range->off = seg->sector * DISK_SECTOR;
	range->len = (uint64_t)seg->num_sectors * DISK_SECTOR;
	range->flags = seg->flags ? DISK_UNMAP : 0;
	req->ranges++;
	return VIRTIO_BLK_S_OK;
}

static void next_range(struct blk *blk, struct blk_req *req, enum disk_op op)
{
	const struct blk_range *range = &req->ranged[req->range++];

	submit(blk, req, op, range->flags, range->off, range->len);
}

/* Discard and write-zeroes: a list of ranges, all checked before the first. */
static void do_ranges(struct blk *blk, struct blk_req *req, enum disk_op op)
{
	struct virtio_blk_discard_write_zeroes seg;
	struct chain *c = &req->chain;
	uint32_t off = sizeof(struct virtio_blk_outhdr);
	uint8_t status = VIRTIO_BLK_S_OK;

	req->op = op;
	if (blk->geo->readonly || c->out_len == off ||
	    (c->out_len - off) % sizeof(seg) ||
	    (c->out_len - off) / sizeof(seg) > RANGE_SEGS)
		status = VIRTIO_BLK_S_IOERR;
	for (; !status && off < c->out_len; off += sizeof(seg)) {
		iov_to_buf(c->iov, c->out, off, &seg, sizeof(seg));
		status = add_range(blk, req, op, &seg);
	}
	if (status)
		finish(blk, req, status, 0);
	else
		next_range(blk, req, op);
}

static void handle(struct blk *blk, struct blk_req *req)
{
	struct chain *c = &req->chain;
	struct virtio_blk_outhdr hdr;

	if (iov_to_buf(c->iov, c->out, 0, &hdr, sizeof(hdr)) < sizeof(hdr)) {
		finish(blk, req, VIRTIO_BLK_S_IOERR, 0);
		return;
	}
	switch (hdr.type) {
	case VIRTIO_BLK_T_IN:
		do_read(blk, req, hdr.sector);
		break;
	case VIRTIO_BLK_T_OUT:
		do_write(blk, req, hdr.sector);
		break;
	case VIRTIO_BLK_T_FLUSH:
		submit(blk, req, DISK_FLUSH, 0, 0, 0);
		break;
	case VIRTIO_BLK_T_GET_ID:
		do_get_id(blk, req);
		break;
	case VIRTIO_BLK_T_DISCARD:
		do_ranges(blk, req, DISK_DISCARD);
		break;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		do_ranges(blk, req, DISK_ZERO);
		break;
	default:
		finish(blk, req, VIRTIO_BLK_S_UNSUPP, 0);
	}
}

/* Splits the status byte off; false if there is none. */
static bool take_status(struct blk_req *req)
{
	struct chain *c = &req->chain;
	struct iovec *last = &c->iov[c->out + c->in - 1];

	if (!c->in_len)
		return false;
	last->iov_len--;
	req->status = (uint8_t *)last->iov_base + last->iov_len;
	if (!last->iov_len)
		c->in--;
	return true;
}

/* Takes one chain of queue q: 1, 0 if there is none, -EPROTO. */
static int take(struct blk *blk, unsigned int q)
{
	struct queue *vq = &blk->dev.queue[q];
	struct blk_req *req = req_get(blk);
	int got = req ? queue_pop(vq, &req->chain) : -EPROTO;

	if (got <= 0) {
		if (req)
			req_put(blk, req);
		return got;
	}
	req->queue = (uint8_t)q;
	req->data = 0;
	req->range = req->ranges = 0;
	if (!take_status(req)) {
		queue_push(vq, req->chain.head, 0);
		req_put(blk, req);
		return -EPROTO;
	}
	handle(blk, req);
	return 1;
}

static void signal_used(struct blk *blk)
{
	unsigned int q;

	for (; blk->dirty; blk->dirty &= blk->dirty - 1) {
		q = (unsigned int)__builtin_ctz(blk->dirty);
		virtio_used(&blk->dev, q);
	}
}

/*
 * Everything the driver has queued goes to the host in one call, and what is
 * done at once comes back with one interrupt.
 */
static void blk_notify(struct virtio_dev *dev, unsigned int q)
{
	struct blk *blk = (struct blk *)dev;
	struct queue *vq = &dev->queue[q];
	unsigned int n = 0;
	int got;

	do {
		queue_disable_kick(vq);
		while ((got = take(blk, q)) > 0 && ++n < BUDGET)
			;
	} while (!got && queue_enable_kick(vq));
	disk_kick(blk->disk);
	signal_used(blk);
	if (got < 0)
		virtio_broken(dev, "a malformed request");
	else if (got)
		virtio_again(dev, q);
}

/* disk_user: also the way out of disk_submit() if the answer is there. */
static void blk_done(struct disk_user *user, struct disk_req *disk_req,
		     int err)
{
	struct blk *blk = (struct blk *)((char *)user -
					 offsetof(struct blk, user));
	struct blk_req *req = (struct blk_req *)disk_req;

	if (err)
		finish(blk, req, VIRTIO_BLK_S_IOERR, 0);
	else if (req->range < req->ranges)
		next_range(blk, req, req->op);
	else
		finish(blk, req, VIRTIO_BLK_S_OK, req->data);
}

static void blk_batch(struct disk_user *user)
{
	signal_used((struct blk *)((char *)user - offsetof(struct blk, user)));
}

/*
 * virtio 1.2, 5.2.5.2: the driver's choice of caching if it can choose, else
 * write-back only for drivers that know how to flush.
 */
static void set_caching(struct blk *blk)
{
	bool back = virtio_has(&blk->dev, VIRTIO_BLK_F_CONFIG_WCE) ?
		    blk->config.wce :
		    virtio_has(&blk->dev, VIRTIO_BLK_F_FLUSH);

	blk->sync = back ? 0 : DISK_SYNC;
}

static void blk_start(struct virtio_dev *dev)
{
	set_caching((struct blk *)dev);
}

static void blk_stop(struct virtio_dev *dev)
{
	struct blk *blk = (struct blk *)dev;

	disk_drain(blk->disk);
	signal_used(blk);
}

static void blk_config_write(struct virtio_dev *dev, unsigned int off,
			     unsigned int len, uint32_t val)
{
	struct blk *blk = (struct blk *)dev;

	if (off == offsetof(struct virtio_blk_config, wce) && len == 1 &&
	    virtio_has(dev, VIRTIO_BLK_F_CONFIG_WCE) && val <= 1) {
		blk->config.wce = (uint8_t)val;
		set_caching(blk);
	}
}

static void blk_free(struct virtio_dev *dev)
{
	struct blk *blk = (struct blk *)dev;

	disk_close(blk->disk);
	munmap(blk->req, blk->nr_reqs * sizeof(*blk->req));
	virtio_exit(dev);
	free(blk);
}

static const struct virtio_ops blk_ops = {
	.name = "blk",
	.id = VIRTIO_ID_BLOCK,
	.start = blk_start,
	.stop = blk_stop,
	.notify = blk_notify,
	.config_write = blk_config_write,
	.free = blk_free,
};

static uint64_t blk_features(const struct disk_geometry *geo)
{
	uint64_t features = BIT(VIRTIO_BLK_F_SEG_MAX) |
			    BIT(VIRTIO_BLK_F_BLK_SIZE) |
			    BIT(VIRTIO_BLK_F_TOPOLOGY) |
			    BIT(VIRTIO_BLK_F_FLUSH);

	if (geo->queues > 1)
		features |= BIT(VIRTIO_BLK_F_MQ);
	if (geo->readonly)
		return features | BIT(VIRTIO_BLK_F_RO);
	return features | BIT(VIRTIO_BLK_F_CONFIG_WCE) |
	       BIT(VIRTIO_BLK_F_DISCARD) | BIT(VIRTIO_BLK_F_WRITE_ZEROES);
}

static void fill_config(struct virtio_blk_config *config,
			const struct disk_geometry *geo)
{
	uint32_t blocks = geo->phys_block_size / geo->block_size;

	*config = (struct virtio_blk_config){
		.capacity = geo->sectors,
		.seg_max = SEG_MAX,
		.blk_size = geo->block_size,
		.physical_block_exp = (uint8_t)__builtin_ctz(blocks),
		.min_io_size = (uint16_t)blocks,
		.wce = 1,
		.num_queues = (uint16_t)geo->queues,
		.max_discard_sectors = RANGE_SECTORS,
		.max_discard_seg = RANGE_SEGS,
		.discard_sector_alignment = geo->block_size / DISK_SECTOR,
		.max_write_zeroes_sectors = RANGE_SECTORS,
		.max_write_zeroes_seg = RANGE_SEGS,
		.write_zeroes_may_unmap = 1,
	};
}

struct virtio_dev *virtio_blk_new(struct vm *vm, struct disk *disk,
				  const char *serial)
{
	const struct disk_geometry *geo = disk_geometry(disk);
	struct blk *blk = calloc(1, sizeof(*blk));
	int err = ENOMEM;

	if (!blk)
		goto err;
	blk->disk = disk;
	blk->geo = geo;
	memcpy(blk->serial, serial, strnlen(serial, sizeof(blk->serial)));
	fill_config(&blk->config, geo);
	blk->nr_reqs = geo->queues * QUEUE_SIZE;
	/* Not malloc(): pages that no request has used must cost nothing. */
	blk->req = mmap(NULL, blk->nr_reqs * sizeof(*blk->req),
			PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (blk->req == MAP_FAILED)
		goto err_free;
	virtio_init(&blk->dev, &blk_ops, vm, geo->queues, QUEUE_SIZE,
		    blk_features(geo), &blk->config, sizeof(blk->config));
	blk->user = (struct disk_user){
		.lock = &blk->dev.lock, .done = blk_done, .batch = blk_batch,
	};
	err = -disk_attach(disk, vm->loop, &blk->user);
	if (!err)
		return &blk->dev;

	virtio_exit(&blk->dev);
	munmap(blk->req, blk->nr_reqs * sizeof(*blk->req));
err_free:
	free(blk);
err:
	errno = err;
	return NULL;
}
