// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings: their life, and the calls by which a guest opens, closes and cancels.
 * Those run on vCPU threads and take nothing but the ring's lock, which nobody
 * holds while a call runs.
 */
#include "hypercalls/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hypercalls/ring_impl.h"
#include "vmm/core/mem.h"
#include "vmm/core/thread.h"

static int init_ring(struct rings *r, struct ring *ring)
{
	ring->all = r;
	ring->doorbell.fn = ring_serve;
	ring->doorbell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ring->doorbell.fd < 0)
		return -errno;
	pthread_mutex_init(&ring->lock, NULL);
	r->nr++;
	return event_add(r->loop, &ring->doorbell, EPOLLIN | EPOLLET);
}

struct rings *rings_new(const struct rings_options *opt)
{
	struct rings *r = calloc(1, sizeof(*r) + opt->nr * sizeof(r->ring[0]));
	int err = 0;

	if (!r)
		return NULL;
	r->opt = *opt;
	pthread_mutex_init(&r->start_lock, NULL);
	r->pool = pool_new(opt->workers);
	r->loop = event_new();
	if (!r->pool || !r->loop)
		err = -errno;
	while (!err && r->nr < opt->nr)
		err = init_ring(r, &r->ring[r->nr]);
	if (!err)
		return r;
	rings_free(r);
	errno = -err;
	return NULL;
}

static void shut(struct ring *ring)
{
	ring->state = RING_SHUT;
	ring->shared = NULL;
	ring->call = NULL;
	ring->completion = NULL;
	free(ring->slot);
	ring->slot = ring->free = NULL;
}

/*
 * The dispatcher goes first, so that nothing new comes to the pool; then the
 * workers, whose completions still find their ring.
 */
void rings_free(struct rings *r)
{
	if (!r)
		return;
	atomic_store(&r->stop, true);
	if (r->started) {
		event_stop(r->loop);
		pthread_join(r->thread, NULL);
	}
	pool_free(r->pool);
	for (unsigned int i = 0; i < r->nr; i++) {
		shut(&r->ring[i]);
		close(r->ring[i].doorbell.fd);
		pthread_mutex_destroy(&r->ring[i].lock);
	}
	event_free(r->loop);
	pthread_mutex_destroy(&r->start_lock);
	free(r);
}

int rings_doorbell(const struct rings *r, unsigned int id)
{
	return r->ring[id].doorbell.fd;
}

static void *dispatch(void *arg)
{
	struct rings *r = arg;

	event_run(r->loop);
	return NULL;
}

static int start_dispatcher(struct rings *r)
{
	int err = 0;

	pthread_mutex_lock(&r->start_lock);
	if (!r->started) {
		err = thread_start(&r->thread, dispatch, r);
		r->started = !err;
	}
	pthread_mutex_unlock(&r->start_lock);
	return err;
}

static struct ring *find(struct rings *r, uint64_t id)
{
	return id < r->nr ? &r->ring[id] : NULL;
}

static bool make_slots(struct ring *ring)
{
	ring->slots = ring->entries < RING_HELD ? ring->entries : RING_HELD;
	ring->nr_free = 0;
	ring->slot = calloc(ring->slots, sizeof(ring->slot[0]));
	if (!ring->slot)
		return false;
	for (unsigned int i = ring->slots; i-- > 0;)
		ring_put_slot(ring, &ring->slot[i]);
	return true;
}

/* Lock held, memory checked. */
static int64_t set_up(struct ring *ring, struct hl_ring *shared,
		      uint32_t entries)
{
	if (ring->state != RING_SHUT)
		return HL_EBUSY;
	if (ring_load(&shared->call_tail) ||
	    ring_load(&shared->completion_head))
		return HL_EINVAL;
	ring->entries = entries;
	if (!make_slots(ring))
		return HL_ENOMEM;
	ring->shared = shared;
	ring->call = (struct hl_call *)(shared + 1);
	ring->completion = (struct hl_completion *)(ring->call + entries);
	ring->call_head = ring->completion_tail = 0;
	ring->running = ring->in_batch = 0;
	ring->broken = ring->stalled = false;
	ring->state = RING_OPEN;
	ring_store(&shared->call_head, 0);
	ring_store(&shared->completion_tail, 0);
	ring_store(&shared->host_flags, HL_RING_SLEEPS);
	return 0;
}

static struct hl_ring *map(const struct rings *r, uint64_t addr,
			   uint64_t entries)
{
	size_t entry = sizeof(struct hl_call) + sizeof(struct hl_completion);

	if (addr % 4096)
		return NULL;
	return mem_ptr(r->opt.mem, gpa(addr), HL_RING_CALLS + entries * entry);
}

int64_t rings_open(struct rings *r, uint64_t id, uint64_t addr,
		   uint64_t entries)
{
	struct ring *ring = find(r, id);
	struct hl_ring *shared;
	int64_t ret;

	if (!ring || !entries || entries > HL_RING_MAX ||
	    entries & (entries - 1))
		return HL_EINVAL;
	shared = map(r, addr, entries);
	if (!shared)
		return HL_EFAULT;
	if (start_dispatcher(r))
		return HL_ENOMEM;
	pthread_mutex_lock(&ring->lock);
	ret = set_up(ring, shared, (uint32_t)entries);
	pthread_mutex_unlock(&ring->lock);
	return ret;
}

int64_t rings_close(struct rings *r, uint64_t id)
{
	struct ring *ring = find(r, id);
	int64_t ret = 0;

	if (!ring)
		return HL_EINVAL;
	pthread_mutex_lock(&ring->lock);
	if (ring->state == RING_SHUT) {
		ret = HL_ENOENT;
	} else if (ring->running) {
		ring->state = RING_CLOSING;
		ret = HL_EAGAIN;
	} else {
		shut(ring);
	}
	pthread_mutex_unlock(&ring->lock);
	return ret;
}

/* A slot with that cookie, rather one whose call has not started. */
static int64_t cancel(struct ring *ring, uint64_t cookie,
		      struct ring_news *news)
{
	struct hl_completion done = { .cookie = cookie,
				      .result = HL_ECANCELED };
	int64_t ret = HL_ENOENT;

	for (unsigned int i = 0; i < ring->slots; i++) {
		struct ring_slot *slot = &ring->slot[i];

		if (!slot->used || slot->cookie != cookie)
			continue;
		ret = HL_EALREADY;
		if (pool_remove(ring->all->pool, &slot->job)) {
			done.done = slot->call.done;
			ring_put_slot(ring, slot);
			*news = ring_complete(ring, &done, 1);
			return 0;
		}
	}
	/* The dispatcher is about to run these, or to hand them on. */
	for (unsigned int i = 0; i < ring->in_batch; i++)
		if (ring->all->cookie[i] == cookie)
			ret = HL_EALREADY;
	return ret;
}

int64_t rings_cancel(struct rings *r, uint64_t id, uint64_t cookie)
{
	struct ring *ring = find(r, id);
	struct ring_news news = { 0 };
	int64_t ret = HL_ENOENT;

	if (!ring)
		return HL_EINVAL;
	pthread_mutex_lock(&ring->lock);
	if (ring->state != RING_SHUT)
		ret = cancel(ring, cookie, &news);
	pthread_mutex_unlock(&ring->lock);
	ring_tell(ring, news);
	return ret;
}
