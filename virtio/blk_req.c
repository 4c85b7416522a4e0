// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of virtio-blk (virtio 1.2, 5.2.6): parsing, answering.  A header
 * is copied out of guest memory once; data moves straight between guest
 * memory and the disk.  Any thread, dev.lock held.
 */
#include <stddef.h>

#include "virtio/blk_dev.h"

struct blk_req *blk_req_get(struct blk *blk)
{
	struct blk_req *req = blk->free;

	if (!req)
		return &blk->req[blk->fresh++];
	blk->free = req->next_free;
	return req;
}

void blk_req_put(struct blk *blk, struct blk_req *req)
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
	blk_req_put(blk, req);
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
	return sector <= blk->geo->sectors && nr <= blk->geo->sectors - sector;
}

static bool good_transfer(const struct blk *blk, uint64_t sector, uint32_t len)
{
	return !(len % DISK_SECTOR) && len <= BLK_REQ_MAX &&
	       in_range(blk, sector, len / DISK_SECTOR);
}

static void do_read(struct blk *blk, struct blk_req *req, uint64_t sector)
{
	struct chain *c = &req->chain;
	uint32_t len = c->in_len - 1;

	if (!good_transfer(blk, sector, len)) {
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

	if (blk->geo->readonly || !good_transfer(blk, sector, len)) {
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
	uint32_t flags = op == DISK_ZERO ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP
					 : 0;

	if (seg->flags & ~flags)
		return VIRTIO_BLK_S_UNSUPP;
	if (seg->num_sectors > BLK_RANGE_SECTORS ||
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
	    (c->out_len - off) / sizeof(seg) > BLK_RANGES)
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

void blk_req_handle(struct blk *blk, struct blk_req *req)
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

/* disk_user: also the way out of disk_submit() if the answer is there. */
void blk_req_done(struct disk_user *user, struct disk_req *disk_req, int err)
{
	struct blk *blk =
		(struct blk *)((char *)user - offsetof(struct blk, user));
	struct blk_req *req = (struct blk_req *)disk_req;

	if (err)
		finish(blk, req, VIRTIO_BLK_S_IOERR, 0);
	else if (req->range < req->ranges)
		next_range(blk, req, req->op);
	else
		finish(blk, req, VIRTIO_BLK_S_OK, req->data);
}
