// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disk requests: cutting them into steps, trying the page cache, resuming
 * short transfers.  Runs on whatever thread calls, under the user's lock;
 * completions mostly on the I/O thread.
 */
#include "virtio/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "virtio/disk_impl.h"
#include "vmm/core/log.h"

#define NOT_NOW	    (-4096) /* no errno: the step needs the engine */
#define MAX_RETRIES 16
/* Reads that go straight to the engine after one was not in the cache. */
#define NO_PEEK 16

/*
 * Longest write to tmpfs: before each page Linux 6.12 touches all the rest of
 * a call's buffers, so long calls take quadratic time.
 */
#define MEMORY_WRITE (64 << 10)

/* Written when the host cannot zero a range; never touched, so no memory. */
static char zeroes[256 << 10];

int disk_fallocate_mode(const struct disk_req *req)
{
	if (req->step == DISK_ZERO && !(req->flags & DISK_UNMAP))
		return FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
	return FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
}

/* Lets the step see only the first len bytes of the request's buffers. */
static void cut_iov(struct disk_req *req, uint64_t len)
{
	uint64_t sum = 0;
	unsigned int i = 0;

	req->step_len = len;
	req->step_iovs = req->iovcnt;
	req->cut = 0;
	if (len == req->len)
		return;
	while (i < req->iovcnt && sum < len)
		sum += req->iov[i++].iov_len;
	req->step_iovs = i;
	if (sum > len) {
		req->cut = sum - len;
		req->iov[i - 1].iov_len -= req->cut;
	}
}

static void uncut_iov(struct disk_req *req)
{
	if (req->cut)
		req->iov[req->step_iovs - 1].iov_len += req->cut;
	req->cut = 0;
}

static void advance(struct disk_req *req, uint64_t len)
{
	req->off += len;
	req->len -= len;
	if (!req->len || req->op > DISK_WRITE)
		return;
	while (len >= req->iov->iov_len) {
		len -= req->iov->iov_len;
		req->iov++;
		req->iovcnt--;
	}
	req->iov->iov_base = (char *)req->iov->iov_base + len;
	req->iov->iov_len -= len;
}

static void prepare_transfer(struct disk *disk, struct disk_req *req)
{
	uint64_t len = req->len;
	bool top = req->op == DISK_WRITE;

	req->step = req->op;
	req->slot = DISK_BASE;
	if (disk->map) {
		if (req->op == DISK_READ)
			len = disk_overlay_extent(disk, req->off, len, &top);
		req->slot = top ? DISK_TOP : DISK_BASE;
	}
	if (req->op == DISK_WRITE && len > MEMORY_WRITE &&
	    disk->file[req->slot].memory)
		len = MEMORY_WRITE;
	cut_iov(req, len);
}

static void prepare_zero_write(struct disk *disk, struct disk_req *req)
{
	req->step = DISK_WRITE;
	req->slot = disk->map ? DISK_TOP : DISK_BASE;
	req->step_len = req->len < sizeof(zeroes) ? req->len : sizeof(zeroes);
	req->zero.iov_base = zeroes;
	req->zero.iov_len = req->step_len;
	req->iov = &req->zero;
	req->step_iovs = 1;
	req->cut = 0;
}

/*
 * An overlay's discard gives back what the top file holds and leaves that
 * marked (it reads as zeroes then); the base is not ours to change.
 */
static void prepare_range(struct disk *disk, struct disk_req *req)
{
	bool top = true;

	req->step = req->op;
	req->step_len = req->len;
	req->slot = DISK_BASE;
	if (!disk->map)
		return;
	req->slot = DISK_TOP;
	req->flags |= DISK_UNMAP;
	if (req->op == DISK_DISCARD)
		req->step_len =
			disk_overlay_extent(disk, req->off, req->len, &top);
	if (!top)
		req->slot = DISK_BASE;
}

static void prepare(struct disk *disk, struct disk_req *req)
{
	if (req->op <= DISK_WRITE) {
		prepare_transfer(disk, req);
	} else if (req->op == DISK_FLUSH) {
		req->step = DISK_FLUSH;
		req->slot = disk->map ? DISK_TOP : DISK_BASE;
	} else if (req->op == DISK_ZERO && req->zero_by_write) {
		prepare_zero_write(disk, req);
	} else {
		prepare_range(disk, req);
	}
}

/*
 * Reads the page cache: a hit costs one system call here, less than a trip
 * through a ring.  After a miss the cache is left alone for some requests,
 * so that a cold or uncached disk pays for few vain calls.
 */
static ssize_t peek(struct disk *disk, struct disk_req *req, int fd)
{
	ssize_t n;

	if (disk->direct && req->slot == DISK_BASE)
		return NOT_NOW;
	if (disk->no_peek) {
		disk->no_peek--;
		return NOT_NOW;
	}
	n = preadv2(fd, req->iov, req->step_iovs, req->off, RWF_NOWAIT);
	if (n >= 0)
		return n;
	disk->no_peek = NO_PEEK;
	return NOT_NOW;
}

/* Does a step here and now if that does not block, else NOT_NOW. */
static ssize_t run_now(struct disk *disk, struct disk_req *req)
{
	const struct disk_file *file = &disk->file[req->slot];
	ssize_t n;

	switch (req->step) {
	case DISK_READ:
		if (!file->memory)
			return peek(disk, req, file->fd);
		n = preadv(file->fd, req->iov, req->step_iovs, req->off);
		return n < 0 ? -errno : n;
	case DISK_WRITE:
		/* Zeroing by hand may take long. */
		if (!file->memory || req->op == DISK_ZERO)
			return NOT_NOW;
		n = pwritev(file->fd, req->iov, req->step_iovs, req->off);
		return n < 0 ? -errno : n;
	case DISK_FLUSH:
		/* What an overlay holds ends with us anyway. */
		return file->memory || disk->map ? 0 : NOT_NOW;
	case DISK_DISCARD:
		return disk->no_discard || (disk->map && req->slot == DISK_BASE)
			       ? 0
			       : NOT_NOW;
	case DISK_ZERO:
		break;
	}
	return NOT_NOW;
}

/* What a failed step means: 1 to go on, 0 or -errno as the request's end. */
static int step_failed(struct disk *disk, struct disk_req *req, int err)
{
	static const char *const name[] = {
		[DISK_READ] = "read",	      [DISK_WRITE] = "write",
		[DISK_FLUSH] = "flush",	      [DISK_DISCARD] = "discard",
		[DISK_ZERO] = "write-zeroes",
	};
	static struct log_limit limit;

	/* Cancelled: the thread that submitted it has ended. */
	if ((err == -EINTR || err == -EAGAIN || err == -ECANCELED) &&
	    req->retries++ < MAX_RETRIES)
		return 1;
	if (req->step == DISK_DISCARD && err == -EOPNOTSUPP) {
		disk->no_discard = true; /* it is but a hint */
		return 0;
	}
	if (req->step == DISK_ZERO && err == -EOPNOTSUPP) {
		req->zero_by_write = true;
		return 1;
	}
	warn_limited(
		&limit, "disk %s: %s of %llu bytes at %llu: %s%s", disk->path,
		name[req->step], (unsigned long long)req->step_len,
		(unsigned long long)req->off, strerror(-err),
		req->slot == DISK_TOP && err == -ENOSPC
			? " (overlay=tmp: set TMPDIR to where there is room)"
			: "");
	return err;
}

/* A transfer of nothing: the file is shorter than it was. */
static int step_empty(struct disk *disk)
{
	static struct log_limit limit;

	warn_limited(&limit, "disk %s: the file shrank while in use",
		     disk->path);
	return -EIO;
}

/* Takes a step's result in: 1 to go on, 0 or -errno as the request's end. */
static int step_end(struct disk *disk, struct disk_req *req, ssize_t res)
{
	uint64_t len = req->step_len;

	if (req->op <= DISK_WRITE)
		uncut_iov(req);
	if (res < 0)
		return step_failed(disk, req, (int)res);
	if (req->step == DISK_FLUSH)
		return 0;
	if (req->step <= DISK_WRITE) {
		if (!res)
			return step_empty(disk);
		len = (uint64_t)res;
	}
	if (disk->map && (req->op == DISK_WRITE || req->op == DISK_ZERO))
		disk_overlay_mark(disk, req->off, len);
	advance(req, len);
	if (req->len)
		return 1;
	if ((req->flags & DISK_SYNC) && req->op >= DISK_DISCARD) {
		req->op = DISK_FLUSH;
		return 1;
	}
	return 0;
}

/* Steps until the engine has to take one, or the request ends. */
static void run(struct disk *disk, struct disk_req *req)
{
	ssize_t res;
	int err;

	do {
		prepare(disk, req);
		res = run_now(disk, req);
		if (res == NOT_NOW) {
			disk->inflight++;
			disk->queued = true;
			disk->engine->queue(disk, req);
			return;
		}
		err = step_end(disk, req, res);
	} while (err > 0);
	disk->user->done(disk->user, req, err);
}

void disk_step_done(struct disk *disk, struct disk_req *req, ssize_t res)
{
	int err = step_end(disk, req, res);

	disk->inflight--;
	if (err > 0)
		run(disk, req);
	else
		disk->user->done(disk->user, req, err);
}

void disk_submit(struct disk *disk, struct disk_req *req)
{
	req->retries = 0;
	req->zero_by_write = false;
	req->cut = 0;
	if (!req->len && req->op != DISK_FLUSH)
		disk->user->done(disk->user, req, 0);
	else
		run(disk, req);
}

static void submit(struct disk *disk)
{
	disk->queued = false;
	disk->engine->submit(disk);
}

void disk_kick(struct disk *disk)
{
	if (!disk->queued)
		return;
	submit(disk);
	disk->engine->reap(disk, false);
	/* A short transfer's rest; its completion then comes by the loop. */
	if (disk->queued)
		submit(disk);
}

void disk_drain(struct disk *disk)
{
	while (disk->inflight) {
		if (disk->queued)
			submit(disk);
		disk->engine->reap(disk, true);
	}
}

static void on_event(struct event_source *src, uint32_t events)
{
	struct disk *disk =
		(struct disk *)((char *)src - offsetof(struct disk, source));

	(void)events;
	pthread_mutex_lock(disk->user->lock);
	disk->engine->reap(disk, false);
	if (disk->queued)
		submit(disk);
	disk->user->batch(disk->user);
	pthread_mutex_unlock(disk->user->lock);
}

int disk_attach(struct disk *disk, struct event_loop *loop,
		struct disk_user *user)
{
	int err;

	disk->source.fd = disk->event_fd;
	disk->source.fn = on_event;
	err = event_add(loop, &disk->source, EPOLLIN | EPOLLET);
	if (err)
		return err;
	disk->loop = loop;
	disk->user = user;
	return 0;
}
