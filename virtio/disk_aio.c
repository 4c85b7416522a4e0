// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disk engine: Linux AIO.  It is asynchronous for reads and writes of files
 * opened with direct=on only; with a page cache in between io_submit() blocks
 * until the data is there, and so do fdatasync() and fallocate().  Those steps
 * go to worker threads (disk_work.c) instead.  One eventfd reports both.
 */
#include <errno.h>
#include <libaio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "virtio/disk_impl.h"

#define AIO_DEPTH 128 /* in the kernel at a time */
#define AIO_BATCH 32

struct aio {
	io_context_t ctx;
	int event_fd;
	struct disk_work *work;
	struct disk_req *todo, **todo_end; /* not yet submitted */
	unsigned int inflight;		   /* in the kernel */
};

_Static_assert(sizeof(struct iocb) <= sizeof(((struct disk_req *)0)->engine),
	       "an iocb fits into a request");

static int aio_open(struct disk *disk)
{
	struct aio *aio = calloc(1, sizeof(*aio));
	int err;

	if (!aio)
		return -ENOMEM;
	aio->todo_end = &aio->todo;
	aio->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = aio->event_fd < 0 ? -errno : 0;
	if (err)
		goto err_free;
	err = disk->direct ? io_setup(AIO_DEPTH, &aio->ctx) : 0;
	if (err)
		goto err_event;
	err = -ENOMEM;
	aio->work = disk_work_new(disk, aio->event_fd);
	if (!aio->work)
		goto err_ctx;
	disk->engine_data = aio;
	disk->event_fd = aio->event_fd;
	return 0;
err_ctx:
	if (disk->direct)
		io_destroy(aio->ctx);
err_event:
	close(aio->event_fd);
err_free:
	free(aio);
	return err;
}

static void aio_close(struct disk *disk)
{
	struct aio *aio = disk->engine_data;

	disk_work_free(aio->work);
	if (disk->direct)
		io_destroy(aio->ctx);
	close(aio->event_fd);
	free(aio);
}

static void aio_prepare(struct aio *aio, struct disk *disk,
			struct disk_req *req)
{
	struct iocb *iocb = (struct iocb *)req->engine;
	int fd = disk->file[req->slot].fd;

	if (req->step == DISK_READ)
		io_prep_preadv(iocb, fd, req->iov, (int)req->step_iovs,
			       (long long)req->off);
	else
		io_prep_pwritev(iocb, fd, req->iov, (int)req->step_iovs,
				(long long)req->off);
	if (req->step == DISK_WRITE && (req->flags & DISK_SYNC))
		iocb->aio_rw_flags = RWF_DSYNC;
	io_set_eventfd(iocb, aio->event_fd);
	iocb->data = req;
}

static void aio_queue(struct disk *disk, struct disk_req *req)
{
	struct aio *aio = disk->engine_data;

	if (!disk->direct || req->slot != DISK_BASE || req->step > DISK_WRITE) {
		disk_work_queue(aio->work, req);
		return;
	}
	aio_prepare(aio, disk, req);
	req->next = NULL;
	*aio->todo_end = req;
	aio->todo_end = &req->next;
}

/* Drops n requests from the front of the list. */
static void aio_drop(struct aio *aio, int n)
{
	while (n--)
		aio->todo = aio->todo->next;
	if (!aio->todo)
		aio->todo_end = &aio->todo;
}

static void aio_submit(struct disk *disk)
{
	struct aio *aio = disk->engine_data;
	struct iocb *batch[AIO_BATCH];
	struct disk_req *req;
	int i, n;

	while (aio->todo && aio->inflight < AIO_DEPTH) {
		i = 0;
		for (req = aio->todo; req && i < AIO_BATCH; req = req->next)
			batch[i++] = (struct iocb *)req->engine;
		n = io_submit(aio->ctx, i, batch);
		if (n == -EAGAIN && aio->inflight)
			break; /* more room when those are done */
		req = aio->todo;
		aio_drop(aio, n > 0 ? n : 1);
		if (n > 0)
			aio->inflight += (unsigned int)n;
		else
			disk_step_done(disk, req, n);
	}
	disk->queued = aio->todo != NULL;
}

static void aio_reap(struct disk *disk, bool wait)
{
	struct aio *aio = disk->engine_data;
	struct io_event event[AIO_BATCH];
	int i, n = AIO_BATCH;

	while (aio->inflight && n == AIO_BATCH) {
		n = io_getevents(aio->ctx, wait, AIO_BATCH, event, NULL);
		for (i = 0; i < n; i++) {
			aio->inflight--;
			disk_step_done(disk, event[i].data,
				       (ssize_t)(long)event[i].res);
		}
		if (n > 0)
			wait = false;
	}
	disk_work_reap(aio->work, wait && !aio->inflight);
}

const struct disk_engine disk_aio = {
	.name = "libaio",
	.open = aio_open,
	.close = aio_close,
	.queue = aio_queue,
	.submit = aio_submit,
	.reap = aio_reap,
};
