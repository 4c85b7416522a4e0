// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random rings and registers, from a seed: dev=NAME (or all), n=ROUNDS.  What
 * a device may write to lies in the arena or nowhere; see pick_addr().
 */
#include "virtio.h"

#define RINGS	  ARENA
#define DATA	  (ARENA + 0x400000)
#define DATA_SIZE (ARENA_SIZE - 0x400000)

static uint64_t pick_addr(struct random *r, const struct vq *q)
{
	static const uint64_t odd[] = { 0xd0010000,   0xfee00000, 0xfec00000,
					1ull << 32,   1ull << 40, ~0ull,
					~0ull - 4095, 1ull << 63 };

	switch (random_below(r, 16)) {
	case 0:
		return ram_end - random_below(r, 64);
	case 1:
		return ram_end + random_next(r);
	case 2:
		return odd[random_below(r, ARRAY_SIZE(odd))] +
		       random_below(r, 16);
	case 3:
		return 1ull << 33 | random_wide(r);
	case 4:
		return (uintptr_t)q->desc + random_below(r, 0x4000);
	case 5:
		return DATA + random_below(r, 4096);
	default:
		return DATA + random_below(r, DATA_SIZE / 2);
	}
}

static uint32_t pick_len(struct random *r)
{
	static const uint32_t odd[] = {
		0,    1,     3,	       11,	   12,	       15,
		16,   17,    511,      512,	   513,	       4095,
		4096, 65536, 0x100000, 0x7fffffff, 0xfffffff0, 0xffffffff
	};

	return random_below(r, 4) ? 16 * random_below(r, 512)
				  : odd[random_below(r, ARRAY_SIZE(odd))];
}

static uint16_t pick_flags(struct random *r)
{
	return random_below(r, 16)  ? (uint16_t)(random_below(r, 4))
	       : random_below(r, 4) ? D_INDIRECT
				    : (uint16_t)random_next(r);
}

static void scramble(struct random *r, struct vq *q)
{
	uint32_t n = 1 + random_below(r, q->size);

	while (n--)
		vq_desc(q, (uint16_t)random_below(r, q->size), pick_addr(r, q),
			pick_len(r), pick_flags(r),
			(uint16_t)random_below(
				r, random_below(r, 8) ? q->size : 0x10000));
	/* Some of it as an indirect table or as headers somewhere else. */
	memcpy((void *)(DATA + random_below(r, 4096) / 16 * 16),
	       (void *)q->desc, q->size * sizeof(struct desc));
	for (n = random_below(r, 8); n; n--)
		((volatile uint32_t *)DATA)[random_below(r, 1024)] =
			random_below(r, 2) ? random_below(r, 16)
					   : random_next(r);
	n = random_below(r, 6);
	while (n--)
		vq_offer(q, (uint16_t)random_below(r, q->size));
	if (!random_below(r, 16)) {
		q->avail_idx = (uint16_t)random_next(r);
		q->avail->idx = q->avail_idx;
	}
	q->avail->flags = (uint16_t)random_below(r, 3);
}

/* A register write; addresses only where a device may write. */
static void poke(struct random *r, struct vdev *d)
{
	static const unsigned int regs[] = {
		R_FEATURES_SEL, R_DRIVER,      R_DRIVER_SEL, R_QUEUE_SEL,
		R_QUEUE_NUM,	R_QUEUE_READY, R_NOTIFY,     R_NOTIFY,
		R_INT_ACK,	R_STATUS,      R_CONFIG,     R_DESC,
		R_AVAIL,	R_USED,
	};
	unsigned int reg = regs[random_below(r, ARRAY_SIZE(regs))];

	outl(d->port, random_below(r, 4));

	if (reg == R_DESC || reg == R_AVAIL || reg == R_USED)
		reg_write64(d, reg, pick_addr(r, &d->vq[0]));
	else if (reg == R_CONFIG)
		mmio_write(d->base + R_CONFIG + random_below(r, 64),
			   1u << random_below(r, 4), random_wide(r));
	else
		reg_write(d, reg,
			  random_below(r, 2) ? random_below(r, 16)
					     : random_next(r));
}

static void restart(struct random *r, struct vdev *d)
{
	uint64_t features = F_VERSION_1 | random_wide(r);

	/* So that each ring is where we think it is. */
	vdev_reset(d);
	vdev_start(d, features & ~0x20000000ull);
	for (unsigned int q = 0; q < d->nr_queues; q++)
		if (!random_below(r, 4))
			vdev_queue(d, q, (uint16_t)(1u << random_below(r, 7)));
}

static void fuzz(struct vdev *d, uint64_t seed, uint64_t rounds)
{
	struct random r = { seed * 977 + d->id };

	for (uint64_t i = 0; i < rounds; i++) {
		unsigned int n = random_below(&r, d->nr_queues);

		if (!i || !random_below(&r, 8) ||
		    reg_read(d, R_STATUS) & S_NEEDS_RESET)
			restart(&r, d);
		scramble(&r, &d->vq[n]);
		if (!random_below(&r, 6))
			poke(&r, d);
		vq_kick(d, &d->vq[n]);
	}
	vdev_must_work(d, "random rings");
}

void test_fuzz(void)
{
	const char *dev = param_text("dev");
	uint64_t n = param("n", 500), seeds = param("seeds", 1);
	uint64_t seed = param("seed", 1);

	for (uint64_t s = seed; s < seed + seeds; s++) {
		for (unsigned int i = 0; i < nr_vdevs; i++)
			if (!*dev || text_is(dev, vdevs[i].name))
				fuzz(&vdevs[i], s, n);
		print("  seed %u done\n", s);
	}
}
