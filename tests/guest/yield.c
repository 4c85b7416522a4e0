// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directed yields from a guest that means harm: two processors that yield all
 * the time, to each other, to one that never started, to themselves and to
 * nobody, with a steal time that is a lie, and a page of hints anywhere.
 */
#include "calls.h"

#include "include/hotline/timer.h"
#include "include/hotline/yield.h"

#define LIES(cpu)      (ARENA + 0x10000 + (cpu)*PAGE)
#define LIES_PREEMPTED 16 /* struct kvm_steal_time */
#define STEAL_MSR      0x4b564d03
#define LAPIC_SVR      0xf0
#define SVR_ENABLED    0x1ff
#define LAPIC_LVTT     0x320
#define LVTT_DEADLINE  (2u << 17)
#define VECTOR	       0x40
#define BSP	       0
#define AP	       1
#define OFFLINE	       2 /* with -c 3 */

enum { DONE, NEEDLESS, LIMITED, REFUSED, NOBODY, OWN, RESULTS };

static struct flood {
	uint64_t n;
	struct random random;
	uint64_t result[RESULTS];
} flood[2];

static void set_up(unsigned int cpu)
{
	calls_take_page(cpu);
	lapic_write(LAPIC_SVR, SVR_ENABLED);
	lapic_write(LAPIC_LVTT, LVTT_DEADLINE | VECTOR);
}

static int64_t yield(unsigned int cpu, uint64_t to)
{
	calls_fill(cpu, 0, HL_OP_YIELD_TO, to, 0);
	calls_cross_and_halt(HL_RUN(0, 1));
	return CALLS(cpu)[0].result;
}

/* The timer ends the halt; if there is none, its interrupt is taken later. */
static int64_t yield_and_halt(unsigned int cpu, uint64_t to)
{
	calls_fill(cpu, 0, HL_OP_TIMER_SET, tsc() + 100000, 0);
	calls_fill(cpu, 1, HL_OP_YIELD_HALT, to, HL_YIELD_IRQ);
	calls_cross_and_halt(HL_RUN(0, 2));
	if (CALLS(cpu)[1].result < 0)
		__asm__ volatile("sti; nop; nop; cli" : : : "memory");
	return CALLS(cpu)[1].result;
}

static uint64_t any_target(struct random *r)
{
	switch (random_below(r, 8)) {
	case 0:
		return random_wide(r);
	case 1:
		return random_below(r, 300);
	case 2:
		return OFFLINE;
	default:
		return random_below(r, 2);
	}
}

/* Which result it is, if it may be. */
static unsigned int judge(unsigned int cpu, uint64_t to, int64_t result)
{
	if (to == cpu)
		return result == HL_EINVAL ? OWN : RESULTS;
	if (to >= param("cpus", 3))
		return result == HL_ENOENT ? NOBODY : RESULTS;
	return result == 1	     ? DONE
	       : result == 0	     ? NEEDLESS
	       : result == HL_EAGAIN ? LIMITED
	       : result == HL_EPERM  ? REFUSED
				     : RESULTS;
}

/* It was preempted, it was not, or that is said somewhere else. */
static void lie(unsigned int cpu, struct random *r)
{
	*(volatile uint8_t *)(LIES(cpu) + LIES_PREEMPTED) =
		(uint8_t)random_next(r);
	if (!random_below(r, 64))
		try_wrmsr(STEAL_MSR, random_below(r, 3)
					     ? LIES(cpu) | 1
					     : random_wide(r) & ~0x3eull);
}

static void yields(void *arg)
{
	struct flood *f = arg;
	unsigned int cpu = f == &flood[AP] ? AP : BSP;
	struct random *r = &f->random;

	set_up(cpu);
	for (uint64_t i = 0; i < f->n; i++) {
		uint64_t to = any_target(r);
		int64_t result = random_below(r, 4) ? yield(cpu, to)
						    : yield_and_halt(cpu, to);
		unsigned int what = judge(cpu, to, result);

		if (what < RESULTS)
			f->result[what]++;
		else
			fail("processor %u to %x: %x", (uint64_t)cpu, to,
			     (uint64_t)result);
		lie(1 - cpu, r);
	}
}

static void odd_calls(void)
{
	static const struct {
		uint16_t op;
		uint64_t a, b;
		int64_t result;
	} calls[] = {
		{ HL_OP_YIELD_TO, AP, 1, HL_EINVAL },
		{ HL_OP_YIELD_HALT, AP, 2, HL_EINVAL },
		{ HL_OP_YIELD_HALT, AP, ~0ull, HL_EINVAL },
		{ HL_OP_YIELD_HALT, BSP, HL_YIELD_IRQ, HL_EINVAL },
		{ HL_OP_YIELD_PAGE, 1, 0, HL_EFAULT },
		{ HL_OP_YIELD_PAGE, ARENA + 8, 0, HL_EFAULT },
		{ HL_OP_YIELD_PAGE, 0xd0000000, 0, HL_EFAULT },
		{ HL_OP_YIELD_PAGE, ~0xfffull, 0, HL_EFAULT },
		{ HL_OP_YIELD_PAGE, LIES(2), 0, 0 },
		{ HL_OP_YIELD_PAGE, 0, 0, 0 },
		{ HL_OP_YIELD_PAGE, LIES(2), 0, 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		calls_fill(BSP, 0, calls[i].op, calls[i].a, calls[i].b);
		calls_cross_and_halt(HL_RUN(0, 1));
		check(CALLS(BSP)[0].result == calls[i].result, "call %u: %x",
		      (uint64_t)i, (uint64_t)CALLS(BSP)[0].result);
	}
}

static void print_results(void)
{
	static const char *const names[] = { "done",	"needless", "limited",
					     "refused", "nobody",   "own" };

	for (unsigned int i = 0; i < RESULTS; i++)
		print("  %s: %u\n", names[i],
		      flood[BSP].result[i] + flood[AP].result[i]);
}

void test_yield(void)
{
	set_up(BSP);
	odd_calls();
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		flood[cpu].n = param("n", 1000);
		flood[cpu].random.state = param("seed", 1) + cpu;
	}
	ap_run(yields, &flood[AP]);
	yields(&flood[BSP]);
	ap_wait();
	print_results();
	while (param("stay", 0)) /* until somebody has looked at us */
		__asm__ volatile("cli; hlt");
}
