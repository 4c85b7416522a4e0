// SPDX-License-Identifier: GPL-2.0-only
/* See tests/unit/lib_blk.h.  One device at a time. */
#include "tests/unit/lib_blk.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "virtio/blk.h"
#include "vmm/core/event.h"
#include "vmm/core/log.h"
#include "vmm/core/vm.h"

#define RING_AT 0x1000

struct blk_test blk_test;

static struct vm vm;

static void on_used(struct virtio_transport *t, unsigned int q)
{
	(void)t;
	(void)q;
	blk_test.irqs++;
}

static void on_again(struct virtio_transport *t, unsigned int q)
{
	(void)t;
	(void)q;
	blk_test.agains++;
}

static void on_broken(struct virtio_transport *t)
{
	(void)t;
	blk_test.breaks++;
}

static struct virtio_transport transport = {
	.used = on_used,
	.again = on_again,
	.config_changed = on_broken,
	.broken = on_broken,
};

uint8_t *blk_test_ram(uint64_t addr)
{
	return vm.mem.region[0].host + addr;
}

void blk_test_start(uint64_t features)
{
	struct virtio_dev *dev = blk_test.dev;

	dev->acked = dev->features & features;
	ring_start(&blk_test.ring, &dev->queue[0], &vm.mem, RING_AT,
		   BLK_TEST_RING, false);
	blk_test.next_desc = 0;
	dev->started = true;
	pthread_mutex_lock(&dev->lock);
	dev->ops->start(dev);
	pthread_mutex_unlock(&dev->lock);
}

void blk_test_stop(void)
{
	struct virtio_dev *dev = blk_test.dev;

	pthread_mutex_lock(&dev->lock);
	dev->started = false;
	dev->ops->stop(dev);
	ck_assert_uint_eq(dev->queue[0].in_flight, 0);
	queue_reset(&dev->queue[0]);
	dev->broken = false;
	pthread_mutex_unlock(&dev->lock);
}

void blk_test_open(const char *dir, struct disk_options opt)
{
	const struct mem_options mem = {
		.size = BLK_TEST_RAM,
		.backing = MEM_ANON,
	};
	struct blk_test *t = &blk_test;

	log_set_level(LOG_ERROR);
	memset(t, 0, sizeof(*t));
	snprintf(t->path, sizeof(t->path), "%s/hotline-blk-XXXXXX",
		 access(dir, W_OK) ? "/tmp" : dir);
	t->fd = mkstemp(t->path);
	ck_assert_int_ge(t->fd, 0);
	ck_assert_int_eq(ftruncate(t->fd, BLK_TEST_SIZE), 0);
	ck_assert_int_eq(mem_init(&vm.mem, &mem), 0);
	vm.loop = event_new();
	opt.path = t->path;
	ck_assert_int_eq(disk_open(&t->disk, &opt), 0);
	t->dev = virtio_blk_new(&vm, t->disk, "serial-0");
	ck_assert_ptr_nonnull(t->dev);
	t->dev->transport = &transport;
}

void blk_test_begin(void)
{
	blk_test_open("/dev/shm", (struct disk_options){ .queues = 1 });
	blk_test_start(~0ull);
}

void blk_test_end(void)
{
	blk_test_stop();
	blk_test.dev->ops->free(blk_test.dev);
	disk_close(blk_test.disk);
	event_free(vm.loop);
	mem_exit(&vm.mem);
	close(blk_test.fd);
	unlink(blk_test.path);
}

void blk_test_post(const struct piece *piece, unsigned int n)
{
	uint16_t head = blk_test.next_desc, at = head, next;

	for (unsigned int i = 0; i < n; i++) {
		unsigned int flags = piece[i].in ? VRING_DESC_F_WRITE : 0;

		if (i + 1 < n)
			flags |= VRING_DESC_F_NEXT;
		next = (uint16_t)((at + 1) % BLK_TEST_RING);
		ring_desc(&blk_test.ring, at, piece[i].addr, piece[i].len,
			  (uint16_t)flags, next);
		at = next;
	}
	blk_test.next_desc = at;
	ring_offer(&blk_test.ring, head);
}

void blk_test_notify(void)
{
	struct virtio_dev *dev = blk_test.dev;

	pthread_mutex_lock(&dev->lock);
	dev->ops->notify(dev, 0);
	pthread_mutex_unlock(&dev->lock);
}

uint32_t blk_test_kick(void)
{
	struct virtio_dev *dev = blk_test.dev;
	uint32_t id, len = 0;

	blk_test_notify();
	pthread_mutex_lock(&dev->lock);
	disk_drain(blk_test.disk);
	pthread_mutex_unlock(&dev->lock);
	while (ring_take(&blk_test.ring, &id, &len))
		;
	return len;
}

void blk_test_header(uint64_t addr, uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr hdr = { .type = type, .sector = sector };

	memcpy(blk_test_ram(addr), &hdr, sizeof(hdr));
}

int blk_test_request(uint32_t type, uint64_t sector, uint64_t addr,
		     uint32_t len, bool in)
{
	struct piece p[] = {
		{ AT_HEADER, 16, false },
		{ addr, len, in },
		{ AT_STATUS, 1, true },
	};

	blk_test_header(AT_HEADER, type, sector);
	*blk_test_ram(AT_STATUS) = 0xee;
	if (!len)
		p[1] = p[2];
	blk_test_post(p, len ? 3 : 2);
	blk_test_kick();
	return *blk_test_ram(AT_STATUS);
}

int blk_test_ranges(uint32_t type,
		    const struct virtio_blk_discard_write_zeroes *range,
		    unsigned int n, uint32_t more)
{
	memcpy(blk_test_ram(AT_DATA), range, n * sizeof(*range));
	return blk_test_request(type, 0, AT_DATA,
				(uint32_t)(n * sizeof(*range)) + more, false);
}
