// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split-phase rings under load: a thread per ring posts and consumes, sleeping
 * only when the host owes it an interrupt.  Each call completes exactly once,
 * and no wake-up is lost, or this would stand still.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <poll.h>
#include <unistd.h>

#include "hypercalls/ring_impl.h"
#include "tests/unit/lib_run.h"
#include "tests/unit/lib_split.h"
#include "vmm/core/clock.h"

#define THREADS	   4
#define CALLS	   250000u /* per thread */
#define ENTRIES	   128
#define LONG_EVERY 64

static int irq[THREADS]; /* eventfds: every guest thread sees each interrupt */
static uint8_t seen[THREADS][CALLS];

static int64_t admit(void *ctx, const struct hl_call *call)
{
	(void)ctx;
	return call->op == SPLIT_LONG ? RINGS_LONG : RINGS_SHORT;
}

static int64_t execute(void *ctx, struct hl_call *call)
{
	(void)ctx;
	return (int64_t)~call->arg[0];
}

static void raise_irq(void *ctx, unsigned int ring)
{
	(void)ctx;
	eventfd_write(irq[ring], 1);
}

static void sleep_until_irq(struct split_ring *g)
{
	struct pollfd p = { .fd = irq[g->id], .events = POLLIN };
	eventfd_t n;

	ring_store(&g->shared->guest_flags, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring_load(&g->shared->completion_tail) == g->head)
		ck_assert_int_eq(poll(&p, 1, 20000), 1);
	eventfd_read(irq[g->id], &n);
	ring_store(&g->shared->guest_flags, HL_RING_POLLED);
}

static void *guest(void *arg)
{
	struct split_ring *g = arg;
	struct hl_completion c;
	uint32_t posted = 0, ended = 0;

	ring_store(&g->shared->guest_flags, HL_RING_POLLED);
	while (ended < CALLS) {
		uint32_t before = posted;

		while (posted < CALLS && split_pending(g) < ENTRIES) {
			struct hl_call call = {
				.op = posted % LONG_EVERY ? SPLIT_COUNT
							  : SPLIT_LONG,
				.result = posted,
				.arg = { posted },
			};

			split_write(g, &call);
			posted++;
		}
		if (posted != before)
			split_flush(g);
		if (!split_poll(g, &c)) {
			sleep_until_irq(g);
			continue;
		}
		do {
			ck_assert_uint_lt(c.cookie, CALLS);
			ck_assert_int_eq(c.result, (int64_t)~c.cookie);
			ck_assert_uint_eq(seen[g->id][c.cookie]++, 0);
			ended++;
		} while (split_poll(g, &c));
	}
	return NULL;
}

START_TEST(exactly_once)
{
	static struct split_host h;
	struct split_ring ring[THREADS];
	pthread_t thread[THREADS];
	const struct mem_options mem = {
		.size = THREADS * SPLIT_STRIDE,
		.backing = MEM_ANON,
	};
	const struct rings_options opt = {
		.mem = &h.mem,
		.nr = THREADS,
		.workers = 2,
		.admit = admit,
		.execute = execute,
		.raise = raise_irq,
	};
	uint64_t start;

	ck_assert_int_eq(mem_init(&h.mem, &mem), 0);
	h.rings = rings_new(&opt);
	ck_assert_ptr_nonnull(h.rings);
	for (unsigned int i = 0; i < THREADS; i++) {
		irq[i] = eventfd(0, EFD_NONBLOCK);
		ck_assert_int_eq(split_open(&ring[i], &h, i, ENTRIES), 0);
		split_set_indices(&ring[i], UINT32_MAX - CALLS / 2);
	}
	start = clock_ns();
	for (unsigned int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
			pthread_create(&thread[i], NULL, guest, &ring[i]), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("%u calls, %.0f ns each\n", THREADS * CALLS,
	       (double)(clock_ns() - start) / (THREADS * CALLS));
	for (unsigned int i = 0; i < THREADS; i++)
		split_close(&ring[i]);
	rings_free(h.rings);
	mem_exit(&h.mem);
	for (unsigned int i = 0; i < THREADS; i++)
		close(irq[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ring_load");
	TCase *tc = tcase_create("ring_load");

	tcase_set_timeout(tc, 240);
	tcase_add_test(tc, exactly_once);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
