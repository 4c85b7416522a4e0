// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-blk and a driver that keeps to the rules, but lays its requests out
 * oddly.  The disk is a file in memory where there is a tmpfs.
 */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/lib_blk.h"
#include "tests/unit/lib_run.h"

static void fill(uint64_t addr, size_t len, unsigned int seed)
{
	srandom(seed);
	while (len--)
		*blk_test_ram(addr++) = (uint8_t)(random() | 1);
}

START_TEST(offers)
{
	const struct virtio_blk_config *c;

	blk_test_open("/dev/shm", (struct disk_options){ .queues = 3 });
	c = blk_test.dev->config;
	ck_assert_uint_eq(blk_test.dev->nr_queues, 3);
	ck_assert_uint_eq(c->capacity, BLK_TEST_SECTORS);
	ck_assert_uint_eq(c->num_queues, 3);
	ck_assert_uint_eq(c->seg_max, 254);
	ck_assert_uint_eq(c->size_max, 1 << 20);
	ck_assert_uint_eq(c->blk_size, 512);
	ck_assert_uint_eq(c->physical_block_exp, 3);
	ck_assert_uint_eq(c->wce, 1);
	ck_assert(blk_test.dev->features >> VIRTIO_BLK_F_MQ & 1);
	ck_assert(blk_test.dev->features >> VIRTIO_BLK_F_FLUSH & 1);
	ck_assert(blk_test.dev->features >> VIRTIO_BLK_F_DISCARD & 1);
	ck_assert(!(blk_test.dev->features >> VIRTIO_BLK_F_RO & 1));
	blk_test_start(0);
	blk_test_end();
}
END_TEST

START_TEST(plain)
{
	blk_test_begin();
	fill(AT_DATA, 8192, 1);
	ck_assert_int_eq(
		blk_test_request(VIRTIO_BLK_T_OUT, 7, AT_DATA, 8192, false), 0);
	ck_assert_int_eq(
		blk_test_request(VIRTIO_BLK_T_IN, 7, AT_BACK, 8192, true), 0);
	ck_assert_int_eq(
		memcmp(blk_test_ram(AT_DATA), blk_test_ram(AT_BACK), 8192), 0);
	ck_assert_uint_eq(blk_test.ring.used->ring[1].len, 8193);
	ck_assert_int_eq(blk_test_request(VIRTIO_BLK_T_FLUSH, 0, 0, 0, false),
			 0);
	ck_assert_uint_eq(blk_test.ring.used->ring[2].len, 1);
	ck_assert_int_eq(blk_test_request(VIRTIO_BLK_T_IN, BLK_TEST_SECTORS - 1,
					  AT_BACK, 512, true),
			 0);
	ck_assert_int_eq(blk_test_request(0x1234, 0, AT_BACK, 512, true),
			 VIRTIO_BLK_S_UNSUPP);
	ck_assert_uint_eq(blk_test.irqs, 5);
	blk_test_end();
}
END_TEST

/* Cuts [addr, addr + len) at random into at most max pieces. */
static unsigned int cut(struct piece *p, unsigned int max, uint64_t addr,
			uint32_t len, bool in)
{
	unsigned int n = 0;
	uint32_t part;

	while (len) {
		part = 1 + (uint32_t)random() % (random() % 2 ? 20 : 3000);
		if (part > len || n == max - 1)
			part = len;
		p[n++] = (struct piece){ addr, part, in };
		addr += part;
		len -= part;
	}
	return n;
}

/* virtio 1.2, 2.7.4: no assumption on how a request is cut. */
START_TEST(any_layout)
{
	struct piece p[BLK_TEST_RING];
	unsigned int i, n;
	uint32_t len;

	blk_test_begin();
	for (i = 0; i < 400; i++) {
		srandom(i);
		len = (1 + (uint32_t)random() % 40) * 512;
		fill(AT_DATA + 16, len, i);
		srandom(i);
		blk_test_header(AT_DATA, VIRTIO_BLK_T_OUT, i);
		n = cut(p, 100, AT_DATA, len + 16, false);
		p[n++] = (struct piece){ AT_STATUS, 1, true };
		*blk_test_ram(AT_STATUS) = 0xee;
		blk_test_post(p, n);
		ck_assert_uint_eq(blk_test_kick(), 1);
		ck_assert_int_eq(*blk_test_ram(AT_STATUS), 0);

		blk_test_header(AT_HEADER, VIRTIO_BLK_T_IN, i);
		memset(blk_test_ram(AT_BACK), 0xee, len + 2);
		n = cut(p, 100, AT_HEADER, 16, false);
		n += cut(p + n, 100, AT_BACK, len + 1, true);
		blk_test_post(p, n);
		ck_assert_uint_eq(blk_test_kick(), len + 1);
		ck_assert_int_eq(memcmp(blk_test_ram(AT_BACK),
					blk_test_ram(AT_DATA + 16), len),
				 0);
		ck_assert_int_eq(*blk_test_ram(AT_BACK + len), 0);
		ck_assert_int_eq(*blk_test_ram(AT_BACK + len + 1), 0xee);
	}
	ck_assert_uint_eq(blk_test.breaks, 0);
	blk_test_end();
}
END_TEST

START_TEST(get_id)
{
	static const char want[21] = "serial-0";
	uint32_t len;

	blk_test_begin();
	for (len = 1; len < 40; len++) {
		memset(blk_test_ram(AT_BACK), 0xee, 64);
		ck_assert_int_eq(blk_test_request(VIRTIO_BLK_T_GET_ID, 0,
						  AT_BACK, len, true),
				 0);
		ck_assert_int_eq(memcmp(blk_test_ram(AT_BACK), want,
					len < 20 ? len : 20),
				 0);
		ck_assert_int_eq(*blk_test_ram(AT_BACK + (len < 20 ? len : 20)),
				 0xee);
	}
	blk_test_end();
}
END_TEST

START_TEST(read_only)
{
	struct virtio_blk_discard_write_zeroes seg = { 0, 1, 0 };

	blk_test_open("/dev/shm", (struct disk_options){ .readonly = true });
	blk_test_start(~0ull);
	ck_assert(virtio_has(blk_test.dev, VIRTIO_BLK_F_RO));
	ck_assert(!virtio_has(blk_test.dev, VIRTIO_BLK_F_DISCARD));
	memcpy(blk_test_ram(AT_DATA), &seg, sizeof(seg));
	ck_assert_int_eq(blk_test_request(VIRTIO_BLK_T_OUT, 0, AT_DATA, 512,
					  false),
			 VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(blk_test_request(VIRTIO_BLK_T_DISCARD, 0, AT_DATA, 16,
					  false),
			 VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(blk_test_request(VIRTIO_BLK_T_WRITE_ZEROES, 0, AT_DATA,
					  16, false),
			 VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(
		blk_test_request(VIRTIO_BLK_T_IN, 0, AT_BACK, 512, true), 0);
	ck_assert_int_eq(blk_test_request(VIRTIO_BLK_T_FLUSH, 0, 0, 0, false),
			 0);
	blk_test_end();
}
END_TEST

START_TEST(zeroes)
{
	struct virtio_blk_discard_write_zeroes seg[17] = {
		{ 1, 2, 0 },
		{ 5, 1, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP },
	};
	uint32_t type = VIRTIO_BLK_T_WRITE_ZEROES;
	unsigned int i;

	blk_test_begin();
	fill(AT_DATA, 8 * 512, 3);
	memcpy(blk_test_ram(AT_BACK + 8192), blk_test_ram(AT_DATA), 8 * 512);
	ck_assert_int_eq(
		blk_test_request(VIRTIO_BLK_T_OUT, 0, AT_DATA, 4096, false), 0);
	ck_assert_int_eq(blk_test_ranges(type, seg, 2, 0), 0);
	ck_assert_int_eq(
		blk_test_request(VIRTIO_BLK_T_IN, 0, AT_BACK, 4096, true), 0);
	memset(blk_test_ram(AT_BACK + 8192 + 512), 0, 1024);
	memset(blk_test_ram(AT_BACK + 8192 + 5 * 512), 0, 512);
	ck_assert_int_eq(memcmp(blk_test_ram(AT_BACK),
				blk_test_ram(AT_BACK + 8192), 4096),
			 0);

	for (i = 0; i < 17; i++)
		seg[i] = (struct virtio_blk_discard_write_zeroes){ i, 1, 0 };
	ck_assert_int_eq(blk_test_ranges(type, seg, 16, 0), 0);
	ck_assert_int_eq(blk_test_ranges(type, seg, 17, 0), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(blk_test_ranges(type, seg, 1, 1), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(blk_test_ranges(type, seg, 0, 0), VIRTIO_BLK_S_IOERR);
	seg[0].flags = 2;
	ck_assert_int_eq(blk_test_ranges(type, seg, 1, 0), VIRTIO_BLK_S_UNSUPP);
	blk_test_end();
}
END_TEST

START_TEST(discards)
{
	static const struct {
		struct virtio_blk_discard_write_zeroes seg;
		int status;
	} cases[] = {
		{ { 0, 8, 0 }, VIRTIO_BLK_S_OK },
		{ { 0, 0, 0 }, VIRTIO_BLK_S_OK },
		{ { BLK_TEST_SECTORS - 1, 1, 0 }, VIRTIO_BLK_S_OK },
		{ { BLK_TEST_SECTORS, 1, 0 }, VIRTIO_BLK_S_IOERR },
		{ { 1, BLK_TEST_SECTORS, 0 }, VIRTIO_BLK_S_IOERR },
		{ { ~0ull, 1, 0 }, VIRTIO_BLK_S_IOERR },
		{ { 0, ~0u, 0 }, VIRTIO_BLK_S_IOERR },
		{ { 0, 1, 1 }, VIRTIO_BLK_S_UNSUPP },
		{ { 0, 1, ~0u }, VIRTIO_BLK_S_UNSUPP },
	};
	unsigned int i;

	blk_test_begin();
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_int_eq(blk_test_ranges(VIRTIO_BLK_T_DISCARD,
						 &cases[i].seg, 1, 0),
				 cases[i].status);
	blk_test_end();
}
END_TEST

static void config_write(unsigned int off, unsigned int len, uint32_t val)
{
	pthread_mutex_lock(&blk_test.dev->lock);
	blk_test.dev->ops->config_write(blk_test.dev, off, len, val);
	pthread_mutex_unlock(&blk_test.dev->lock);
}

START_TEST(cache_mode)
{
	const struct virtio_blk_config *c;
	unsigned int off;

	blk_test_begin();
	c = blk_test.dev->config;
	config_write(offsetof(struct virtio_blk_config, wce), 1, 0);
	ck_assert_uint_eq(c->wce, 0);
	ck_assert_int_eq(
		blk_test_request(VIRTIO_BLK_T_OUT, 0, AT_DATA, 512, false), 0);
	config_write(offsetof(struct virtio_blk_config, wce), 1, 2);
	config_write(offsetof(struct virtio_blk_config, wce), 4, 1);
	ck_assert_uint_eq(c->wce, 0);
	config_write(offsetof(struct virtio_blk_config, wce), 1, 1);
	ck_assert_uint_eq(c->wce, 1);
	for (off = 0; off < sizeof(*c); off++)
		if (off != offsetof(struct virtio_blk_config, wce))
			config_write(off, 1, 1);
	ck_assert_uint_eq(c->capacity, BLK_TEST_SECTORS);
	blk_test_end();
}
END_TEST

/* As many as a ring holds: one interrupt a turn, and turns end. */
START_TEST(batches)
{
	struct piece p[] = {
		{ AT_HEADER, 16, false },
		{ AT_BACK, 512, true },
		{ AT_STATUS, 1, true },
	};
	unsigned int i;

	blk_test_begin();
	blk_test_header(AT_HEADER, VIRTIO_BLK_T_IN, 0);
	for (i = 0; i < 80; i++)
		blk_test_post(p, 3);
	blk_test_kick();
	ck_assert_uint_eq(blk_test.ring.used->idx, 64);
	ck_assert_uint_eq(blk_test.agains, 1);
	ck_assert_uint_eq(blk_test.irqs, 1);
	blk_test_kick();
	ck_assert_uint_eq(blk_test.ring.used->idx, 80);
	ck_assert_uint_eq(blk_test.agains, 1);
	ck_assert_uint_eq(blk_test.irqs, 2);
	blk_test_end();
}
END_TEST

/* A reset while a real disk is busy: every chain comes back first. */
START_TEST(reset_in_flight)
{
	struct piece p[] = {
		{ AT_HEADER, 16, false },
		{ AT_BACK, 65536, true },
		{ AT_STATUS, 1, true },
	};
	unsigned int i, round;

	blk_test_open("/var/tmp",
		      (struct disk_options){ .direct = true,
					     .io = _i ? DISK_IO_LIBAIO
						      : DISK_IO_AUTO });
	for (round = 0; round < 10; round++) {
		blk_test_start(~0ull);
		blk_test_header(AT_HEADER, VIRTIO_BLK_T_IN, round * 128);
		for (i = 0; i < 60; i++)
			blk_test_post(p, 3);
		blk_test_notify();
		blk_test_stop();
		ck_assert_uint_eq(blk_test.ring.used->idx, 60);
		ck_assert_int_eq(*blk_test_ram(AT_STATUS), 0);
	}
	blk_test_start(~0ull);
	blk_test_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("blk");
	TCase *c = tcase_create("driver");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, offers);
	tcase_add_test(c, plain);
	tcase_add_test(c, any_layout);
	tcase_add_test(c, get_id);
	tcase_add_test(c, read_only);
	tcase_add_test(c, zeroes);
	tcase_add_test(c, discards);
	tcase_add_test(c, cache_mode);
	tcase_add_test(c, batches);
	tcase_add_loop_test(c, reset_in_flight, 0, 2);
	suite_add_tcase(s, c);
	return unit_run(s);
}
