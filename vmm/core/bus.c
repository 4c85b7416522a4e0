// SPDX-License-Identifier: GPL-2.0-only
/* Range tables: sorted, disjoint, searched by bisection. */
#include "vmm/core/bus.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Index of the first range that ends behind addr. */
static unsigned int find(const struct bus *bus, uint64_t addr)
{
	unsigned int lo = 0, hi = bus->nr;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;
		const struct bus_range *r = &bus->range[mid];

		if (addr - r->base < r->size && addr >= r->base)
			return mid;
		if (addr < r->base)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

int bus_add(struct bus *bus, uint64_t base, uint64_t size,
	    const struct bus_ops *ops, void *dev, const char *name)
{
	uint64_t last;
	unsigned int i;

	if (!size || __builtin_add_overflow(base, size - 1, &last))
		return -EINVAL;
	if (bus->nr == BUS_RANGES)
		return -ENOSPC;
	i = find(bus, base);
	if (i < bus->nr && bus->range[i].base <= last)
		return -EEXIST;
	memmove(&bus->range[i + 1], &bus->range[i],
		(bus->nr - i) * sizeof(bus->range[0]));
	bus->range[i] = (struct bus_range){
		.base = base,
		.size = size,
		.ops = ops,
		.dev = dev,
		.name = name,
	};
	bus->nr++;
	return 0;
}

static struct bus_range *lookup(struct bus *bus, uint64_t addr)
{
	unsigned int i = find(bus, addr);

	if (i == bus->nr || addr < bus->range[i].base)
		return NULL;
	return &bus->range[i];
}

static uint64_t ones(unsigned int len)
{
	return len >= 8 ? UINT64_MAX : (1ull << len * 8) - 1;
}

bool bus_read(struct bus *bus, uint64_t addr, unsigned int len, uint64_t *val)
{
	struct bus_range *r = lookup(bus, addr);

	*val = ones(len);
	if (!r)
		return false;
	__atomic_fetch_add(&r->reads, 1, __ATOMIC_RELAXED);
	if (r->ops->read)
		*val = r->ops->read(r->dev, addr - r->base, len) & ones(len);
	return true;
}

bool bus_write(struct bus *bus, uint64_t addr, unsigned int len, uint64_t val)
{
	struct bus_range *r = lookup(bus, addr);

	if (!r)
		return false;
	__atomic_fetch_add(&r->writes, 1, __ATOMIC_RELAXED);
	if (r->ops->write)
		r->ops->write(r->dev, addr - r->base, len, val & ones(len));
	return true;
}
