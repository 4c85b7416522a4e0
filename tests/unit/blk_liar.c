// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-blk and a driver that lies: it gets errors, at worst a device that
 * wants a reset, and the disk keeps its size.
 */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/lib_blk.h"
#include "tests/unit/lib_run.h"

START_TEST(bad_ranges)
{
	static const struct {
		uint64_t sector;
		uint32_t len;
	} bad[] = {
		{ BLK_TEST_SECTORS, 512 },
		{ BLK_TEST_SECTORS - 1, 1024 },
		{ ~0ull, 512 },
		{ ~0ull >> 9, 1024 },
		{ 1ull << 55, 512 },
		{ 0, 513 },
		{ 0, 1 },
		{ 0, BLK_TEST_SIZE - 511 },
	};
	unsigned int i;

	blk_test_begin();
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_int_eq(blk_test_request(VIRTIO_BLK_T_IN,
						  bad[i].sector, AT_DATA,
						  bad[i].len, true),
				 VIRTIO_BLK_S_IOERR);
		ck_assert_uint_eq(blk_test.ring.used->ring[i * 2].len, 0);
		ck_assert_int_eq(blk_test_request(VIRTIO_BLK_T_OUT,
						  bad[i].sector, AT_DATA,
						  bad[i].len, false),
				 VIRTIO_BLK_S_IOERR);
	}
	ck_assert_int_eq(lseek(blk_test.fd, 0, SEEK_END), BLK_TEST_SIZE);
	ck_assert_int_eq(blk_test_request(VIRTIO_BLK_T_IN, BLK_TEST_SECTORS, 0,
					  0, true),
			 0);
	ck_assert_uint_eq(blk_test.breaks, 0);
	blk_test_end();
}
END_TEST

START_TEST(short_header)
{
	uint32_t len;

	blk_test_begin();
	for (len = 0; len < 16; len++) {
		struct piece p[] = {
			{ AT_HEADER, len, false },
			{ AT_STATUS, 1, true },
		};

		*blk_test_ram(AT_STATUS) = 0xee;
		blk_test_post(p, 2);
		ck_assert_uint_eq(blk_test_kick(), 1);
		ck_assert_int_eq(*blk_test_ram(AT_STATUS), VIRTIO_BLK_S_IOERR);
	}
	ck_assert_uint_eq(blk_test.breaks, 0);
	blk_test_end();
}
END_TEST

/* Nowhere to put the status: the one thing that blk_test.breaks the device. */
START_TEST(no_status)
{
	struct piece p[] = { { AT_HEADER, 16, false },
			     { AT_DATA, 512, false } };

	blk_test_begin();
	blk_test_header(AT_HEADER, VIRTIO_BLK_T_OUT, 0);
	blk_test_post(p, 2);
	blk_test_kick();
	ck_assert_uint_eq(blk_test.breaks, 1);
	ck_assert(blk_test.dev->broken);
	ck_assert_uint_eq(blk_test.dev->queue[0].in_flight, 0);
	blk_test_stop();
	blk_test_start(~0ull);
	ck_assert_int_eq(
		blk_test_request(VIRTIO_BLK_T_IN, 0, AT_BACK, 512, true), 0);
	blk_test_end();
}
END_TEST

static uint64_t random_addr(void)
{
	switch (random() % 8) {
	case 0:
		return (uint64_t)random() << 20;
	case 1:
		return BLK_TEST_RAM - (uint64_t)random() % 1024;
	default:
		return AT_HEADER + (uint64_t)random() % 0x200000;
	}
}

static uint32_t random_len(void)
{
	static const uint32_t lens[] = { 1, 8, 16, 512, 4096, 16, 1, 513 };

	return random() % 4 ? lens[random() % 8] : (uint32_t)random() % 100000;
}

/* Descriptors at random, headers mostly right: the VMM survives. */
static void lie(void)
{
	static const uint32_t types[] = { 0, 1, 4, 8, 11, 13, 0, 99 };
	unsigned int i, n = 1 + (unsigned int)random() % 20;

	for (i = 0; i < BLK_TEST_RING; i++) {
		blk_test.ring.desc[i].addr = random_addr();
		blk_test.ring.desc[i].len = random_len();
		blk_test.ring.desc[i].flags =
			(uint16_t)(random() % 100 ? random() % 4 : random());
		blk_test.ring.desc[i].next =
			(uint16_t)(random() %
				   (random() % 9 ? BLK_TEST_RING : 65536));
	}
	for (i = 0; i < 0x200000; i += 4096)
		blk_test_header(AT_HEADER + i, types[random() % 8],
				random() % 3
					? (uint64_t)random() % BLK_TEST_SECTORS
					: (uint64_t)random() << 33);
	for (i = 0; i < n; i++) {
		struct piece p[] = {
			{ AT_HEADER + 4096 * ((uint64_t)random() % 512), 16,
			  false },
			{ random_addr(), random_len(), random() % 2 },
			{ AT_STATUS, random_len(), true },
		};

		if (random() % 2)
			blk_test_post(p, 3);
		else
			blk_test.ring.avail->ring[blk_test.ring.avail->idx++ %
						  BLK_TEST_RING] =
				(uint16_t)(random() % (BLK_TEST_RING + 1));
	}
}

START_TEST(liar)
{
	unsigned int round;

	blk_test_begin();
	srandom((unsigned int)_i);
	for (round = 0; round < 60; round++) {
		lie();
		blk_test_kick();
		ck_assert_uint_eq(blk_test.dev->queue[0].in_flight, 0);
		if (blk_test.dev->broken || random() % 8 == 0) {
			blk_test_stop();
			blk_test_start(random() % 2 ? ~0ull : 0);
		}
	}
	ck_assert_int_eq(lseek(blk_test.fd, 0, SEEK_END), BLK_TEST_SIZE);
	blk_test_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("blk_liar");
	TCase *c = tcase_create("liar");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, bad_ranges);
	tcase_add_test(c, short_header);
	tcase_add_test(c, no_status);
	tcase_add_loop_test(c, liar, 0, 20);
	suite_add_tcase(s, c);
	return unit_run(s);
}
