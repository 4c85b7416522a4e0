// SPDX-License-Identifier: GPL-2.0-only
/*
 * The deadline timer's calls from a guest that means harm: any deadline in any
 * mode of the APIC timer, halts that nothing ends, and a second processor that
 * interrupts just when the first halts.
 */
#include "calls.h"

#include "include/hotline/platform.h"
#include "include/hotline/timer.h"

#define LAPIC_LVTT    0x320
#define LVTT_DEADLINE (2u << 17)
#define LVTT_MASKED   (1u << 16)
#define VECTOR	      0x40
#define WAKE_VECTOR   0x41
#define BSP	      0
#define AP	      1
#define SECOND	      2000000000ull /* about, in ticks of the TSC */
#define DEADLINE_MSR  0x6e0
#define FLAGS_STATUS  0xd5 /* CF, PF, AF, ZF, SF */
#define FLAGS_FIXED   0x02
#define FLAGS_IF      0x200

static int64_t set(uint64_t deadline)
{
	calls_fill(BSP, 0, HL_OP_TIMER_SET, deadline, 0);
	calls_cross(HL_RUN(0, 1));
	return CALLS(BSP)[0].result;
}

static int64_t halt(uint64_t deadline)
{
	calls_fill(BSP, 0, HL_OP_TIMER_HALT, deadline, 0);
	calls_cross_and_halt(HL_RUN(0, 1));
	return CALLS(BSP)[0].result;
}

static void take_interrupts(void)
{
	__asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

/* In modes in which it does nothing, too. */
static void any_deadline(struct random *r, uint64_t n)
{
	static const uint32_t modes[] = { LVTT_MASKED | VECTOR, VECTOR,
					  1u << 17 | LVTT_MASKED | VECTOR,
					  LVTT_DEADLINE | LVTT_MASKED | VECTOR,
					  LVTT_DEADLINE | VECTOR };

	for (unsigned int m = 0; m < ARRAY_SIZE(modes); m++) {
		lapic_write(LAPIC_LVTT, modes[m]);
		for (uint64_t i = 0; i < n; i++) {
			uint64_t d = i & 1 ? random_wide(r) : tsc() + (i << 4);

			check(set(d) == 0, "deadline %x in mode %u", d,
			      (uint64_t)m);
			if (!(i & 15))
				take_interrupts();
		}
		set(0);
		take_interrupts();
	}
}

/* Each deadline interrupts once, and not before. */
static void interrupts_in_time(struct random *r, uint64_t n)
{
	lapic_write(LAPIC_LVTT, LVTT_DEADLINE | VECTOR);
	for (uint64_t i = 0; i < n; i++) {
		unsigned int irqs = trap_irqs;
		uint64_t at = tsc() + random_below(r, 400000);
		int64_t status = halt(at);

		check(status == 0, "halt: %x", (uint64_t)status);
		check(tsc() >= at, "it wakes early");
		check(trap_irqs == irqs + 1, "%u interrupts",
		      (uint64_t)(trap_irqs - irqs));
	}
	/* What has passed halts nobody. */
	for (uint64_t i = 0; i < n; i++)
		halt(i & 1 ? 1 : tsc());
}

static void a_halt_is_the_last(void)
{
	calls_fill(BSP, 0, HL_OP_TIMER_SET, 0, 0);
	calls_fill(BSP, 1, HL_OP_TIMER_HALT, tsc() + 100000, 0);
	calls_fill(BSP, 2, HL_OP_NULL, 0, 0);
	calls_cross_and_halt(HL_RUN(0, 3));
	check(CALLS(BSP)[1].result == 0 && CALLS(BSP)[2].result == HL_NOT_RUN,
	      "slots behind a halt: %x %x", (uint64_t)CALLS(BSP)[1].result,
	      (uint64_t)CALLS(BSP)[2].result);
}

/* Makes the call with these flags; returns those behind it. */
static uint64_t flags_behind(uint64_t flags)
{
	calls_fill(BSP, 0, HL_OP_TIMER_HALT, tsc() + 100000, 0);
	__asm__ volatile("push %0; popfq; outl %1, %w2; pushfq; cli; pop %0"
			 : "+r"(flags)
			 : "a"(HL_RUN(0, 1)), "Nd"(HL_LINE_PORT + HL_LINE_RUN)
			 : "memory", "cc");
	return flags;
}

static void enables_interrupts(void)
{
	for (uint64_t status = 0; status < 1u << 8; status++) {
		uint64_t flags = (status & FLAGS_STATUS) | FLAGS_FIXED;
		uint64_t off = flags_behind(flags);
		uint64_t on = flags_behind(flags | FLAGS_IF);

		check(off == (flags | FLAGS_IF) && on == off,
		      "flags %x: %x and %x", flags, off, on);
	}
}

/* A string instruction makes both crossings before it ends. */
static void halts_twice_by_one_instruction(void)
{
	uint32_t runs[] = { HL_RUN(0, 1), HL_RUN(1, 1) }, *at = runs;
	uint64_t nr = ARRAY_SIZE(runs);
	unsigned int irqs = trap_irqs;

	calls_fill(BSP, 0, HL_OP_TIMER_HALT, tsc() + 100000, 0);
	calls_fill(BSP, 1, HL_OP_TIMER_HALT, tsc() + 200000, 0);
	__asm__ volatile("rep outsl; cli"
			 : "+S"(at), "+c"(nr)
			 : "d"(HL_LINE_PORT + HL_LINE_RUN)
			 : "memory");
	check(!nr && CALLS(BSP)[0].result == 0 && CALLS(BSP)[1].result == 0 &&
		      trap_irqs > irqs,
	      "two halts: %u left, %u interrupts", nr,
	      (uint64_t)(trap_irqs - irqs));
}

static struct {
	volatile uint64_t turn; /* how often the first is about to halt */
	volatile bool stop;
	struct random random;
} foe;

/* Interrupts the first once for each turn, when it is about to halt. */
static void interrupt_often(void *arg)
{
	uint64_t seen = 0;

	(void)arg;
	while (!foe.stop) {
		if (foe.turn == seen) {
			relax();
			continue;
		}
		seen = foe.turn;
		for (uint32_t n = random_below(&foe.random, 2000); n; n--)
			relax();
		ipi(BSP, WAKE_VECTOR);
	}
	/* Nothing ends this but the machine's end. */
	calls_take_page(AP);
	calls_fill(AP, 0, HL_OP_TIMER_HALT, 0, 0);
	ap_running = false;
	calls_cross(HL_RUN(0, 1));
	fail("a processor that nothing interrupts wakes");
}

/* A wakeup that is lost is one that only the deadline makes up for. */
static unsigned int race(uint64_t n, bool by_call)
{
	unsigned int lost = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t start = tsc();

		foe.turn++;
		if (by_call) {
			halt(start + SECOND);
		} else {
			try_wrmsr(DEADLINE_MSR, start + SECOND);
			__asm__ volatile("sti; hlt; cli" : : : "memory");
		}
		lost += tsc() - start >= SECOND;
	}
	return lost;
}

static void races(uint64_t n)
{
	unsigned int by_hlt, by_call;

	foe.random.state = n;
	ap_run(interrupt_often, NULL);
	by_hlt = race(n, false);
	by_call = race(n, true);
	print("  lost of %u: by HLT %u, by call %u\n", n, (uint64_t)by_hlt,
	      (uint64_t)by_call);
	/* HLT's are the processor's: the bed's forgets STI's shadow. */
	check(!by_call, "lost wakeups");
	foe.stop = true;
	ap_wait();
}

void test_timer(void)
{
	uint64_t n = param("n", 500);
	struct random r = { param("seed", 1) };

	calls_take_page(BSP);
	if (set(0) != 0) {
		fail("timer_set: %x", (uint64_t)CALLS(BSP)[0].result);
		return;
	}
	any_deadline(&r, n);
	interrupts_in_time(&r, n);
	a_halt_is_the_last();
	enables_interrupts();
	halts_twice_by_one_instruction();
	if (param("cpus", 1) > 1)
		races(n);
	set(0);
}

/* Where the watchdog shall find us, though no signal of the guest's comes. */
void test_timer_halt(void)
{
	calls_take_page(BSP);
	for (;;) {
		calls_fill(BSP, 0, HL_OP_TIMER_HALT, 0, 0);
		/* Not by calls_cross(): its row looks for this function. */
		outl(HL_LINE_PORT + HL_LINE_RUN, HL_RUN(0, 1));
	}
}
