/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters that one thread writes and any may read. */
#ifndef CORE_COUNTER_H
#define CORE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

static inline uint64_t counter_get(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

/* One writer, so a plain addition that readers see whole will do. */
static inline void counter_add(_Atomic uint64_t *n, uint64_t by)
{
	atomic_store_explicit(n, counter_get(n) + by, memory_order_relaxed);
}

#endif
