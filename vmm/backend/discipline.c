// SPDX-License-Identifier: GPL-2.0-only
/* How the line of the clock page follows the host. */
#include "vmm/backend/discipline.h"

#define EASE 4 /* periods that a correction takes */
/* A rate further than an eighth from the nominal is none: the host slept. */
#define RATE_SANE 8

static uint64_t ticks_in(const struct discipline *d, uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)ns << 32) / d->rate);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

void discipline_init(struct discipline *d, unsigned int tsc_khz,
		     uint64_t period_ns)
{
	*d = (struct discipline){ .period_ns = period_ns };
	d->nominal = (1000000ull << 32) / (tsc_khz ? tsc_khz : 1000000);
	d->rate = d->next_mult = d->nominal;
	d->error = 2 * period_ns / DISCIPLINE_CHANGE + 1;
}

void discipline_start(struct discipline *d, uint64_t tsc, uint64_t mono,
		      uint64_t ns)
{
	d->line = (struct discipline_line){ tsc, ns, d->rate };
	d->next_mult = d->rate;
	d->next_jump = 0;
	d->base = (int64_t)(ns - mono);
	d->tsc = d->seen = tsc;
	d->mono = mono;
	d->unsure = d->rate / DISCIPLINE_CHANGE;
}

/* The host's rate since the last measurement, if that makes one. */
static void measure(struct discipline *d, uint64_t tsc, uint64_t mono, bool gap)
{
	uint64_t ticks = tsc - d->tsc, ns = mono - d->mono, rate;

	if (!gap && ticks < ticks_in(d, d->period_ns) / 2)
		return; /* called early: too short to divide by */
	d->unsure = d->rate / DISCIPLINE_CHANGE;
	if (!gap) {
		rate = (uint64_t)(((unsigned __int128)ns << 32) / ticks);
		if (distance(rate, d->nominal) <= d->nominal / RATE_SANE) {
			/* It may well change so again. */
			if (distance(rate, d->rate) > d->unsure)
				d->unsure = distance(rate, d->rate);
			d->rate = rate;
		}
	}
	d->tsc = tsc;
	d->mono = mono;
}

/* How far the line is ahead, if that is to be slewed off. */
static int64_t phase(struct discipline *d, uint64_t tsc, uint64_t mono)
{
	int64_t ahead = (int64_t)(discipline_at(&d->line, tsc) -
				  (mono + (uint64_t)d->base));

	d->next_jump = 0;
	if (ahead > DISCIPLINE_AHEAD) {
		d->base = (int64_t)((uint64_t)d->base + (uint64_t)ahead);
		d->rebases++;
		return 0;
	}
	if (ahead < -DISCIPLINE_JUMP) {
		d->next_jump = (uint64_t)-ahead;
		d->jumps++;
		return 0;
	}
	return ahead;
}

/* ticks: since the last sample.  It may be late again, but less and less. */
static void set_ease(struct discipline *d, uint64_t ticks)
{
	uint64_t least = EASE * ticks_in(d, d->period_ns);

	d->ease -= d->ease / 16;
	if (d->ease < 2 * ticks)
		d->ease = 2 * ticks;
	if (d->ease < least)
		d->ease = least;
}

/* What takes the line from so far ahead to where it should be. */
static uint64_t slewed(const struct discipline *d, int64_t ahead)
{
	uint64_t most = d->rate / DISCIPLINE_SLEW;
	uint64_t far = (uint64_t)(ahead < 0 ? -ahead : ahead);
	uint64_t slew = (uint64_t)(((unsigned __int128)far << 32) / d->ease);

	if (slew > most)
		slew = most;
	return ahead < 0 ? d->rate + slew : d->rate - slew;
}

void discipline_sample(struct discipline *d, uint64_t tsc, uint64_t mono,
		       bool gap)
{
	uint64_t horizon;
	int64_t ahead;

	set_ease(d, gap ? 0 : tsc - d->seen);
	d->seen = tsc;
	measure(d, tsc, mono, gap);
	ahead = phase(d, tsc, mono);
	d->next_mult = slewed(d, ahead);
	horizon = 2 * ticks_in(d, d->period_ns);
	d->error = (uint64_t)(ahead < 0 ? -ahead : ahead) + 1 +
		   (uint64_t)((unsigned __int128)horizon * d->unsure >> 32);
}
