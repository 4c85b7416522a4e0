/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event loop: an epoll set and its thread.  Sources belong to the caller
 * and may be added or removed only on the loop's thread, or before it runs;
 * event_mod() and event_stop() are for any thread.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct event_loop;

struct event_source {
	int fd;
	/* events: EPOLLIN, ... as reported.  Runs on the loop's thread. */
	void (*fn)(struct event_source *src, uint32_t events);
};

/* NULL with errno set. */
struct event_loop *event_new(void);
void event_free(struct event_loop *loop);

/*
 * events: EPOLL* mask.  Eventfds are best added with EPOLLIN | EPOLLET: each
 * write then reports once and nobody needs to read the counter.
 * Return 0 or -errno.
 */
int event_add(struct event_loop *loop, struct event_source *src,
	      uint32_t events);
int event_mod(struct event_loop *loop, struct event_source *src,
	      uint32_t events);
/* The callback will not run again, not even for events already fetched. */
void event_del(struct event_loop *loop, struct event_source *src);

/* Runs callbacks until event_stop(). */
void event_run(struct event_loop *loop);
void event_stop(struct event_loop *loop);

#endif
