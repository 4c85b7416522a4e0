// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock page's line against a host whose clock is arithmetic too: never
 * back for any reader, close to the host, and within the bound that it states.
 */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/lib_run.h"
#include "vmm/backend/discipline.h"

#define MS	 1000000ull
#define PERIOD	 (10 * MS)
#define SECOND	 (1000 * MS)
#define PROBES	 8    /* moments looked at between two updates */
#define TURN_LAG 3000 /* ticks between a sample and the new line */

/* The host: a TSC, and a clock that goes by it at a rate that others set. */
static struct host {
	uint64_t tsc;
	unsigned __int128 mono; /* 2^-32 ns */
	uint64_t nominal, mult;
	unsigned int khz;
} host;

static struct discipline d;
static uint64_t seed;

static uint64_t any(uint64_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 24) % below;
}

static uint64_t mono(void)
{
	return (uint64_t)(host.mono >> 32);
}

static void set_ppm(int64_t ppm)
{
	host.mult = (uint64_t)((int64_t)host.nominal +
			       (int64_t)host.nominal / 1000000 * ppm);
}

static void go(uint64_t ns)
{
	uint64_t ticks = ns * host.khz / 1000000;

	host.tsc += ticks;
	host.mono += (unsigned __int128)ticks * host.mult;
}

static void begin(unsigned int khz)
{
	seed = 1;
	host = (struct host){
		.tsc = 77777777777ull * khz / 1000,
		.mono = (unsigned __int128)123456789 << 64,
		.nominal = (1000000ull << 32) / khz,
		.khz = khz,
	};
	set_ppm(0);
	discipline_init(&d, khz, PERIOD);
	discipline_start(&d, host.tsc, mono(), 1000);
	ck_assert_uint_eq(discipline_at(&d.line, host.tsc), 1000);
}

static uint64_t off(void)
{
	int64_t by =
		(int64_t)(discipline_at(&d.line, host.tsc) - mono()) - d.base;

	return (uint64_t)(by < 0 ? -by : by);
}

/* Sample and turn, as the clock's thread does; no reader sees it go back. */
static void update(bool gap)
{
	struct discipline_line old;

	discipline_sample(&d, host.tsc, mono(), gap);
	host.tsc += TURN_LAG;
	host.mono += (unsigned __int128)TURN_LAG * host.mult;
	old = d.line;
	discipline_turn(&d, host.tsc);
	for (int i = 0; i < PROBES; i++) {
		/* Who read the old line read a tick before the turn. */
		uint64_t before = host.tsc - any(1000000);
		uint64_t after = host.tsc + any(1000000);

		ck_assert_uint_le(discipline_at(&old, before),
				  discipline_at(&d.line, after));
		ck_assert_uint_le(discipline_at(&d.line, before),
				  discipline_at(&d.line, after));
	}
	ck_assert_uint_ge(discipline_at(&d.line, host.tsc),
			  discipline_at(&old, host.tsc));
}

/* Time goes on in pieces; the stated bound holds, and its growth. */
static void wait_for(uint64_t ns)
{
	uint64_t gone = 0;

	for (int i = 0; i < PROBES; i++) {
		go(ns / PROBES);
		gone += ns / PROBES;
		if (gone < 2 * PERIOD - MS)
			ck_assert_uint_le(off(), d.error);
		else
			ck_assert_uint_le(off(), d.error + gone / 500);
	}
}

START_TEST(settles)
{
	static const unsigned int khz[] = { 100000,  999999,  1000000,
					    2599998, 3700001, 6000000 };

	for (unsigned int i = 0; i < sizeof(khz) / sizeof(khz[0]); i++) {
		begin(khz[i]);
		set_ppm(_i * 250);
		for (int n = 0; n < 40; n++) {
			wait_for(PERIOD);
			update(false);
		}
		/* A tick of the slowest is 10 ns. */
		ck_assert_uint_le(off(), khz[i] < 900000 ? 30 : 4);
		ck_assert_uint_le(d.error, 2 * PERIOD / DISCIPLINE_CHANGE + 20);
		ck_assert_uint_eq(d.jumps + d.rebases, 0);
	}
}
END_TEST

/* The rate goes from one end of adjtimex' range to the other at any moment. */
START_TEST(follows_slews)
{
	begin(2400000);
	for (int n = 0; n < 20000; n++) {
		if (!any(3))
			set_ppm((int64_t)any(1001) - 500);
		wait_for(PERIOD + any(MS));
		update(false);
		ck_assert_uint_lt(off(), 30000);
	}
	ck_assert_uint_eq(d.jumps + d.rebases, 0);
	set_ppm(-500);
	for (int n = 0; n < 60; n++) {
		wait_for(PERIOD);
		update(false);
	}
	ck_assert_uint_le(off(), 4);
}
END_TEST

/* Its thread gets the processor when others let it. */
START_TEST(bears_lateness)
{
	begin(2600000);
	set_ppm(250);
	for (int n = 0; n < 5000; n++) {
		uint64_t periods = any(4) ? 1 : 1 + any(30);

		wait_for(periods * PERIOD);
		update(false);
		/* One ns in a period's rate is 30 in so many periods. */
		if (n > 100)
			ck_assert_uint_le(off(), 200);
	}
	ck_assert_uint_eq(d.jumps + d.rebases, 0);
}
END_TEST

/* Called again and again because the wall clock is being set. */
START_TEST(bears_haste)
{
	begin(2600000);
	set_ppm(-400);
	for (int n = 0; n < 20000; n++) {
		go(any(40) ? any(20000) : PERIOD);
		update(false);
	}
	ck_assert_uint_lt(off(), 30000);
	for (int n = 0; n < 60; n++) {
		wait_for(PERIOD);
		update(false);
	}
	ck_assert_uint_le(off(), 4);
}
END_TEST

/* Stopped, while the host's clock was slewed: behind means a jump. */
START_TEST(stall_behind)
{
	begin(2600000);
	for (int n = 0; n < 10; n++) {
		wait_for(PERIOD);
		update(false);
	}
	set_ppm(500);
	go(10 * SECOND); /* 5 ms */
	update(true);
	ck_assert_uint_eq(d.jumps, 1);
	ck_assert_uint_lt(off(), 100);
	ck_assert_uint_lt(d.error, 2 * PERIOD / 500);
	for (int n = 0; n < 40; n++) {
		wait_for(PERIOD);
		update(false);
	}
	ck_assert_uint_le(off(), 4);
	ck_assert_uint_eq(d.jumps, 1);
}
END_TEST

/* And ahead a long way that goes slowly. */
START_TEST(stall_ahead)
{
	int64_t base;
	int n;

	begin(2600000);
	base = d.base;
	set_ppm(-500);
	go(10 * SECOND);
	update(true);
	ck_assert_uint_gt(off(), 4900000);
	for (n = 0; n < 1000 && off() > 10; n++) {
		ck_assert_uint_ge(d.error, off());
		wait_for(PERIOD);
		update(false);
	}
	ck_assert_int_ge(n, 400); /* 5 ms, a thousandth a time */
	ck_assert_int_lt(n, 700);
	ck_assert_uint_eq(d.jumps + d.rebases, 0);
	ck_assert(d.base == base);
}
END_TEST

/* The host slept: its TSC went on, its CLOCK_MONOTONIC did not. */
START_TEST(sleep_makes_a_new_base)
{
	uint64_t before;
	int64_t base;

	begin(2600000);
	base = d.base;
	for (int n = 0; n < 10; n++) {
		wait_for(PERIOD);
		update(false);
	}
	host.tsc += 3600ull * host.khz * 1000;
	before = discipline_at(&d.line, host.tsc);
	update(true);
	ck_assert_uint_ge(discipline_at(&d.line, host.tsc), before);
	ck_assert_uint_eq(d.rebases, 1);
	ck_assert_int_gt(d.base, base + (int64_t)(3599 * SECOND));
	ck_assert_uint_lt(off(), 100);
	for (int n = 0; n < 40; n++) {
		wait_for(PERIOD);
		update(false);
	}
	ck_assert_uint_le(off(), 4);
	ck_assert_uint_eq(d.rebases, 1);
}
END_TEST

/* ADJ_TICK can do much more than 500 ppm, as chronyd makes it. */
START_TEST(great_slews)
{
	begin(2600000);
	for (int n = 0; n < 3000; n++) {
		if (!any(20))
			set_ppm((int64_t)any(160001) - 80000);
		go(PERIOD);
		update(false);
		ck_assert_uint_lt(off(), DISCIPLINE_AHEAD + 2 * MS);
		/* The bound is about the last sample at least. */
		ck_assert_uint_ge(d.error + 10, off());
	}
	set_ppm(80000);
	for (int n = 0; n < 3000; n++) {
		go(PERIOD);
		update(false);
	}
	ck_assert_uint_le(off(), 4);
}
END_TEST

/*
 * Who planned the line takes to it late, and the host was slewed meanwhile: the
 * error says so.
 */
START_TEST(late_turns)
{
	begin(2600000);
	for (int n = 0; n < 3000; n++) {
		go(PERIOD);
		discipline_sample(&d, host.tsc, mono(), false);
		if (!any(20)) {
			set_ppm((int64_t)any(1001) - 500);
			go(any(500 * MS));
		}
		discipline_turn(&d, host.tsc);
		ck_assert_uint_le(off(), d.error + discipline_late(&d) + 1);
	}
}
END_TEST

/* Samples that make no sense leave a clock that goes on. */
START_TEST(nonsense)
{
	begin(2600000);
	for (int n = 0; n < 2000; n++) {
		uint64_t was, tsc = any(2) ? any(UINT64_MAX) : host.tsc;

		discipline_sample(&d, tsc, any(2) ? any(UINT64_MAX) : mono(),
				  any(2));
		was = discipline_at(&d.line, host.tsc);
		discipline_turn(&d, host.tsc);
		ck_assert_uint_ge(d.line.mult, host.nominal / 2);
		ck_assert_uint_le(d.line.mult, host.nominal * 2);
		ck_assert(discipline_at(&d.line, host.tsc) >= was ||
			  d.line.ns - was < 1ull << 63);
		go(PERIOD);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("discipline");
	TCase *tc = tcase_create("discipline");

	tcase_add_loop_test(tc, settles, -2, 3);
	tcase_add_test(tc, follows_slews);
	tcase_add_test(tc, bears_lateness);
	tcase_add_test(tc, bears_haste);
	tcase_add_test(tc, stall_behind);
	tcase_add_test(tc, stall_ahead);
	tcase_add_test(tc, sleep_makes_a_new_base);
	tcase_add_test(tc, great_slews);
	tcase_add_test(tc, late_turns);
	tcase_add_test(tc, nonsense);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
