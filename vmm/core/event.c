// SPDX-License-Identifier: GPL-2.0-only
/* The event loop.  Everything runs on its thread but event_stop(). */
#include "vmm/core/event.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH 16

struct event_loop {
	int epfd;
	struct event_source wake; /* event_stop()'s eventfd */
	atomic_bool stop;
	struct epoll_event got[BATCH]; /* being dispatched */
	int at, nr;
};

static void woken(struct event_source *src, uint32_t events)
{
	(void)src;
	(void)events;
}

struct event_loop *event_new(void)
{
	struct event_loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (!loop)
		return NULL;
	loop->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epfd < 0)
		goto err_free;
	loop->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->wake.fn = woken;
	if (loop->wake.fd < 0)
		goto err_epfd;
	err = event_add(loop, &loop->wake, EPOLLIN | EPOLLET);
	if (!err)
		return loop;

	errno = -err;
	close(loop->wake.fd);
err_epfd:
	close(loop->epfd);
err_free:
	free(loop);
	return NULL;
}

void event_free(struct event_loop *loop)
{
	if (!loop)
		return;
	close(loop->wake.fd);
	close(loop->epfd);
	free(loop);
}

static int control(struct event_loop *loop, int op, struct event_source *src,
		   uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = src };

	return epoll_ctl(loop->epfd, op, src->fd, &ev) < 0 ? -errno : 0;
}

int event_add(struct event_loop *loop, struct event_source *src,
	      uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, src, events);
}

int event_mod(struct event_loop *loop, struct event_source *src,
	      uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, src, events);
}

void event_del(struct event_loop *loop, struct event_source *src)
{
	control(loop, EPOLL_CTL_DEL, src, 0);
	for (int i = loop->at; i < loop->nr; i++)
		if (loop->got[i].data.ptr == src)
			loop->got[i].data.ptr = NULL;
}

void event_run(struct event_loop *loop)
{
	while (!atomic_load_explicit(&loop->stop, memory_order_acquire)) {
		loop->nr = epoll_wait(loop->epfd, loop->got, BATCH, -1);
		for (loop->at = 0; loop->at < loop->nr;) {
			struct epoll_event *ev = &loop->got[loop->at++];
			struct event_source *src = ev->data.ptr;

			if (src)
				src->fn(src, ev->events);
		}
		loop->nr = 0;
	}
}

void event_stop(struct event_loop *loop)
{
	uint64_t one = 1;

	atomic_store_explicit(&loop->stop, true, memory_order_release);
	if (write(loop->wake.fd, &one, sizeof(one)) < 0)
		return; /* full: it is awake already */
}
