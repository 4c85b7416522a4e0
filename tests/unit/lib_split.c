// SPDX-License-Identifier: GPL-2.0-only
/* The guest's end of split-phase rings; see the header. */
#include <check.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "hypercalls/ring_impl.h"
#include "tests/unit/lib_split.h"
#include "vmm/core/clock.h"

#define PATIENCE_MS 20000

static void nap(void)
{
	const struct timespec ts = { .tv_nsec = 100000 };

	nanosleep(&ts, NULL);
}

static int64_t admit(void *ctx, const struct hl_call *call)
{
	(void)ctx;
	switch (call->op) {
	case SPLIT_COUNT:
		return RINGS_SHORT;
	case SPLIT_LONG:
	case SPLIT_WAIT:
		return RINGS_LONG;
	case SPLIT_PRIVATE:
		return HL_EINVAL;
	}
	return HL_ENOSYS;
}

static int64_t execute(void *ctx, struct hl_call *call)
{
	struct split_host *h = ctx;
	uint64_t cell = call->arg[0] % SPLIT_CELLS;

	ck_assert_int_eq(call->result, HL_NOT_RUN);
	h->place[cell] = ++h->seq;
	if (call->op == SPLIT_WAIT) {
		h->waiting++;
		while (!h->open)
			nap();
		h->waiting--;
	}
	h->count[cell]++;
	call->done = (uint32_t)cell;
	return (int64_t)call->arg[1];
}

static void raise_irq(void *ctx, unsigned int ring)
{
	struct split_host *h = ctx;

	h->raised++;
	h->raised_by[ring]++;
}

void split_start(struct split_host *h)
{
	const struct mem_options mem = {
		.size = SPLIT_RINGS * SPLIT_STRIDE,
		.backing = MEM_ANON,
	};
	struct rings_options opt = {
		.mem = &h->mem,
		.nr = SPLIT_RINGS,
		.workers = SPLIT_WORKERS,
		.ctx = h,
		.admit = admit,
		.execute = execute,
		.raise = raise_irq,
	};

	memset(h, 0, sizeof(*h));
	ck_assert_int_eq(mem_init(&h->mem, &mem), 0);
	h->rings = rings_new(&opt);
	ck_assert_ptr_nonnull(h->rings);
}

void split_stop(struct split_host *h)
{
	h->open = true;
	rings_free(h->rings);
	mem_exit(&h->mem);
}

int64_t split_open(struct split_ring *g, struct split_host *h, unsigned int id,
		   uint32_t entries)
{
	gpa_t at = gpa(id * SPLIT_STRIDE);
	size_t len = HL_RING_CALLS +
		     entries * (sizeof(*g->call) + sizeof(*g->completion));

	*g = (struct split_ring){ .host = h, .id = id, .entries = entries };
	g->shared = mem_ptr(&h->mem, at, len);
	ck_assert_ptr_nonnull(g->shared);
	g->call = (struct hl_call *)(g->shared + 1);
	g->completion = (struct hl_completion *)(g->call + entries);
	memset(g->shared, 0, len);
	return rings_open(h->rings, id, at.v, entries);
}

void split_close(struct split_ring *g)
{
	int64_t end = clock_ms() + PATIENCE_MS, ret;

	while ((ret = rings_close(g->host->rings, g->id)) == HL_EAGAIN &&
	       clock_ms() < end)
		nap();
	ck_assert_int_eq(ret, 0);
}

void split_set_indices(struct split_ring *g, uint32_t at)
{
	struct ring *ring = &g->host->rings->ring[g->id];

	pthread_mutex_lock(&ring->lock);
	ring->call_head = ring->completion_tail = at;
	g->head = g->tail = at;
	ring_store(&g->shared->call_tail, at);
	ring_store(&g->shared->call_head, at);
	ring_store(&g->shared->completion_tail, at);
	ring_store(&g->shared->completion_head, at);
	pthread_mutex_unlock(&ring->lock);
}

static void bell(struct split_ring *g)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring_load(&g->shared->host_flags) & HL_RING_SLEEPS)
		eventfd_write(rings_doorbell(g->host->rings, g->id), 1);
}

void split_write(struct split_ring *g, const struct hl_call *call)
{
	g->call[g->tail++ % g->entries] = *call;
}

void split_flush(struct split_ring *g)
{
	__atomic_store_n(&g->shared->call_tail, g->tail, __ATOMIC_RELEASE);
	bell(g);
}

void split_post(struct split_ring *g, enum split_op op, unsigned int flags,
		uint32_t cookie)
{
	const struct hl_call call = {
		.op = (uint16_t)op,
		.flags = (uint16_t)flags,
		.result = cookie,
		.arg = { cookie, (uint64_t)cookie * 3 },
	};

	split_write(g, &call);
	split_flush(g);
}

bool split_poll(struct split_ring *g, struct hl_completion *c)
{
	struct hl_ring *shared = g->shared;

	if (__atomic_load_n(&shared->completion_tail, __ATOMIC_ACQUIRE) ==
	    g->head)
		return false;
	*c = g->completion[g->head++ % g->entries];
	__atomic_store_n(&shared->completion_head, g->head, __ATOMIC_RELEASE);
	if (ring_load(&shared->call_head) != g->tail)
		bell(g);
	return true;
}

bool split_wait(struct split_ring *g, struct hl_completion *c)
{
	int64_t end = clock_ms() + PATIENCE_MS;

	while (!split_poll(g, c)) {
		if (clock_ms() > end)
			return false;
		sched_yield();
	}
	return true;
}

uint32_t split_pending(const struct split_ring *g)
{
	return g->tail - g->head;
}

bool split_until(atomic_int *what, int value)
{
	int64_t end = clock_ms() + PATIENCE_MS;

	while (*what != value) {
		if (clock_ms() > end)
			return false;
		nap();
	}
	return true;
}

void split_settle(void)
{
	const struct timespec ts = { .tv_nsec = 20000000 };

	nanosleep(&ts, NULL);
}
