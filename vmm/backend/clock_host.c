// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the host's clocks.  KVM pairs the TSC with CLOCK_REALTIME exactly;
 * the way from there to CLOCK_MONOTONIC is a constant until somebody sets the
 * clock, and is found by reading both in turn until the bounds are close.
 */
#include "vmm/backend/clock_host.h"

#include <errno.h>
#include <sys/timex.h>
#include <time.h>

#include "vmm/core/clock.h"
#include "vmm/core/tsc.h"

#define READINGS 16 /* for about 10 ns between the bounds */
#define TRIES	 4  /* somebody who sets the clock all the time */

uint64_t clock_host_realtime(void)
{
	return clock_read_ns(CLOCK_REALTIME);
}

uint64_t clock_host_boottime(void)
{
	return clock_read_ns(CLOCK_BOOTTIME);
}

bool clock_span_meet(struct clock_span *span, const struct clock_span *other)
{
	if (other->lo > span->hi || other->hi < span->lo)
		return false;
	if (other->lo > span->lo)
		span->lo = other->lo;
	if (other->hi < span->hi)
		span->hi = other->hi;
	return true;
}

static struct clock_span read_span(void)
{
	int64_t before = (int64_t)clock_ns();
	int64_t real = (int64_t)clock_host_realtime();
	int64_t after = (int64_t)clock_ns();

	/* Both readings round down, which may make one ns. */
	return (struct clock_span){ real - after - 1, real - before + 1 };
}

void clock_host_set(struct clock_host *host)
{
	struct clock_span span = read_span();

	for (int i = 1; i < READINGS; i++) {
		struct clock_span next = read_span();

		if (!clock_span_meet(&span, &next)) {
			span = next; /* set just now */
			i = 0;
		}
	}
	host->span = span;
	/* A clock that was set to what it was already is left alone. */
	if (host->wall < span.lo || host->wall > span.hi)
		host->wall = span.lo + (span.hi - span.lo) / 2;
	host->wall_unsure = (uint64_t)(host->wall - span.lo);
	if (host->wall_unsure < (uint64_t)(span.hi - host->wall))
		host->wall_unsure = (uint64_t)(span.hi - host->wall);
}

void clock_host_init(struct clock_host *host, const struct vm *vm)
{
	*host = (struct clock_host){ .vm = vm };
	clock_host_set(host);
}

int clock_host_sample(struct clock_host *host, struct clock_sample *s)
{
	for (int i = 0; i < TRIES; i++) {
		struct clock_span now;
		struct tsc_pair pair;

		if (!tsc_read_pair(host->vm, &pair))
			return -ENODEV;
		now = read_span();
		/* What held before and behind the pair held for it. */
		if (clock_span_meet(&now, &host->span)) {
			s->tsc = pair.host_tsc;
			s->mono = (uint64_t)(pair.realtime - host->wall);
			return 0;
		}
		clock_host_set(host);
	}
	return -EAGAIN;
}

void clock_host_status(struct clock_status *status)
{
	struct timex tx = { .modes = 0 };
	int state = adjtimex(&tx);

	*status = (struct clock_status){
		.synced = state >= 0 && !(tx.status & STA_UNSYNC),
		.maxerror_ns = (uint64_t)tx.maxerror * 1000,
		.esterror_ns = (uint64_t)tx.esterror * 1000,
		.tai = tx.tai,
		.leap = tx.status & STA_INS   ? 1
			: tx.status & STA_DEL ? -1
					      : 0,
		.leaping = state == TIME_OOP,
		.leapt = state == TIME_WAIT,
	};
}
