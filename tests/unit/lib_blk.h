/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio-blk device on a temporary file, and the driver that uses it. */
#ifndef UNIT_LIB_BLK_H
#define UNIT_LIB_BLK_H

#include <linux/virtio_blk.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/unit/lib_ring.h"
#include "virtio/disk.h"
#include "virtio/virtio.h"

#define BLK_TEST_SIZE	 (4u << 20) /* of the disk */
#define BLK_TEST_SECTORS (BLK_TEST_SIZE / 512)
#define BLK_TEST_RAM	 (8u << 20)
#define BLK_TEST_RING	 256

/* Guest addresses that tests use; the ring is below. */
#define AT_HEADER 0x8000
#define AT_STATUS 0x9000
#define AT_DATA	  0x100000
#define AT_BACK	  0x400000 /* what is read back */

struct piece { /* one descriptor */
	uint64_t addr;
	uint32_t len;
	bool in;
};

struct blk_test {
	struct virtio_dev *dev;
	struct disk *disk;
	struct ring ring;
	unsigned int irqs, breaks, agains;
	uint16_t next_desc;
	char path[128];
	int fd;
};

extern struct blk_test blk_test;

/* Opens a disk in `dir` if that can be written, else in /tmp. */
void blk_test_open(const char *dir, struct disk_options opt);
/* DRIVER_OK with those features; reset; both and the end. */
void blk_test_start(uint64_t features);
void blk_test_stop(void);
void blk_test_begin(void);
void blk_test_end(void);

uint8_t *blk_test_ram(uint64_t addr);
void blk_test_header(uint64_t addr, uint32_t type, uint64_t sector);
void blk_test_post(const struct piece *piece, unsigned int n);
void blk_test_notify(void);
/* Notifies and waits; how much the last used entry says was written. */
uint32_t blk_test_kick(void);
/* One request of the usual layout, len 0: without data; its status. */
int blk_test_request(uint32_t type, uint64_t sector, uint64_t addr,
		     uint32_t len, bool in);
/* A discard or write-zeroes of n ranges and `more` bytes behind; its status. */
int blk_test_ranges(uint32_t type,
		    const struct virtio_blk_discard_write_zeroes *range,
		    unsigned int n, uint32_t more);

#endif
