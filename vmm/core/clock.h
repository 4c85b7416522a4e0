/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's clocks. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Any of them, ns. */
static inline uint64_t clock_read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* CLOCK_MONOTONIC in ns. */
static inline uint64_t clock_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

/* The same in ms; signed, so that deadlines can be subtracted from it. */
static inline int64_t clock_ms(void)
{
	return (int64_t)(clock_ns() / 1000000);
}

#endif
