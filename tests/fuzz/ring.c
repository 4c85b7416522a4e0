// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer: split-phase rings.  The input is a script for a hostile guest and
 * for the host's threads, all played by one thread: it opens, posts, writes
 * anywhere, lets the dispatcher look and a worker run one call, also within
 * calls.  Checked beside what the sanitizers see: each call taken completes
 * once with its own result, only open rings are written, the books add up.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hypercalls/ring_impl.h"
#include "vmm/core/log.h"
#include "vmm/core/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGES	16
#define RINGS	3
#define STEPS	200
#define OP_LONG 1
#define OP_LAST 2	 /* higher ones are refused */
#define RESULT	0x100000 /* results: from here on, a new one each time */
#define MOST	0x10000

#define must(what)                                                             \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

static struct mem mem;
static struct rings *rings;
static uint8_t shadow[PAGES * 4096]; /* RAM as it must be, open rings apart */
static uint32_t executed;	     /* in this run */
static bool completed[MOST];	     /* by result */
static uint32_t seen[RINGS];	     /* completion_tail when last checked */
static unsigned int inside;	     /* execute() */
static const struct ring *serving;   /* by the dispatcher */
static unsigned int pokes;	     /* the guest's stores */

static const uint8_t *input;
static size_t left;

static uint32_t take(size_t bytes)
{
	uint32_t v = 0;

	if (bytes > left)
		bytes = left;
	memcpy(&v, input, bytes);
	input += bytes;
	left -= bytes;
	return v;
}

/* The guest's own stores. */
static void poke(uint64_t at, const void *what, size_t len)
{
	pokes++;
	if (mem_write(&mem, gpa(at), what, len) == 0)
		memcpy(shadow + at, what, len);
}

static uint64_t ring_at(const struct ring *ring)
{
	return (uint64_t)((uint8_t *)ring->shared - mem.region[0].host);
}

static size_t ring_len(const struct ring *ring)
{
	return HL_RING_CALLS + ring->entries * (sizeof(struct hl_call) +
						sizeof(struct hl_completion));
}

/* New completions: of calls that ran and had none yet, or that were refused. */
static void check_completions(struct ring *ring)
{
	uint32_t *at = &seen[ring - rings->ring];

	for (; *at != ring->completion_tail; ++*at) {
		const struct hl_completion *c =
			&ring->completion[*at % ring->entries];
		int64_t result = c->result;

		must(c->zero == 0);
		if (result == HL_EINVAL || result == HL_ENOSYS ||
		    result == HL_ECANCELED)
			continue;
		must(result >= RESULT && result < RESULT + executed);
		must(!completed[result - RESULT]);
		completed[result - RESULT] = true;
	}
}

static void check_completions_all(void)
{
	for (unsigned int i = 0; i < RINGS; i++)
		if (rings->ring[i].state != RING_SHUT)
			check_completions(&rings->ring[i]);
}

static unsigned int slots_used(const struct ring *ring)
{
	unsigned int used = 0;

	for (unsigned int i = 0; i < ring->slots; i++)
		used += ring->slot[i].used;
	return used;
}

static void check_books(const struct ring *ring)
{
	unsigned int used = slots_used(ring);

	must(used + ring->nr_free == ring->slots);
	must(ring->running == ring->call_head - ring->completion_tail);
	must(ring->running <= ring->entries);
	must(inside || ring->running == used);
}

/* After each step: what the host wrote, and where. */
static void check(void)
{
	check_completions_all();
	for (unsigned int i = 0; i < RINGS; i++) {
		struct ring *ring = &rings->ring[i];

		if (ring->state == RING_SHUT)
			continue;
		check_books(ring);
		memcpy(shadow + ring_at(ring), ring->shared, ring_len(ring));
	}
	must(!memcmp(shadow, mem.region[0].host, sizeof(shadow)));
}

static void guest_step(unsigned int what);

static int64_t admit(__attribute__((unused)) void *ctx,
		     const struct hl_call *call)
{
	must(!(call->flags & ~HL_CALL_BARRIER));
	/* A barrier is the first of its batch, and nothing runs. */
	must(!call->flags || (call == rings->batch && !slots_used(serving)));
	if (call->op > OP_LAST)
		return HL_ENOSYS;
	return call->op == OP_LONG ? RINGS_LONG : RINGS_SHORT;
}

/* Other processors go on meanwhile. */
static int64_t execute(__attribute__((unused)) void *ctx, struct hl_call *call)
{
	int64_t result = RESULT + executed++;

	must(executed < MOST && call->result == HL_NOT_RUN);
	inside++;
	if (call->op == OP_LAST) {
		check_completions_all();
		guest_step(take(1));
		check_completions_all(); /* rings may overlap */
	}
	inside--;
	call->done = take(1);
	return result;
}

static void raise_irq(void *ctx, unsigned int ring)
{
	(void)ctx, (void)ring;
}

static void occupy(__attribute__((unused)) struct pool_job *job)
{
	for (;;)
		pause();
}

/* No dispatcher, and the only worker never comes back: we are both. */
static void set_up(void)
{
	static struct pool_job plug = { .run = occupy };
	const struct mem_options opt = { .size = PAGES * 4096,
					 .backing = MEM_ANON };
	const struct rings_options ropt = { .mem = &mem,
					    .nr = RINGS,
					    .workers = 1,
					    .admit = admit,
					    .execute = execute,
					    .raise = raise_irq };

	log_set_level(LOG_ERROR);
	must(!mem_init(&mem, &opt));
	must(rings = rings_new(&ropt));
	rings->started = true;
	must(!pool_add(rings->pool, &plug));
}

static struct ring *any_ring(void)
{
	return &rings->ring[take(1) % RINGS];
}

static void open_ring(void)
{
	unsigned int id = take(1) % (RINGS + 1);
	uint64_t at = (uint64_t)take(1) % (PAGES + 1) * 4096;
	unsigned int order = take(1);
	uint64_t entries = order < 14 ? 1u << order : take(2);
	static const uint32_t zero[HL_RING_CALLS / 4];

	if (take(1) % 8)
		poke(at, zero, sizeof(zero));
	if (!rings_open(rings, id, at, entries))
		seen[id] = 0;
}

static void close_ring(void)
{
	struct ring *ring = any_ring();
	bool shut = ring->state == RING_SHUT;
	uint32_t running = ring->running;
	int64_t ret;

	if (!shut && !inside) /* last look */
		memcpy(shadow + ring_at(ring), ring->shared, ring_len(ring));
	else if (!shut && !running)
		check();
	ret = rings_close(rings, (uint64_t)(ring - rings->ring));
	must(ret == (shut ? HL_ENOENT : running ? HL_EAGAIN : 0));
}

static void cancel_call(void)
{
	struct ring *ring = any_ring();
	uint64_t cookie = take(1);
	bool found = false;
	int64_t ret;

	for (unsigned int i = 0; ring->state && i < ring->slots; i++)
		found |= ring->slot[i].used && ring->slot[i].cookie == cookie;
	ret = rings_cancel(rings, (uint64_t)(ring - rings->ring), cookie);
	must(inside ? ret <= 0 : ret == (found ? 0 : HL_ENOENT));
}

/* Up to 64 calls, all alike but for their cookies. */
static void post_calls(void)
{
	struct ring *ring = any_ring();
	unsigned int nr = take(1) % 64;
	struct hl_call call = { .op = (uint16_t)take(1) % 4,
				.flags = (uint16_t)take(1) % 5 / 3 };
	uint32_t tail;

	if (ring->state == RING_SHUT)
		return;
	tail = ring->shared->call_tail;
	for (; nr; nr--, tail++) {
		call.result = tail & 0xff;
		poke(ring_at(ring) + HL_RING_CALLS +
			     tail % ring->entries * sizeof(call),
		     &call, sizeof(call));
	}
	poke(ring_at(ring), &tail, sizeof(tail));
}

static void consume(void)
{
	struct ring *ring = any_ring();

	if (ring->state != RING_SHUT)
		poke(ring_at(ring) + offsetof(struct hl_ring, completion_head),
		     &ring->shared->completion_tail, 4);
}

/* Often a ring's index or flag; by a little or to anything. */
static void write_word(void)
{
	const struct ring *ring = any_ring();
	unsigned int where = take(1);
	uint64_t at = (uint64_t)where << 8 | take(1);
	uint32_t value;

	if (where < 0x80 && ring->state != RING_SHUT)
		at = ring_at(ring) + where % (HL_RING_CALLS / 4) * 4;
	at &= ~3ull;
	must(!mem_read(&mem, gpa(at), &value, 4));
	value = take(1) % 2 ? value + (uint32_t)(int8_t)take(1) : take(4);
	poke(at, &value, 4);
}

/* Near where indices wrap; for rings at rest. */
static void move_indices(void)
{
	struct ring *ring = any_ring();
	uint32_t at = 0u - take(1);

	if (ring->state != RING_OPEN || ring->running || inside)
		return;
	ring->call_head = ring->completion_tail = at;
	seen[ring - rings->ring] = at;
	ring->shared->call_tail = ring->shared->call_head = at;
	ring->shared->completion_head = ring->shared->completion_tail = at;
}

static void (*const guest_steps[])(void) = {
	open_ring,  close_ring, cancel_call,  post_calls, consume,
	write_word, write_word, move_indices, post_calls, consume,
};

static void guest_step(unsigned int what)
{
	guest_steps[what % (sizeof(guest_steps) / sizeof(guest_steps[0]))]();
}

/*
 * Unless the guest interferes: nothing is taken without room for its
 * completion, and indices without sense are found.
 */
static void dispatch(void)
{
	struct ring *ring = any_ring();
	uint32_t before = ring->call_head, tail, head;
	unsigned int poked = pokes;
	bool sense;

	serving = ring;
	if (ring->state != RING_OPEN || ring->broken) {
		ring_serve(&ring->doorbell, 0);
		must(ring->call_head == before);
		return;
	}
	tail = ring->shared->call_tail;
	head = ring->shared->completion_head;
	sense = tail - before <= ring->entries &&
		ring->completion_tail - head <= ring->entries;
	ring_serve(&ring->doorbell, 0);
	if (poked != pokes || ring->state == RING_SHUT)
		return;
	must(sense != ring->broken);
	must(ring->call_head == before ||
	     ring->call_head - head <= ring->entries);
}

/* A worker takes one of the calls that wait, any. */
static bool run_one(struct ring *ring, unsigned int from)
{
	for (unsigned int i = 0; ring->state && i < ring->slots; i++) {
		struct ring_slot *slot = &ring->slot[(from + i) % ring->slots];

		if (!slot->used)
			continue;
		must(pool_remove(rings->pool, &slot->job));
		slot->job.run(&slot->job);
		return true;
	}
	return false;
}

/* Whatever happened, all can be closed. */
static void finish(void)
{
	left = 0;
	for (unsigned int i = 0; i < RINGS; i++) {
		struct ring *ring = &rings->ring[i];

		while (run_one(ring, 0))
			check();
		if (ring->state != RING_SHUT)
			must(rings_close(rings, i) == 0);
	}
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!rings)
		set_up();
	input = data;
	left = size;
	memset(shadow, 0, sizeof(shadow));
	memset(mem.region[0].host, 0, sizeof(shadow));
	memset(completed, 0, executed < MOST ? executed : MOST);
	executed = 0;
	for (unsigned int i = 0; left && i < STEPS; i++) {
		unsigned int what = take(1);

		if (what % 4 == 0)
			dispatch();
		else if (what % 4 == 1)
			run_one(any_ring(), take(1));
		else
			guest_step(what / 4);
		check();
	}
	finish();
	return 0;
}
