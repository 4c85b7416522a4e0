// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block requests that are well-formed chains and bad requests (virtio 1.2,
 * 5.2.6), and good ones in unusual pieces.
 */
#include "virtio.h"

#define BUF    (ARENA + 0x1000000)
#define HEAD   (BUF + 0x200000)
#define STATUS (BUF + 0x201000)
#define SEGS   (BUF + 0x202000)
#define BROKEN 0xbb /* NEEDS_RESET instead of an answer */

struct range {
	uint64_t sector;
	uint32_t nr, flags;
};

static uint64_t capacity; /* sectors */

static struct blk_head *head(uint32_t type, uint64_t sector)
{
	struct blk_head *h = (void *)HEAD;

	*h = (struct blk_head){ type, 0, sector };
	*(volatile uint8_t *)STATUS = BLK_NONE;
	return h;
}

/* Runs chain 0 and says what came of it. */
static uint8_t go(struct vdev *d, struct used_elem *elem)
{
	struct vq *q = &d->vq[0];

	vq_offer(q, 0);
	vq_kick(d, q);
	if (!vdev_answers(d, q, elem))
		return vdev_broken(d, 0) ? BROKEN : BLK_NONE;
	if (*(volatile uint8_t *)STATUS == BLK_NONE && vdev_broken(d, 1))
		return BROKEN;
	return *(volatile uint8_t *)STATUS;
}

static void start(struct vdev *d)
{
	vdev_start(d, ~0ull & ~F_EVENT_IDX);
}

static void expect(struct vdev *d, const char *what, uint8_t got, uint8_t want)
{
	check(got == want, "blk: %s: status %x instead of %x", what,
	      (uint64_t)got, (uint64_t)want);
	if (got == BROKEN || got == BLK_NONE)
		start(d);
}

static void bad_ranges(struct vdev *d)
{
	static const struct {
		const char *what;
		uint32_t type;
		uint64_t sector; /* from the disk's end if `end` */
		uint32_t len;
		bool end;
		uint8_t want;
	} rows[] = {
		{ "read at the end", BLK_IN, 0, 512, true, BLK_IOERR },
		{ "read across the end", BLK_IN, (uint64_t)-1, 1024, true,
		  BLK_IOERR },
		{ "read of the last sector", BLK_IN, (uint64_t)-1, 512, true,
		  BLK_OK },
		{ "read at sector 2^63", BLK_IN, 1ull << 63, 512, false,
		  BLK_IOERR },
		{ "read at sector 2^55", BLK_IN, 1ull << 55, 512, false,
		  BLK_IOERR },
		{ "read at the last of 2^64", BLK_IN, ~0ull, 512, false,
		  BLK_IOERR },
		{ "write across the end", BLK_OUT, (uint64_t)-1, 1024, true,
		  BLK_IOERR },
		{ "write at sector 2^63", BLK_OUT, 1ull << 63, 512, false,
		  BLK_IOERR },
		{ "read of 100 bytes", BLK_IN, 0, 100, false, BLK_IOERR },
		{ "read of 513 bytes", BLK_IN, 0, 513, false, BLK_IOERR },
		{ "write of 511 bytes", BLK_OUT, 0, 511, false, BLK_IOERR },
		{ "unknown type", 0x1234, 0, 512, false, BLK_UNSUPP },
		{ "type 2^32 - 1", 0xffffffff, 0, 512, false, BLK_UNSUPP },
		{ "id", BLK_GET_ID, 0, 20, false, BLK_OK },
		{ "id of 3 bytes", BLK_GET_ID, 0, 3, false, BLK_OK },
		{ "id of 4096 bytes", BLK_GET_ID, 0, 4096, false, BLK_OK },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		expect(d, rows[i].what,
		       blk_do(d, rows[i].type,
			      rows[i].sector + (rows[i].end ? capacity : 0),
			      BUF, rows[i].len),
		       rows[i].want);
}

static void bad_chains(struct vdev *d)
{
	struct vq *q = &d->vq[0];
	struct used_elem e;

	head(BLK_IN, 0);
	vq_desc(q, 0, HEAD, 16, 0, 0);
	expect(d, "no status byte", go(d, &e), BROKEN);

	head(BLK_IN, 0);
	vq_desc(q, 0, STATUS, 1, D_WRITE, 0);
	expect(d, "no header", go(d, &e), BLK_IOERR);

	head(BLK_IN, 0);
	vq_desc(q, 0, HEAD, 15, D_NEXT, 1);
	vq_desc(q, 1, STATUS, 1, D_WRITE, 0);
	expect(d, "a header of 15 bytes", go(d, &e), BLK_IOERR);

	head(BLK_OUT, 0);
	vq_desc(q, 0, HEAD, 15, D_NEXT, 1);
	vq_desc(q, 1, BUF, 512, D_WRITE | D_NEXT, 2);
	vq_desc(q, 2, STATUS, 1, D_WRITE, 0);
	expect(d, "a write whose data is writable", go(d, &e), BLK_IOERR);

	head(BLK_IN, 0);
	vq_desc(q, 0, HEAD, 16, D_NEXT, 1);
	vq_desc(q, 1, STATUS, 1, D_WRITE, 0);
	check(go(d, &e) != BLK_NONE, "blk: a read of nothing is not answered");
	start(d);
}

static void put_range(unsigned int i, uint64_t sector, uint32_t nr,
		      uint32_t flags)
{
	((struct range *)SEGS)[i] = (struct range){ sector, nr, flags };
}

static uint8_t ranged(struct vdev *d, uint32_t type, uint32_t len)
{
	return blk_do(d, type, 0, SEGS, len);
}

static void bad_discards(struct vdev *d, uint32_t type)
{
	put_range(0, capacity, 1, 0);
	expect(d, "range at the end", ranged(d, type, 16), BLK_IOERR);
	put_range(0, capacity - 1, 2, 0);
	expect(d, "range across the end", ranged(d, type, 16), BLK_IOERR);
	put_range(0, ~0ull, 0xffffffff, 0);
	expect(d, "range that wraps", ranged(d, type, 16), BLK_IOERR);
	put_range(0, 0, 1, 0xfffffffe);
	expect(d, "range with unknown flags", ranged(d, type, 16), BLK_UNSUPP);
	put_range(0, 0, 1, 0);
	expect(d, "15 bytes of a range", ranged(d, type, 15), BLK_IOERR);
	expect(d, "17 bytes of ranges", ranged(d, type, 17), BLK_IOERR);
	for (unsigned int i = 0; i < 255; i++)
		put_range(i, 0, 1, 0);
	expect(d, "255 ranges", ranged(d, type, 255 * 16), BLK_IOERR);
	/* The first is good, the second is not: nothing may happen. */
	memset((void *)BUF, 0x31, 4096);
	expect(d, "write", blk_do(d, BLK_OUT, 16, BUF, 4096), BLK_OK);
	put_range(0, 16, 8, 0);
	put_range(1, capacity, 8, 0);
	expect(d, "a good and a bad range", ranged(d, type, 32), BLK_IOERR);
	memset((void *)BUF, 0, 4096);
	expect(d, "read", blk_do(d, BLK_IN, 16, BUF, 4096), BLK_OK);
	check(*(uint8_t *)BUF == 0x31, "blk: a refused list was begun");
}

static void zeroes(struct vdev *d)
{
	const uint8_t *p = (uint8_t *)BUF;

	memset((void *)BUF, 0x42, 8192);
	expect(d, "write", blk_do(d, BLK_OUT, 96, BUF, 8192), BLK_OK);
	put_range(0, 98, 3, 0);
	put_range(1, 105, 1, 1);
	expect(d, "two ranges of zeroes", ranged(d, BLK_ZEROES, 32), BLK_OK);
	expect(d, "read", blk_do(d, BLK_IN, 96, BUF, 8192), BLK_OK);
	for (unsigned int i = 0; i < 16; i++) {
		bool zero = (i >= 2 && i < 5) || i == 9;

		check(p[i * 512] == (zero ? 0 : 0x42) &&
			      p[i * 512 + 511] == (zero ? 0 : 0x42),
		      "blk: sector %u after writing zeroes: %x",
		      (uint64_t)96 + i, (uint64_t)p[i * 512]);
	}
	put_range(0, 96, 16, 0);
	expect(d, "discard", ranged(d, BLK_DISCARD, 16), BLK_OK);
}

/* virtio 1.2, 2.7.4.1: a device must not rely on where pieces are cut. */
static void pieces(struct vdev *d)
{
	struct vq *q = &d->vq[0];
	struct used_elem e;
	uint16_t n = 0;

	memset((void *)BUF, 0x17, 512);
	expect(d, "write", blk_do(d, BLK_OUT, 40, BUF, 512), BLK_OK);
	memset((void *)BUF, 0, 1024);
	head(BLK_IN, 40);
	for (; n < 16; n++)
		vq_desc(q, n, HEAD + n, 1, D_NEXT, (uint16_t)(n + 1));
	vq_desc(q, 16, BUF, 1, D_NEXT | D_WRITE, 17);
	vq_desc(q, 17, BUF + 1, 500, D_NEXT | D_WRITE, 18);
	/* The rest of the data and the status in one buffer. */
	vq_desc(q, 18, STATUS - 11, 12, D_WRITE, 0);
	expect(d, "a read in pieces", go(d, &e), BLK_OK);
	check(e.len == 513, "blk: a read of 512 bytes wrote %u",
	      (uint64_t)e.len);
	check(*(uint8_t *)(BUF + 500) == 0x17 &&
		      *(uint8_t *)(STATUS - 11) == 0x17 &&
		      *(uint8_t *)(BUF + 501) == 0,
	      "blk: pieces were misplaced");

	head(BLK_OUT, 41);
	memset((void *)(HEAD + 16), 0x18, 512);
	vq_desc(q, 0, HEAD, 16 + 512, D_NEXT, 1);
	vq_desc(q, 1, STATUS, 1, D_WRITE, 0);
	expect(d, "header and data in one buffer", go(d, &e), BLK_OK);
	expect(d, "read", blk_do(d, BLK_IN, 41, BUF, 512), BLK_OK);
	check(*(uint8_t *)BUF == 0x18 && *(uint8_t *)(BUF + 511) == 0x18,
	      "blk: data behind the header in one buffer got lost");
}

static void read_only(struct vdev *d)
{
	check(vdev_features(d) & F_BLK_RO, "blk: no RO on a read-only disk");
	start(d);
	memset((void *)BUF, 0xee, 512);
	expect(d, "write to a read-only disk", blk_do(d, BLK_OUT, 0, BUF, 512),
	       BLK_IOERR);
	put_range(0, 0, 1, 0);
	expect(d, "zeroes on a read-only disk", ranged(d, BLK_ZEROES, 16),
	       BLK_IOERR);
	expect(d, "discard on a read-only disk", ranged(d, BLK_DISCARD, 16),
	       BLK_IOERR);
	expect(d, "read", blk_do(d, BLK_IN, 0, BUF, 512), BLK_OK);
	vdev_reset(d);
}

void test_blk(void)
{
	struct vdev *d = vdev_find(VIRTIO_BLK, 0);

	if (!d) {
		fail("no disk");
		return;
	}
	capacity = mmio_read(d->base + R_CONFIG, 4) |
		   mmio_read(d->base + R_CONFIG + 4, 4) << 32;
	start(d);
	bad_ranges(d);
	bad_chains(d);
	bad_discards(d, BLK_DISCARD);
	bad_discards(d, BLK_ZEROES);
	zeroes(d);
	pieces(d);
	vdev_must_work(d, "bad requests");
	d = vdev_find(VIRTIO_BLK, 1);
	if (d)
		read_only(d);
}
