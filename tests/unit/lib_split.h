/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's end of split-phase rings, and a host behind them whose calls do
 * what a test wants.
 */
#ifndef UNIT_LIB_SPLIT_H
#define UNIT_LIB_SPLIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hypercalls/ring.h"
#include "include/hotline/async.h"
#include "vmm/core/mem.h"

#define SPLIT_RINGS   8
#define SPLIT_WORKERS 4
#define SPLIT_STRIDE  0x80000 /* bytes from one ring's memory to the next */
#define SPLIT_CELLS   4096

enum split_op {
	SPLIT_COUNT,   /* short: counts arg[0]'s cell up; returns arg[1] */
	SPLIT_LONG,    /* the same by a worker */
	SPLIT_WAIT,    /* by a worker: waits for the gate first */
	SPLIT_NONE,    /* HL_ENOSYS */
	SPLIT_PRIVATE, /* HL_EINVAL: may not be posted */
};

struct split_host {
	struct mem mem;
	struct rings *rings;
	atomic_bool open;   /* the gate of SPLIT_WAIT */
	atomic_int waiting; /* before it */
	atomic_int raised;  /* interrupts, of all rings and ... */
	atomic_int raised_by[SPLIT_RINGS]; /* ... of each */
	/* Each call's place among all executed, from 1, by arg[0]. */
	atomic_uint seq, place[SPLIT_CELLS];
	atomic_uint count[SPLIT_CELLS];
};

struct split_ring {
	struct split_host *host;
	unsigned int id;
	uint32_t entries, tail, head;
	struct hl_ring *shared;
	struct hl_call *call;
	struct hl_completion *completion;
};

void split_start(struct split_host *h);
void split_stop(struct split_host *h); /* opens the gate first */

/* Ring `id` in its own memory, zeroed; returns what the host says. */
int64_t split_open(struct split_ring *g, struct split_host *h, unsigned int id,
		   uint32_t entries);
/* Until the host no longer says HL_EAGAIN. */
void split_close(struct split_ring *g);
/* Lets all indices of an open, idle ring start at `at`. */
void split_set_indices(struct split_ring *g, uint32_t at);

/* An entry, without moving the index. */
void split_write(struct split_ring *g, const struct hl_call *call);
/* Moves it, and rings if the host sleeps. */
void split_flush(struct split_ring *g);
/* Both.  arg[0] = cell = cookie, arg[1] = cookie * 3. */
void split_post(struct split_ring *g, enum split_op op, unsigned int flags,
		uint32_t cookie);
/* The next completion, if there is one; rings if that made room. */
bool split_poll(struct split_ring *g, struct hl_completion *c);
/* The same, waiting 20 s at most: false then. */
bool split_wait(struct split_ring *g, struct hl_completion *c);
/* Posted and not consumed. */
uint32_t split_pending(const struct split_ring *g);

/* Waits, 20 s at most, until *what == value. */
bool split_until(atomic_int *what, int value);

/* Time enough for what should not happen. */
void split_settle(void);

#endif
