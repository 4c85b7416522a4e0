/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the rings share. */
#ifndef HYPERCALLS_RING_IMPL_H
#define HYPERCALLS_RING_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "hypercalls/ring.h"
#include "include/hotline/async.h"
#include "vmm/backend/pool.h"
#include "vmm/core/event.h"

/* Calls that the dispatcher takes at a time. */
#define RING_BATCH 16
/*
 * Long calls of one ring in the host's hands; further ones stay in the ring.
 * Bounds what a guest can make us allocate.
 */
#define RING_HELD 256

struct ring;

/* A long call, from when it is taken until it completed. */
struct ring_slot {
	struct pool_job job; /* first */
	struct ring *ring;
	struct ring_slot *next_free;
	bool used;
	uint64_t cookie;
	struct hl_call call; /* the worker's while it runs */
};

enum ring_state { RING_SHUT, RING_OPEN, RING_CLOSING };

struct ring {
	struct event_source doorbell; /* first */
	struct rings *all;

	/*
	 * All below is guarded by this lock, and so are our writes to the
	 * guest's memory.  It is not held while a call runs.
	 */
	pthread_mutex_t lock;
	enum ring_state state;
	bool broken;
	bool stalled; /* the next worker that completes a call must kick */

	/* Guest memory, NULL when shut; the indices are our own copies. */
	struct hl_ring *shared;
	struct hl_call *call;
	struct hl_completion *completion;
	uint32_t entries;
	uint32_t call_head, completion_tail;
	uint32_t running;  /* calls taken, not completed */
	uint32_t in_batch; /* calls of ours in all->batch */

	struct ring_slot *slot, *free;
	unsigned int slots, nr_free;
};

struct rings {
	struct rings_options opt;
	struct event_loop *loop; /* the dispatcher's: doorbells */
	struct pool *pool;
	pthread_mutex_t start_lock; /* the next two */
	bool started;
	pthread_t thread;
	atomic_bool stop;

	/* The dispatcher's calls, of the one ring that has in_batch. */
	struct hl_call batch[RING_BATCH];
	uint64_t cookie[RING_BATCH];

	unsigned int nr;
	struct ring ring[];
};

/* Guest memory: relaxed unless a comment says what else is needed. */
#define ring_load(p)	 __atomic_load_n(p, __ATOMIC_RELAXED)
#define ring_store(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

/* A doorbell: takes calls until there are none to be had.  Dispatcher only. */
void ring_serve(struct event_source *src, uint32_t events);
/* Makes the dispatcher look at the ring. */
void ring_kick(struct ring *ring);

/* Who must be told once the lock is no longer held. */
struct ring_news {
	bool raise, kick;
};
/*
 * Writes completions, lock held; their calls count as ended.  The caller then
 * unlocks and passes the answer to ring_tell().
 */
struct ring_news ring_complete(struct ring *ring,
			       const struct hl_completion *done,
			       unsigned int nr);
void ring_tell(struct ring *ring, struct ring_news news);

void ring_put_slot(struct ring *ring, struct ring_slot *slot);

#endif
