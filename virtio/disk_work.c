// SPDX-License-Identifier: GPL-2.0-only
/*
 * Worker threads of the libaio engine: they make the calls that Linux AIO
 * would block in.  The list of those that are done is guarded by work->lock,
 * which nests inside the user's lock, as the pool's does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "virtio/disk_impl.h"
#include "vmm/backend/pool.h"

#define WORKERS 4

struct disk_work {
	struct disk *disk;
	struct pool *pool;
	int event_fd;
	pthread_mutex_t lock;
	pthread_cond_t over;
	struct disk_req *finished;
};

struct work_job { /* in a request's engine[] */
	struct pool_job job;
	struct disk_work *work;
	struct disk_req *req;
};

_Static_assert(sizeof(struct work_job) <=
		       sizeof(((struct disk_req *)0)->engine),
	       "room for the job");

/* One step, blocking: bytes, 0 or -errno. */
static ssize_t work_do(const struct disk *disk, const struct disk_req *req)
{
	int fd = disk->file[req->slot].fd;
	int sync = req->flags & DISK_SYNC ? RWF_DSYNC : 0;
	int iovs = (int)req->step_iovs;
	ssize_t n = -1;

	switch (req->step) {
	case DISK_READ:
		n = preadv(fd, req->iov, iovs, (off_t)req->off);
		break;
	case DISK_WRITE:
		n = pwritev2(fd, req->iov, iovs, (off_t)req->off, sync);
		break;
	case DISK_FLUSH:
		n = fdatasync(fd);
		break;
	case DISK_DISCARD:
	case DISK_ZERO:
		n = fallocate(fd, disk_fallocate_mode(req), (off_t)req->off,
			      (off_t)req->step_len);
		break;
	}
	return n < 0 ? -errno : n;
}

static void work_run(struct pool_job *pool_job)
{
	struct work_job *job = (struct work_job *)pool_job;
	struct disk_work *work = job->work;
	struct disk_req *req = job->req;

	req->res = work_do(work->disk, req);
	pthread_mutex_lock(&work->lock);
	req->next = work->finished;
	work->finished = req;
	pthread_cond_signal(&work->over);
	eventfd_write(work->event_fd, 1);
	pthread_mutex_unlock(&work->lock);
}

struct disk_work *disk_work_new(struct disk *disk, int event_fd)
{
	struct disk_work *work = calloc(1, sizeof(*work));

	if (!work)
		return NULL;
	work->pool = pool_new(WORKERS);
	if (!work->pool) {
		free(work);
		return NULL;
	}
	work->disk = disk;
	work->event_fd = event_fd;
	pthread_mutex_init(&work->lock, NULL);
	pthread_cond_init(&work->over, NULL);
	return work;
}

void disk_work_free(struct disk_work *work)
{
	pool_free(work->pool);
	pthread_cond_destroy(&work->over);
	pthread_mutex_destroy(&work->lock);
	free(work);
}

void disk_work_queue(struct disk_work *work, struct disk_req *req)
{
	struct work_job *job = (struct work_job *)req->engine;
	int err;

	*job = (struct work_job){ { .run = work_run }, work, req };
	err = pool_add(work->pool, &job->job);
	if (err)
		disk_step_done(work->disk, req, err);
}

void disk_work_reap(struct disk_work *work, bool wait)
{
	struct disk_req *req, *next;

	pthread_mutex_lock(&work->lock);
	while (wait && !work->finished)
		pthread_cond_wait(&work->over, &work->lock);
	req = work->finished;
	work->finished = NULL;
	pthread_mutex_unlock(&work->lock);
	for (; req; req = next) {
		next = req->next;
		disk_step_done(work->disk, req, req->res);
	}
}
