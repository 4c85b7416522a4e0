// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings: taking, running and completing calls.  The guest may change every
 * word of a ring at any time: indices are loaded once per look, a call is
 * copied once, and what we count by are our own indices.
 */
#include <stddef.h>
#include <sys/eventfd.h>

#include "hypercalls/ring_impl.h"
#include "vmm/core/log.h"

#define ROUNDS 16 /* batches of one ring before the others get their turn */

void ring_kick(struct ring *ring)
{
	eventfd_write(ring->doorbell.fd, 1);
}

void ring_tell(struct ring *ring, struct ring_news news)
{
	const struct rings *r = ring->all;

	if (news.raise)
		r->opt.raise(r->opt.ctx, (unsigned int)(ring - r->ring));
	if (news.kick)
		ring_kick(ring);
}

static void copy_call(struct hl_call *to, const struct hl_call *from)
{
	const uint64_t *src = (const uint64_t *)from;
	uint64_t *dst = (uint64_t *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*dst); i++)
		dst[i] = ring_load(&src[i]);
}

struct ring_news ring_complete(struct ring *ring,
			       const struct hl_completion *done,
			       unsigned int nr)
{
	struct ring_news news = { .kick = ring->stalled };

	for (unsigned int i = 0; i < nr; i++) {
		uint32_t at = ring->completion_tail++ & (ring->entries - 1);
		struct hl_completion *to = &ring->completion[at];

		ring_store(&to->cookie, done[i].cookie);
		ring_store(&to->result, done[i].result);
		ring_store(&to->done, done[i].done);
		ring_store(&to->zero, 0);
	}
	ring->running -= nr;
	ring->stalled = false;
	/* The guest reads the entries after it sees the index. */
	__atomic_store_n(&ring->shared->completion_tail, ring->completion_tail,
			 __ATOMIC_RELEASE);
	/*
	 * The guest clears HL_RING_POLLED and then looks at the index, with a
	 * full barrier between: either it sees our completions, or we see that
	 * it wants the interrupt.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	news.raise = !(ring_load(&ring->shared->guest_flags) & HL_RING_POLLED);
	return news;
}

static struct ring_slot *get_slot(struct ring *ring)
{
	struct ring_slot *slot = ring->free;

	ring->free = slot->next_free;
	ring->nr_free--;
	slot->used = true;
	return slot;
}

void ring_put_slot(struct ring *ring, struct ring_slot *slot)
{
	slot->used = false;
	slot->next_free = ring->free;
	ring->free = slot;
	ring->nr_free++;
}

/* A worker.  The slot is no longer ours once the lock is released. */
static void run_long(struct pool_job *job)
{
	struct ring_slot *slot = (struct ring_slot *)job;
	struct ring *ring = slot->ring;
	const struct rings_options *opt = &ring->all->opt;
	struct hl_completion done = { .cookie = slot->cookie };
	struct ring_news news;

	done.result = opt->execute(opt->ctx, &slot->call);
	done.done = slot->call.done;
	pthread_mutex_lock(&ring->lock);
	ring_put_slot(ring, slot);
	news = ring_complete(ring, &done, 1);
	pthread_mutex_unlock(&ring->lock);
	ring_tell(ring, news);
}

/* Takes the place of a result: the call is with the workers. */
#define STARTED HL_NOT_RUN

static int64_t start_long(struct ring *ring, const struct hl_call *call,
			  uint64_t cookie)
{
	struct ring_slot *slot;

	pthread_mutex_lock(&ring->lock);
	slot = get_slot(ring);
	slot->ring = ring;
	slot->job.run = run_long;
	slot->call = *call;
	slot->cookie = cookie;
	pthread_mutex_unlock(&ring->lock);
	if (!pool_add(ring->all->pool, &slot->job))
		return STARTED;

	pthread_mutex_lock(&ring->lock);
	ring_put_slot(ring, slot);
	pthread_mutex_unlock(&ring->lock);
	return HL_EAGAIN;
}

static int64_t run_call(struct ring *ring, struct hl_call *call,
			uint64_t cookie)
{
	const struct rings_options *opt = &ring->all->opt;
	int64_t way;

	if (call->flags & ~HL_CALL_BARRIER)
		return HL_EINVAL;
	way = opt->admit(opt->ctx, call);
	if (way < 0)
		return way;
	if (way == RINGS_LONG)
		return start_long(ring, call, cookie);
	return opt->execute(opt->ctx, call);
}

static void run_batch(struct ring *ring, unsigned int nr)
{
	struct rings *r = ring->all;
	struct hl_completion done[RING_BATCH];
	struct ring_news news = { 0 };
	unsigned int ended = 0;

	for (unsigned int i = 0; i < nr; i++) {
		struct hl_call *call = &r->batch[i];
		int64_t result = run_call(ring, call, r->cookie[i]);

		if (result == STARTED)
			continue;
		done[ended++] = (struct hl_completion){
			.cookie = r->cookie[i],
			.result = result,
			.done = call->done,
		};
	}
	pthread_mutex_lock(&ring->lock);
	ring->in_batch = 0;
	if (ended)
		news = ring_complete(ring, done, ended);
	pthread_mutex_unlock(&ring->lock);
	news.kick = false; /* we look again ourselves */
	ring_tell(ring, news);
}

/*
 * How many calls the guest has posted that have room for their completions;
 * -1 if its indices make no sense.
 */
static int64_t count_calls(const struct ring *ring)
{
	/* The guest writes entries before call_tail ... */
	uint32_t tail =
		__atomic_load_n(&ring->shared->call_tail, __ATOMIC_ACQUIRE);
	/* ... and has read the completions that we may overwrite. */
	uint32_t head = __atomic_load_n(&ring->shared->completion_head,
					__ATOMIC_ACQUIRE);
	uint32_t posted = tail - ring->call_head;
	uint32_t unread = ring->completion_tail - head;
	uint32_t room;

	if (posted > ring->entries || unread > ring->entries)
		return -1;
	/* Only a head that moves backwards makes this pass the number. */
	if (unread + ring->running >= ring->entries)
		return 0;
	room = ring->entries - unread - ring->running;
	return posted < room ? posted : room;
}

static void declare_broken(struct ring *ring)
{
	static struct log_limit limit;

	ring->broken = true;
	ring_store(&ring->shared->host_flags, HL_RING_BROKEN);
	warn_limited(&limit,
		     "the guest broke ring %td: its indices make no sense",
		     ring - ring->all->ring);
}

/* Calls to look at now.  If there are none, the guest will ring for more. */
static uint32_t find_calls(struct ring *ring)
{
	int64_t nr = count_calls(ring);

	if (!nr) {
		ring_store(&ring->shared->host_flags, HL_RING_SLEEPS);
		/*
		 * The guest moves an index and then reads our flag, with a full
		 * barrier between: either it sees that we sleep, or we see what
		 * it did.
		 */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		nr = count_calls(ring);
		if (!nr)
			return 0;
	}
	if (nr < 0) {
		declare_broken(ring);
		return 0;
	}
	ring_store(&ring->shared->host_flags, 0);
	return (uint32_t)nr;
}

/*
 * Copies the next calls into the batch.  A barrier goes only when nothing runs;
 * until then it stays in the ring, with all behind it.
 */
static unsigned int take_calls(struct ring *ring, uint32_t max)
{
	struct rings *r = ring->all;
	unsigned int nr;

	for (nr = 0; nr < max; nr++) {
		uint32_t at = (ring->call_head + nr) & (ring->entries - 1);
		struct hl_call *call = &r->batch[nr];

		copy_call(call, &ring->call[at]);
		if (call->flags & HL_CALL_BARRIER && ring->running + nr)
			break;
		r->cookie[nr] = (uint64_t)call->result;
		call->result = HL_NOT_RUN;
	}
	ring->call_head += nr;
	ring->running += nr;
	ring->in_batch = nr;
	ring_store(&ring->shared->call_head, ring->call_head);
	return nr;
}

static unsigned int fill_batch(struct ring *ring)
{
	uint32_t max;
	unsigned int nr = 0;

	pthread_mutex_lock(&ring->lock);
	if (ring->state == RING_OPEN && !ring->broken) {
		max = find_calls(ring);
		if (max > RING_BATCH)
			max = RING_BATCH;
		/* Any call may turn out to be a long one. */
		nr = take_calls(ring,
				max < ring->nr_free ? max : ring->nr_free);
		ring->stalled = max && !nr;
	}
	pthread_mutex_unlock(&ring->lock);
	return nr;
}

void ring_serve(struct event_source *src, uint32_t events)
{
	struct ring *ring = (struct ring *)src;

	(void)events;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned int nr = fill_batch(ring);

		if (!nr)
			return;
		run_batch(ring, nr);
		if (atomic_load_explicit(&ring->all->stop,
					 memory_order_relaxed))
			return;
	}
	ring_kick(ring);
}
