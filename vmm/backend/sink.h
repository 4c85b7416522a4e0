/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffered output that loses nothing and never holds up the machine's end.
 * Any thread but the I/O thread writes; the I/O thread flushes what has been
 * lying for a while.
 */
#ifndef BACKEND_SINK_H
#define BACKEND_SINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/backend/nbio.h"
#include "vmm/core/event.h"

struct vm;

/* More than a Linux guest gives us in one piece, see sink_write(). */
#define SINK_SIZE (64 * 1024)

struct sink {
	struct event_source timer; /* first: the timerfd */
	struct vm *vm;
	struct nbio io;
	_Atomic uint64_t last_ns; /* CLOCK_MONOTONIC_COARSE; 0 = never */
	pthread_mutex_t lock;	  /* all below */
	bool armed;		  /* timer is running */
	bool dead;		  /* the reader is gone */
	uint64_t lost;		  /* bytes that could not be kept */
	size_t len;
	char buf[SINK_SIZE];
};

/* On vm->loop; 0 or -errno. */
int sink_init(struct sink *s, struct vm *vm, int fd);
/*
 * Waits while the reader is slow, until the machine ends; what was not written
 * by then stays in the buffer, as far as it fits.
 */
void sink_write(struct sink *s, const void *buf, size_t len);
/* Writes the rest, for at most so long without progress (-1: any time). */
void sink_exit(struct sink *s, int patience_ms);

#endif
