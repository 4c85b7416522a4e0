/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address ranges and who answers for them: one table per bus (PIO, MMIO,
 * MSR).  Filled before the first vCPU runs, constant from then on; handlers
 * run on the vCPU thread that made the access and do their own locking.
 */
#ifndef CORE_BUS_H
#define CORE_BUS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Handlers of one device.  off is the offset in the range; len is 1, 2, 4 or
 * 8 (MSR: always 8) and off + len may reach past the range's end for an
 * unaligned access, so check it.  Values are little-endian in the low bytes.
 * A NULL read gives all ones, a NULL write is ignored.
 */
struct bus_ops {
	uint64_t (*read)(void *dev, uint64_t off, unsigned int len);
	void (*write)(void *dev, uint64_t off, unsigned int len, uint64_t val);
};

struct bus_range {
	uint64_t base, size;
	const struct bus_ops *ops;
	void *dev;
	const char *name;	/* static string */
	uint64_t reads, writes; /* accesses; statistics, relaxed atomics */
};

#define BUS_RANGES 96

struct bus {
	const char *name;
	struct bus_range range[BUS_RANGES]; /* sorted by base, disjoint */
	unsigned int nr;
};

/* 0, -EEXIST if it overlaps, -ENOSPC, -EINVAL for an empty or wrapping one. */
int bus_add(struct bus *bus, uint64_t base, uint64_t size,
	    const struct bus_ops *ops, void *dev, const char *name);

/* False if nobody answers: reads then give all ones, writes are dropped. */
bool bus_read(struct bus *bus, uint64_t addr, unsigned int len, uint64_t *val);
bool bus_write(struct bus *bus, uint64_t addr, unsigned int len, uint64_t val);

#endif
