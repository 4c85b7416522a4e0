// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-blk against a driver that lays its requests out oddly, and one that
 * lies.  The disk is a file in memory where there is a tmpfs.
 */
#include <check.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "virtio/blk.h"
#include "virtio/disk.h"
#include "virtio/virtio.h"
#include "vmm/core/event.h"
#include "vmm/core/log.h"
#include "vmm/core/vm.h"

#define RAM (8u << 20)
#define DISK_SIZE (4u << 20)
#define SECTORS (DISK_SIZE / 512)
#define RING 256
/* Guest addresses */
#define DESC 0x1000
#define AVAIL 0x3000
#define USED 0x4000
#define HDR 0x8000
#define STATUS 0x9000
#define DATA 0x100000
#define BACK 0x400000		/* what is read back */

struct piece {			/* one descriptor */
	uint64_t addr;
	uint32_t len;
	bool in;
};

static struct vm vm;
static struct virtio_dev *dev;
static struct disk *disk;
static unsigned int irqs, breaks, agains;
static uint16_t next_desc;
static char path[128];
static int disk_fd;
static struct vring_desc *desc;
static struct vring_avail *avail;
static struct vring_used *used;

static void on_used(struct virtio_transport *t, unsigned int q)
{
	(void)t;
	(void)q;
	irqs++;
}

static void on_again(struct virtio_transport *t, unsigned int q)
{
	(void)t;
	(void)q;
	agains++;
}

static void on_broken(struct virtio_transport *t)
{
	(void)t;
	breaks++;
}

static struct virtio_transport transport = {
	.used = on_used, .again = on_again,
	.config_changed = on_broken, .broken = on_broken,
};

static uint8_t *ram(uint64_t addr)
{
	return vm.mem.region[0].host + addr;
}

static void start(uint64_t features)
{
	struct queue *q = &dev->queue[0];

	dev->acked = dev->features & features;
	q->size = RING;
	q->desc_gpa = DESC;
	q->avail_gpa = AVAIL;
	q->used_gpa = USED;
	q->indirect = true;
	memset(ram(AVAIL), 0, 0x1000);
	memset(ram(USED), 0, 0x1000);
	ck_assert_int_eq(queue_start(q), 0);
	next_desc = 0;
	dev->started = true;
	pthread_mutex_lock(&dev->lock);
	dev->ops->start(dev);
	pthread_mutex_unlock(&dev->lock);
}

static void stop(void)
{
	pthread_mutex_lock(&dev->lock);
	dev->started = false;
	dev->ops->stop(dev);
	ck_assert_uint_eq(dev->queue[0].in_flight, 0);
	queue_reset(&dev->queue[0]);
	dev->broken = false;
	pthread_mutex_unlock(&dev->lock);
}

static void make(const char *dir, struct disk_options opt)
{
	const struct mem_options mem = { .size = RAM, .backing = MEM_ANON };

	log_set_level(LOG_ERROR);
	if (access(dir, W_OK))
		dir = "/tmp";
	snprintf(path, sizeof(path), "%s/hotline-blk-XXXXXX", dir);
	disk_fd = mkstemp(path);
	ck_assert_int_ge(disk_fd, 0);
	ck_assert_int_eq(ftruncate(disk_fd, DISK_SIZE), 0);
	ck_assert_int_eq(mem_init(&vm.mem, &mem), 0);
	vm.loop = event_new();
	opt.path = path;
	ck_assert_int_eq(disk_open(&disk, &opt), 0);
	dev = virtio_blk_new(&vm, disk, "serial-0");
	ck_assert_ptr_nonnull(dev);
	dev->transport = &transport;
	desc = (struct vring_desc *)ram(DESC);
	avail = (struct vring_avail *)ram(AVAIL);
	used = (struct vring_used *)ram(USED);
	irqs = breaks = agains = 0;
}

static void end(void)
{
	stop();
	dev->ops->free(dev);
	disk_close(disk);
	event_free(vm.loop);
	mem_exit(&vm.mem);
	close(disk_fd);
	unlink(path);
}

static void begin(void)
{
	make("/dev/shm", (struct disk_options){ .queues = 1 });
	start(~0ull);
}

static void post(const struct piece *piece, unsigned int n)
{
	uint16_t head = next_desc;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_desc *d = &desc[next_desc];

		next_desc = (uint16_t)((next_desc + 1) % RING);
		d->addr = piece[i].addr;
		d->len = piece[i].len;
		d->flags = (uint16_t)((piece[i].in ? VRING_DESC_F_WRITE : 0) |
				      (i + 1 < n ? VRING_DESC_F_NEXT : 0));
		d->next = next_desc;
	}
	avail->ring[avail->idx % RING] = head;
	avail->idx++;
}

static void notify(void)
{
	pthread_mutex_lock(&dev->lock);
	dev->ops->notify(dev, 0);
	pthread_mutex_unlock(&dev->lock);
}

/* Notifies and waits; returns how much the last request's used entry says. */
static uint32_t kick(void)
{
	notify();
	pthread_mutex_lock(&dev->lock);
	disk_drain(disk);
	pthread_mutex_unlock(&dev->lock);
	return used->ring[(uint16_t)(used->idx - 1) % RING].len;
}

static void header(uint64_t addr, uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr hdr = { .type = type, .sector = sector };

	memcpy(ram(addr), &hdr, sizeof(hdr));
}

/* One request of the usual layout; its status. */
static int request(uint32_t type, uint64_t sector, uint64_t addr, uint32_t len,
		   bool in)
{
	struct piece p[] = {
		{ HDR, 16, false }, { addr, len, in }, { STATUS, 1, true },
	};

	header(HDR, type, sector);
	*ram(STATUS) = 0xee;
	if (!len) {
		p[1] = p[2];
		post(p, 2);
	} else {
		post(p, 3);
	}
	kick();
	return *ram(STATUS);
}

static void fill(uint64_t addr, size_t len, unsigned int seed)
{
	srandom(seed);
	while (len--)
		*ram(addr++) = (uint8_t)(random() | 1);
}

START_TEST(offers)
{
	const struct virtio_blk_config *c;

	make("/dev/shm", (struct disk_options){ .queues = 3 });
	c = dev->config;
	ck_assert_uint_eq(dev->nr_queues, 3);
	ck_assert_uint_eq(c->capacity, SECTORS);
	ck_assert_uint_eq(c->num_queues, 3);
	ck_assert_uint_eq(c->seg_max, 254);
	ck_assert_uint_eq(c->size_max, 1 << 20);
	ck_assert_uint_eq(c->blk_size, 512);
	ck_assert_uint_eq(c->physical_block_exp, 3);
	ck_assert_uint_eq(c->wce, 1);
	ck_assert(dev->features >> VIRTIO_BLK_F_MQ & 1);
	ck_assert(dev->features >> VIRTIO_BLK_F_FLUSH & 1);
	ck_assert(dev->features >> VIRTIO_BLK_F_DISCARD & 1);
	ck_assert(!(dev->features >> VIRTIO_BLK_F_RO & 1));
	start(0);
	end();
}
END_TEST

START_TEST(plain)
{
	begin();
	fill(DATA, 8192, 1);
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 7, DATA, 8192, false), 0);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 7, BACK, 8192, true), 0);
	ck_assert_int_eq(memcmp(ram(DATA), ram(BACK), 8192), 0);
	ck_assert_uint_eq(used->ring[1].len, 8193);
	ck_assert_int_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), 0);
	ck_assert_uint_eq(used->ring[2].len, 1);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, SECTORS - 1, BACK, 512, true),
			 0);
	ck_assert_int_eq(request(0x1234, 0, BACK, 512, true),
			 VIRTIO_BLK_S_UNSUPP);
	ck_assert_uint_eq(irqs, 5);
	end();
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
	struct piece p[RING];
	unsigned int i, n;
	uint32_t len;

	begin();
	for (i = 0; i < 400; i++) {
		srandom(i);
		len = (1 + (uint32_t)random() % 40) * 512;
		fill(DATA + 16, len, i);
		srandom(i);
		header(DATA, VIRTIO_BLK_T_OUT, i);
		n = cut(p, 100, DATA, len + 16, false);
		p[n++] = (struct piece){ STATUS, 1, true };
		*ram(STATUS) = 0xee;
		post(p, n);
		ck_assert_uint_eq(kick(), 1);
		ck_assert_int_eq(*ram(STATUS), 0);

		header(HDR, VIRTIO_BLK_T_IN, i);
		memset(ram(BACK), 0xee, len + 2);
		n = cut(p, 100, HDR, 16, false);
		n += cut(p + n, 100, BACK, len + 1, true);
		post(p, n);
		ck_assert_uint_eq(kick(), len + 1);
		ck_assert_int_eq(memcmp(ram(BACK), ram(DATA + 16), len), 0);
		ck_assert_int_eq(*ram(BACK + len), 0);
		ck_assert_int_eq(*ram(BACK + len + 1), 0xee);
	}
	ck_assert_uint_eq(breaks, 0);
	end();
}
END_TEST

START_TEST(get_id)
{
	static const char want[21] = "serial-0";
	uint32_t len;

	begin();
	for (len = 1; len < 40; len++) {
		memset(ram(BACK), 0xee, 64);
		ck_assert_int_eq(request(VIRTIO_BLK_T_GET_ID, 0, BACK, len,
					 true), 0);
		ck_assert_int_eq(memcmp(ram(BACK), want, len < 20 ? len : 20),
				 0);
		ck_assert_int_eq(*ram(BACK + (len < 20 ? len : 20)), 0xee);
	}
	end();
}
END_TEST

START_TEST(bad_ranges)
{
	static const struct { uint64_t sector; uint32_t len; } bad[] = {
		{ SECTORS, 512 }, { SECTORS - 1, 1024 }, { ~0ull, 512 },
		{ ~0ull >> 9, 1024 }, { 1ull << 55, 512 }, { 0, 513 }, { 0, 1 },
		{ 0, DISK_SIZE - 511 },
	};
	unsigned int i;

	begin();
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_int_eq(request(VIRTIO_BLK_T_IN, bad[i].sector, DATA,
					 bad[i].len, true), VIRTIO_BLK_S_IOERR);
		ck_assert_uint_eq(used->ring[i * 2].len, 0);
		ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, bad[i].sector, DATA,
					 bad[i].len, false),
				 VIRTIO_BLK_S_IOERR);
	}
	ck_assert_int_eq(lseek(disk_fd, 0, SEEK_END), DISK_SIZE);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, SECTORS, 0, 0, true), 0);
	ck_assert_uint_eq(breaks, 0);
	end();
}
END_TEST

START_TEST(read_only)
{
	struct virtio_blk_discard_write_zeroes seg = { 0, 1, 0 };

	make("/dev/shm", (struct disk_options){ .readonly = true });
	start(~0ull);
	ck_assert(virtio_has(dev, VIRTIO_BLK_F_RO));
	ck_assert(!virtio_has(dev, VIRTIO_BLK_F_DISCARD));
	memcpy(ram(DATA), &seg, sizeof(seg));
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 512, false),
			 VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_DISCARD, 0, DATA, 16, false),
			 VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_WRITE_ZEROES, 0, DATA, 16, false),
			 VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, BACK, 512, true), 0);
	ck_assert_int_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), 0);
	end();
}
END_TEST

static int ranges(uint32_t type, const struct virtio_blk_discard_write_zeroes *s,
		  unsigned int n, uint32_t more)
{
	memcpy(ram(DATA), s, n * sizeof(*s));
	return request(type, 0, DATA, (uint32_t)(n * sizeof(*s)) + more, false);
}

START_TEST(zeroes)
{
	struct virtio_blk_discard_write_zeroes seg[17] = {
		{ 1, 2, 0 }, { 5, 1, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP },
	};
	uint32_t type = VIRTIO_BLK_T_WRITE_ZEROES;
	unsigned int i;

	begin();
	fill(DATA, 8 * 512, 3);
	memcpy(ram(BACK + 8192), ram(DATA), 8 * 512);
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 4096, false), 0);
	ck_assert_int_eq(ranges(type, seg, 2, 0), 0);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, BACK, 4096, true), 0);
	memset(ram(BACK + 8192 + 512), 0, 1024);
	memset(ram(BACK + 8192 + 5 * 512), 0, 512);
	ck_assert_int_eq(memcmp(ram(BACK), ram(BACK + 8192), 4096), 0);

	for (i = 0; i < 17; i++)
		seg[i] = (struct virtio_blk_discard_write_zeroes){ i, 1, 0 };
	ck_assert_int_eq(ranges(type, seg, 16, 0), 0);
	ck_assert_int_eq(ranges(type, seg, 17, 0), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(ranges(type, seg, 1, 1), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(ranges(type, seg, 0, 0), VIRTIO_BLK_S_IOERR);
	seg[0].flags = 2;
	ck_assert_int_eq(ranges(type, seg, 1, 0), VIRTIO_BLK_S_UNSUPP);
	end();
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
		{ { SECTORS - 1, 1, 0 }, VIRTIO_BLK_S_OK },
		{ { SECTORS, 1, 0 }, VIRTIO_BLK_S_IOERR },
		{ { 1, SECTORS, 0 }, VIRTIO_BLK_S_IOERR },
		{ { ~0ull, 1, 0 }, VIRTIO_BLK_S_IOERR },
		{ { 0, ~0u, 0 }, VIRTIO_BLK_S_IOERR },
		{ { 0, 1, 1 }, VIRTIO_BLK_S_UNSUPP },
		{ { 0, 1, ~0u }, VIRTIO_BLK_S_UNSUPP },
	};
	unsigned int i;

	begin();
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_int_eq(ranges(VIRTIO_BLK_T_DISCARD, &cases[i].seg, 1,
					0), cases[i].status);
	end();
}
END_TEST

START_TEST(short_header)
{
	uint32_t len;

	begin();
	for (len = 0; len < 16; len++) {
		struct piece p[] = {
			{ HDR, len, false }, { STATUS, 1, true },
		};

		*ram(STATUS) = 0xee;
		post(p, 2);
		ck_assert_uint_eq(kick(), 1);
		ck_assert_int_eq(*ram(STATUS), VIRTIO_BLK_S_IOERR);
	}
	ck_assert_uint_eq(breaks, 0);
	end();
}
END_TEST

/* Nowhere to put the status: the one thing that breaks the device. */
START_TEST(no_status)
{
	struct piece p[] = { { HDR, 16, false }, { DATA, 512, false } };

	begin();
	header(HDR, VIRTIO_BLK_T_OUT, 0);
	post(p, 2);
	kick();
	ck_assert_uint_eq(breaks, 1);
	ck_assert(dev->broken);
	ck_assert_uint_eq(dev->queue[0].in_flight, 0);
	stop();
	start(~0ull);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, BACK, 512, true), 0);
	end();
}
END_TEST

static void config_write(unsigned int off, unsigned int len, uint32_t val)
{
	pthread_mutex_lock(&dev->lock);
	dev->ops->config_write(dev, off, len, val);
	pthread_mutex_unlock(&dev->lock);
}

START_TEST(cache_mode)
{
	const struct virtio_blk_config *c;
	unsigned int off;

	begin();
	c = dev->config;
	config_write(offsetof(struct virtio_blk_config, wce), 1, 0);
	ck_assert_uint_eq(c->wce, 0);
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 512, false), 0);
	config_write(offsetof(struct virtio_blk_config, wce), 1, 2);
	config_write(offsetof(struct virtio_blk_config, wce), 4, 1);
	ck_assert_uint_eq(c->wce, 0);
	config_write(offsetof(struct virtio_blk_config, wce), 1, 1);
	ck_assert_uint_eq(c->wce, 1);
	for (off = 0; off < sizeof(*c); off++)
		if (off != offsetof(struct virtio_blk_config, wce))
			config_write(off, 1, 1);
	ck_assert_uint_eq(c->capacity, SECTORS);
	end();
}
END_TEST

/* As many as a ring holds: one interrupt a turn, and turns end. */
START_TEST(batches)
{
	struct piece p[] = {
		{ HDR, 16, false }, { BACK, 512, true }, { STATUS, 1, true },
	};
	unsigned int i;

	begin();
	header(HDR, VIRTIO_BLK_T_IN, 0);
	for (i = 0; i < 80; i++)
		post(p, 3);
	kick();
	ck_assert_uint_eq(used->idx, 64);
	ck_assert_uint_eq(agains, 1);
	ck_assert_uint_eq(irqs, 1);
	kick();
	ck_assert_uint_eq(used->idx, 80);
	ck_assert_uint_eq(agains, 1);
	ck_assert_uint_eq(irqs, 2);
	end();
}
END_TEST

/* A reset while a real disk is busy: every chain comes back first. */
START_TEST(reset_in_flight)
{
	struct piece p[] = {
		{ HDR, 16, false }, { BACK, 65536, true }, { STATUS, 1, true },
	};
	unsigned int i, round;

	make("/var/tmp", (struct disk_options){
		.direct = true, .io = _i ? DISK_IO_LIBAIO : DISK_IO_AUTO });
	for (round = 0; round < 10; round++) {
		start(~0ull);
		header(HDR, VIRTIO_BLK_T_IN, round * 128);
		for (i = 0; i < 60; i++)
			post(p, 3);
		notify();
		stop();
		ck_assert_uint_eq(used->idx, 60);
		ck_assert_int_eq(*ram(STATUS), 0);
	}
	start(~0ull);
	end();
}
END_TEST

static uint64_t random_addr(void)
{
	switch (random() % 8) {
	case 0:
		return (uint64_t)random() << 20;
	case 1:
		return RAM - (uint64_t)random() % 1024;
	default:
		return HDR + (uint64_t)random() % 0x200000;
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

	for (i = 0; i < RING; i++) {
		desc[i].addr = random_addr();
		desc[i].len = random_len();
		desc[i].flags = (uint16_t)(random() % 100 ? random() % 4 :
					   random());
		desc[i].next = (uint16_t)(random() % (random() % 9 ? RING :
						      65536));
	}
	for (i = 0; i < 0x200000; i += 4096)
		header(HDR + i, types[random() % 8],
		       random() % 3 ? (uint64_t)random() % SECTORS :
				      (uint64_t)random() << 33);
	for (i = 0; i < n; i++) {
		struct piece p[] = {
			{ HDR + 4096 * ((uint64_t)random() % 512), 16, false },
			{ random_addr(), random_len(), random() % 2 },
			{ STATUS, random_len(), true },
		};

		if (random() % 2)
			post(p, 3);
		else
			avail->ring[avail->idx++ % RING] =
				(uint16_t)(random() % (RING + 1));
	}
}

START_TEST(liar)
{
	unsigned int round;

	begin();
	srandom((unsigned int)_i);
	for (round = 0; round < 60; round++) {
		lie();
		kick();
		ck_assert_uint_eq(dev->queue[0].in_flight, 0);
		if (dev->broken || random() % 8 == 0) {
			stop();
			start(random() % 2 ? ~0ull : 0);
		}
	}
	ck_assert_int_eq(lseek(disk_fd, 0, SEEK_END), DISK_SIZE);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("blk");
	TCase *good = tcase_create("driver"), *bad = tcase_create("liar");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(good, 60);
	tcase_add_test(good, offers);
	tcase_add_test(good, plain);
	tcase_add_test(good, any_layout);
	tcase_add_test(good, get_id);
	tcase_add_test(good, read_only);
	tcase_add_test(good, zeroes);
	tcase_add_test(good, discards);
	tcase_add_test(good, cache_mode);
	tcase_add_test(good, batches);
	tcase_add_loop_test(good, reset_in_flight, 0, 2);
	suite_add_tcase(s, good);
	tcase_set_timeout(bad, 60);
	tcase_add_test(bad, bad_ranges);
	tcase_add_test(bad, short_header);
	tcase_add_test(bad, no_status);
	tcase_add_loop_test(bad, liar, 0, 20);
	suite_add_tcase(s, bad);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
