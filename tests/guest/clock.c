// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock page, from a guest that looks closely: does it ever go back, on one
 * processor or between two; what do writes do; does the host's word by calls
 * agree.  Counts updates of the page, never time.
 */
#include "guest.h"

#include "include/hotline/clock.h"
#include "include/hotline/platform.h"

#define UPDATES	    40 /* that each loop below sees */
#define WHOLE_NS    1000000000ull
#define VMCLOCK_TSC 1

struct reading {
	uint64_t ns, wall, error, tsc, sets, disruptions;
	uint32_t seq, flags;
};

static uint64_t page;

static uint64_t get(unsigned int at)
{
	return *(volatile uint64_t *)(page + at);
}

static uint32_t get32(unsigned int at)
{
	return *(volatile uint32_t *)(page + at);
}

static uint64_t line_at(const volatile struct hl_clock *c, uint64_t t)
{
	uint64_t ticks = t > c->tsc ? t - c->tsc : 0;

	return c->ns + (uint64_t)((unsigned __int128)ticks * c->mult >> 32);
}

static uint64_t tsc_between(void)
{
	uint64_t t = tsc();

	__asm__ volatile("lfence" : : : "memory");
	return t;
}

static struct reading look(void)
{
	const volatile struct hl_clock *c = (void *)(page + HL_CLOCK_OFFSET);
	struct reading r;
	uint64_t age;

	for (;;) {
		r.seq = c->seq;
		r.flags = c->flags;
		r.tsc = tsc_between();
		r.ns = line_at(c, r.tsc);
		r.wall = r.ns + (uint64_t)c->wall_ns;
		age = r.tsc > c->tsc ? r.tsc - c->tsc : 0;
		/* As the header has it, but for pages of any age. */
		r.error = c->wall_error +
			  (uint64_t)((unsigned __int128)age * c->mult >> 32) /
				  500;
		r.sets = c->wall_sets;
		r.disruptions = c->disruptions;
		if (!(r.seq & 1) && c->seq == r.seq)
			return r;
		relax();
	}
}

/* The wall time by the vmclock at its beginning, as Linux computes it. */
static uint64_t vmclock_wall(uint64_t *at)
{
	uint64_t fraction, s, period, value;
	uint32_t seq, shift;

	do {
		unsigned __int128 more;

		seq = get32(12);
		shift = *(volatile uint8_t *)(page + 39);
		value = get(40);
		period = get(48);
		s = get(72);
		fraction = get(80);
		*at = tsc_between();
		more = (unsigned __int128)(*at - value) * period >> shift;
		more += fraction;
		s += (uint64_t)(more >> 64);
		fraction = (uint64_t)more;
	} while (seq & 1 || get32(12) != seq);
	return s * WHOLE_NS +
	       (uint64_t)((unsigned __int128)fraction * WHOLE_NS >> 64);
}

static bool find(void)
{
	uint32_t reg[4];

	cpuid(HL_CPUID_BASE, reg);
	check(reg[0] >= HL_CPUID_CLOCK, "highest leaf %x", (uint64_t)reg[0]);
	cpuid(HL_CPUID_FEATURES, reg);
	check(reg[1] & HL_FEATURE_CLOCK, "features %x", (uint64_t)reg[1]);
	cpuid(HL_CPUID_CLOCK, reg);
	page = reg[0] | (uint64_t)reg[1] << 32;
	check(page == HL_CLOCK_MMIO, "the page is at %x", page);
	check((reg[2] < 24 || reg[2] == ~0u) && !reg[3], "interrupt %u",
	      (uint64_t)reg[2]);
	return page == HL_CLOCK_MMIO;
}

static bool constants(void)
{
	bool good = get32(0) == 0x4b4c4356 && get32(4) == 4096 &&
		    (get32(8) & 0xffff) == 1;

	for (unsigned int at = 104; at < HL_CLOCK_OFFSET; at += 8)
		good &= !get(at);
	for (unsigned int at = HL_CLOCK_OFFSET + 64; at < 4096; at += 8)
		good &= !get(at);
	return good;
}

static void first_look(void)
{
	struct reading r;

	check(constants(), "vmclock %x %x %x", get(0), get(8), get(16));
	r = look();
	check(r.flags == HL_CLOCK_VALID, "flags %x", (uint64_t)r.flags);
	check(get(8) >> 16 == ((uint64_t)get32(12) << 16 | VMCLOCK_TSC),
	      "counter and time type %x", get(8));
	check(r.ns && r.wall > 1600000000 * WHOLE_NS, "clock %u wall %u", r.ns,
	      r.wall);
}

/* Never back while the page changes so often; and vmclock says the same. */
static void stays_monotonic(void)
{
	struct deadline limit = deadline_in(PATIENCE);
	struct reading last = look(), now;
	uint64_t readings = 0, updates = 0, back = 0, apart = 0;

	while (updates < UPDATES && !deadline_over(&limit)) {
		uint64_t at, wall, line;

		now = look();
		back += now.ns < last.ns;
		updates += now.seq != last.seq;
		wall = vmclock_wall(&at);
		last = now;
		now = look();
		line = now.wall - wall;
		/* Both lines of one update, or a step in between. */
		if (now.seq == last.seq &&
		    (wall + 2 < last.wall ||
		     line + 2 > now.wall - last.wall + 4))
			apart++;
		back += now.ns < last.ns;
		updates += now.seq != last.seq;
		last = now;
		readings += 2;
	}
	check(updates >= UPDATES, "the page changed %u times only", updates);
	check(!back, "went back %u times of %u", back, readings);
	check(!apart, "vmclock is elsewhere %u times of %u", apart, readings);
	print("  monotonic\n");
}

/* What the host says by a call lies between two readings of ours. */
static void calls_agree(void)
{
	for (unsigned int i = 0; i < 300; i++) {
		struct reading before = look(), after;
		uint64_t ns = (uint64_t)line_call(HL_OP_CLOCK_READ, 0), wall;

		after = look();
		check(ns >= before.ns && ns <= after.ns, "%u, then %u, then %u",
		      before.ns, ns, after.ns);
		before = look();
		wall = (uint64_t)line_call(HL_OP_CLOCK_WALL, 0);
		after = look();
		check(before.sets != after.sets ||
			      (wall + before.error >= before.wall &&
			       wall <= after.wall + after.error),
		      "wall %u, then %u, then %u", before.wall, wall,
		      after.wall);
	}
	check(line_call(HL_OP_CLOCK_READ, 1) == HL_EINVAL &&
		      line_call(HL_OP_CLOCK_WALL, 1) == HL_EINVAL,
	      "an argument is taken");
	print("  calls agree\n");
}

static void writes_do_nothing(void)
{
	struct reading before = look(), after;

	for (unsigned int at = 0; at < 4096; at += 8) {
		mmio_write(page + at, 8, ~0ull);
		mmio_write(page + at + 3, 1, 0x55);
	}
	mmio_write(page + 4092, 8, ~0ull);
	after = look();
	check(constants(), "a write changes the page");
	check(after.flags == before.flags && after.ns >= before.ns &&
		      after.disruptions == before.disruptions,
	      "a write changes the clock");
	print("  writes do nothing\n");
}

/* The latest that any processor has read. */
static _Atomic uint64_t latest, backs;
static volatile bool stop;

static void race_once(void)
{
	uint64_t was = latest, now = look().ns;

	if (now < was)
		backs++;
	while (was < now && !__atomic_compare_exchange_n(
				    (uint64_t *)&latest, &was, now, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void race_on(void *arg)
{
	(void)arg;
	while (!stop)
		race_once();
}

static void two_processors(void)
{
	struct deadline limit = deadline_in(PATIENCE);
	uint64_t updates = 0;
	uint32_t seq = 0;

	ap_run(race_on, NULL);
	while (updates < UPDATES && !deadline_over(&limit)) {
		uint32_t next = look().seq;

		updates += next != seq;
		seq = next;
		for (int i = 0; i < 100; i++)
			race_once();
	}
	stop = true;
	while (ap_running && !deadline_over(&limit))
		relax();
	check(updates >= UPDATES, "the page changed %u times only", updates);
	check(!backs, "behind the other processor: %u times", (uint64_t)backs);
	print("  two processors\n");
}

static void all_looks(void)
{
	stays_monotonic();
	calls_agree();
	writes_do_nothing();
	if (param("cpus", 1) > 1)
		two_processors();
}

/* Until the host has told of so many disruptions, and so many set clocks. */
static void wait_for_host(uint64_t pauses, uint64_t sets)
{
	struct reading last = look(), r;

	while (last.disruptions < pauses || last.sets < sets) {
		r = look();
		check(r.ns >= last.ns, "back from %u to %u", last.ns, r.ns);
		if (r.disruptions != last.disruptions) {
			check(get(16) == r.disruptions, "vmclock's marker: %u",
			      get(16));
			print("  disruption %u\n", r.disruptions);
		}
		if (r.sets != last.sets) {
			calls_agree();
			print("  set %u, by %u s\n", r.sets,
			      (r.wall - last.wall) / WHOLE_NS);
		}
		last = r;
	}
}

/*
 * cpus=2: with the second; pauses=N, sets=N: until it was resumed, and the
 * host's clock set, so often; quick=1: nothing but that.
 */
void test_clock(void)
{
	if (!find())
		return;
	first_look();
	if (!param("quick", 0))
		all_looks();
	print("  ready\n");
	wait_for_host(param("pauses", 0), param("sets", 0));
}

/* A machine without it. */
void test_noclock(void)
{
	uint32_t reg[4];

	cpuid(HL_CPUID_BASE, reg);
	check(reg[0] == HL_CPUID_TRANSPORT, "highest leaf %x",
	      (uint64_t)reg[0]);
	cpuid(HL_CPUID_FEATURES, reg);
	check(!(reg[1] & HL_FEATURE_CLOCK), "features %x", (uint64_t)reg[1]);
	check(mmio_read(HL_CLOCK_MMIO, 8) == ~0ull, "there is a page");
	check(line_call(HL_OP_CLOCK_READ, 0) == HL_ENOSYS, "there is a call");
}
