// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disk engine: io_uring.  One ring per disk, guarded by the user's lock, so
 * that any thread may submit or reap (hence no IORING_SETUP_SINGLE_ISSUER).
 * The event loop polls the ring's own descriptor.  Files are not registered:
 * the kernel lets go of a dead ring's files late, and of their locks with them.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <unistd.h>

#include "virtio/disk_impl.h"

#define SQ_ENTRIES   64
#define CQ_ENTRIES   512 /* more in flight: the kernel keeps the rest */
#define SUBMIT_TRIES 100 /* 1 ms apart */

static int uring_setup(struct io_uring *ring)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE | IORING_SETUP_COOP_TASKRUN,
		.cq_entries = CQ_ENTRIES,
	};
	int err = io_uring_queue_init_params(SQ_ENTRIES, ring, &params);

	if (err != -EINVAL)
		return err;
	/* Before Linux 5.19 */
	params = (struct io_uring_params){
		.flags = IORING_SETUP_CQSIZE,
		.cq_entries = CQ_ENTRIES,
	};
	return io_uring_queue_init_params(SQ_ENTRIES, ring, &params);
}

static int uring_open(struct disk *disk)
{
	struct io_uring *ring = calloc(1, sizeof(*ring));
	int err;

	if (!ring)
		return -ENOMEM;
	err = uring_setup(ring);
	if (err) {
		free(ring);
		return err;
	}
	disk->engine_data = ring;
	disk->event_fd = ring->ring_fd;
	return 0;
}

static void uring_close(struct disk *disk)
{
	io_uring_queue_exit(disk->engine_data);
	free(disk->engine_data);
}

/* Hands the ring to the kernel; waits a little if the host is out of memory. */
static void uring_submit(struct disk *disk)
{
	struct io_uring *ring = disk->engine_data;
	unsigned int try;
	int n;

	for (try = 0; try < SUBMIT_TRIES; try++) {
		n = io_uring_submit(ring);
		if (n != -EAGAIN && n != -EBUSY && n != -EINTR)
			break;
		if (n == -EBUSY) /* completions first */
			break;
		usleep(n == -EAGAIN ? 1000 : 0);
	}
	disk->queued = io_uring_sq_ready(ring) != 0;
}

static void uring_prep_transfer(struct io_uring_sqe *sqe, int fd,
				struct disk_req *req)
{
	bool one = req->step_iovs == 1;

	if (req->step == DISK_READ && one)
		io_uring_prep_read(sqe, fd, req->iov->iov_base,
				   (unsigned int)req->iov->iov_len, req->off);
	else if (req->step == DISK_READ)
		io_uring_prep_readv(sqe, fd, req->iov, req->step_iovs,
				    req->off);
	else if (one)
		io_uring_prep_write(sqe, fd, req->iov->iov_base,
				    (unsigned int)req->iov->iov_len, req->off);
	else
		io_uring_prep_writev(sqe, fd, req->iov, req->step_iovs,
				     req->off);
	if (req->step == DISK_WRITE && (req->flags & DISK_SYNC))
		sqe->rw_flags = RWF_DSYNC;
}

static void uring_queue(struct disk *disk, struct disk_req *req)
{
	struct io_uring *ring = disk->engine_data;
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	int fd = disk->file[req->slot].fd;

	if (!sqe) {
		uring_submit(disk);
		sqe = io_uring_get_sqe(ring);
		disk->queued = true;
	}
	if (!sqe) {
		disk_step_done(disk, req, -ENOMEM);
		return;
	}
	if (req->step <= DISK_WRITE)
		uring_prep_transfer(sqe, fd, req);
	else if (req->step == DISK_FLUSH)
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
	else
		io_uring_prep_fallocate(sqe, fd, disk_fallocate_mode(req),
					(off_t)req->off, (off_t)req->step_len);
	io_uring_sqe_set_data(sqe, req);
}

static void uring_reap(struct disk *disk, bool wait)
{
	struct io_uring *ring = disk->engine_data;
	struct io_uring_cqe *cqe;
	struct disk_req *req;
	int res;

	/* What the kernel hasn't seen will not complete. */
	if (wait && !io_uring_sq_ready(ring))
		io_uring_wait_cqe(ring, &cqe);
	while (!io_uring_peek_cqe(ring, &cqe)) {
		req = io_uring_cqe_get_data(cqe);
		res = cqe->res;
		io_uring_cqe_seen(ring, cqe);
		disk_step_done(disk, req, res);
	}
}

const struct disk_engine disk_uring = {
	.name = "io_uring",
	.open = uring_open,
	.close = uring_close,
	.queue = uring_queue,
	.submit = uring_submit,
	.reap = uring_reap,
};
