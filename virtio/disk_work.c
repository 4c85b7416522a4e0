// SPDX-License-Identifier: GPL-2.0-only
/*
 * Worker threads of the libaio engine: they make the calls that Linux AIO
 * would block in.  Started when work is there, at most WORKERS; the lists are
 * guarded by work->lock, which nests inside the user's lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "virtio/disk_impl.h"

#define WORKERS	   4
#define STACK_SIZE (64 << 10)

struct disk_work {
	struct disk *disk;
	int event_fd;
	pthread_mutex_t lock;
	pthread_cond_t more, over;
	struct disk_req *todo, **todo_end; /* oldest first */
	struct disk_req *finished;
	unsigned int threads, idle, todos;
	bool quit;
	pthread_t thread[WORKERS];
};

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

static struct disk_req *work_take(struct disk_work *work)
{
	struct disk_req *req;

	while (!work->todo && !work->quit) {
		work->idle++;
		pthread_cond_wait(&work->more, &work->lock);
		work->idle--;
	}
	req = work->todo;
	if (req) {
		work->todo = req->next;
		work->todos--;
		if (!work->todo)
			work->todo_end = &work->todo;
	}
	return req;
}

static void *work_main(void *arg)
{
	struct disk_work *work = arg;
	struct disk_req *req;

	pthread_mutex_lock(&work->lock);
	while ((req = work_take(work))) {
		pthread_mutex_unlock(&work->lock);
		req->res = work_do(work->disk, req);
		pthread_mutex_lock(&work->lock);
		req->next = work->finished;
		work->finished = req;
		pthread_cond_signal(&work->over);
		eventfd_write(work->event_fd, 1);
	}
	pthread_mutex_unlock(&work->lock);
	return NULL;
}

/* One more thread, deaf to signals: those are for the main thread. */
static int work_start(struct disk_work *work)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&work->thread[work->threads], &attr, work_main,
			     work);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (!err)
		work->threads++;
	return -err;
}

struct disk_work *disk_work_new(struct disk *disk, int event_fd)
{
	struct disk_work *work = calloc(1, sizeof(*work));

	if (!work)
		return NULL;
	work->disk = disk;
	work->event_fd = event_fd;
	work->todo_end = &work->todo;
	pthread_mutex_init(&work->lock, NULL);
	pthread_cond_init(&work->more, NULL);
	pthread_cond_init(&work->over, NULL);
	return work;
}

void disk_work_free(struct disk_work *work)
{
	unsigned int i;

	pthread_mutex_lock(&work->lock);
	work->quit = true;
	pthread_cond_broadcast(&work->more);
	pthread_mutex_unlock(&work->lock);
	for (i = 0; i < work->threads; i++)
		pthread_join(work->thread[i], NULL);
	pthread_cond_destroy(&work->over);
	pthread_cond_destroy(&work->more);
	pthread_mutex_destroy(&work->lock);
	free(work);
}

void disk_work_queue(struct disk_work *work, struct disk_req *req)
{
	int err = 0;

	req->next = NULL;
	pthread_mutex_lock(&work->lock);
	*work->todo_end = req;
	work->todo_end = &req->next;
	work->todos++;
	if (work->todos > work->idle && work->threads < WORKERS)
		err = work_start(work);
	pthread_cond_signal(&work->more);
	if (err && !work->threads) { /* nobody will ever take it */
		work->todo = NULL;
		work->todo_end = &work->todo;
		work->todos = 0;
	} else {
		err = 0;
	}
	pthread_mutex_unlock(&work->lock);
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
