// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-blk (virtio 1.2, 5.2): the device.  Queues are served on the I/O
 * thread, start and stop come on vCPU threads; dev.lock held everywhere.
 */
#include "virtio/blk.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "virtio/blk_dev.h"
#include "vmm/core/vm.h"

#define BIT(n) (1ull << (n))
/* What is taken in one turn; then other sources of the loop have theirs. */
#define TURN_REQS  64
#define TURN_BYTES (4u << 20)

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
	struct blk_req *req = blk_req_get(blk);
	int got = queue_pop(vq, &req->chain);

	if (got <= 0) {
		blk_req_put(blk, req);
		return got;
	}
	req->queue = (uint8_t)q;
	req->data = 0;
	req->range = req->ranges = 0;
	if (!take_status(req)) {
		queue_push(vq, req->chain.head, 0);
		blk_req_put(blk, req);
		return -EPROTO;
	}
	blk->turn += req->chain.out_len + req->chain.in_len;
	blk_req_handle(blk, req);
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

	blk->turn = 0;
	do {
		queue_disable_kick(vq);
		while ((got = take(blk, q)) > 0 && ++n < TURN_REQS &&
		       blk->turn < TURN_BYTES)
			;
	} while (!got && queue_enable_kick(vq));
	disk_kick(blk->disk);
	signal_used(blk);
	if (got < 0)
		virtio_broken(dev, "a malformed request");
	else if (got)
		virtio_again(dev, q);
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
	bool back = virtio_has(&blk->dev, VIRTIO_BLK_F_CONFIG_WCE)
			    ? blk->config.wce
			    : virtio_has(&blk->dev, VIRTIO_BLK_F_FLUSH);

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
	uint64_t features =
		BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
		BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_TOPOLOGY) |
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
		.size_max = BLK_SIZE_MAX,
		.seg_max = BLK_SEG_MAX,
		.blk_size = geo->block_size,
		.physical_block_exp = (uint8_t)__builtin_ctz(blocks),
		.min_io_size = (uint16_t)blocks,
		.wce = 1,
		.num_queues = (uint16_t)geo->queues,
		.max_discard_sectors = BLK_RANGE_SECTORS,
		.max_discard_seg = BLK_RANGES,
		.discard_sector_alignment = geo->block_size / DISK_SECTOR,
		.max_write_zeroes_sectors = BLK_RANGE_SECTORS,
		.max_write_zeroes_seg = BLK_RANGES,
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
	blk->nr_reqs = geo->queues * BLK_QUEUE_SIZE + 1;
	/* Not malloc(): pages that no request has used must cost nothing. */
	blk->req = mmap(NULL, blk->nr_reqs * sizeof(*blk->req),
			PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (blk->req == MAP_FAILED)
		goto err_free;
	virtio_init(&blk->dev, &blk_ops, vm, geo->queues, BLK_QUEUE_SIZE,
		    blk_features(geo), &blk->config, sizeof(blk->config));
	blk->user = (struct disk_user){
		.lock = &blk->dev.lock,
		.done = blk_req_done,
		.batch = blk_batch,
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
