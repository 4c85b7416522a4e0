// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks on real files: every engine with and without overlay and page cache.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/lib_disk.h"
#include "tests/unit/lib_run.h"
#include "virtio/disk.h"
#include "vmm/core/event.h"

#define SIZE	(3u << 20)
#define MAX_IOV 24
#define REQS	80

/* What a loop test runs over. */
static const struct variant {
	const char *name, *dir;
	enum disk_io io;
	bool direct, overlay;
} variants[] = {
	{ "io_uring", "/var/tmp", DISK_IO_URING, false, false },
	{ "io_uring direct", "/var/tmp", DISK_IO_URING, true, false },
	{ "io_uring overlay", "/var/tmp", DISK_IO_URING, false, true },
	{ "io_uring direct overlay", "/var/tmp", DISK_IO_URING, true, true },
	{ "io_uring memory", "/dev/shm", DISK_IO_URING, false, false },
	{ "libaio", "/var/tmp", DISK_IO_LIBAIO, false, false },
	{ "libaio direct", "/var/tmp", DISK_IO_LIBAIO, true, false },
	{ "libaio overlay", "/var/tmp", DISK_IO_LIBAIO, false, true },
	{ "libaio direct overlay", "/var/tmp", DISK_IO_LIBAIO, true, true },
	{ "libaio memory", "/dev/shm", DISK_IO_LIBAIO, false, false },
};
#define NR_VARIANTS ((int)(sizeof(variants) / sizeof(*variants)))

static struct disk *disk;
static struct event_loop *loop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int dones, batches;

struct test_req {
	struct disk_req req; /* first */
	struct iovec iov[MAX_IOV];
	bool done;
	int err;
};

static struct test_req reqs[REQS];
static uint8_t *shadow, *base, *buffer;

static void on_done(struct disk_user *user, struct disk_req *req, int err)
{
	struct test_req *t = (struct test_req *)req;

	(void)user;
	ck_assert(!t->done);
	t->done = true;
	t->err = err;
	dones++;
}

static void on_batch(struct disk_user *user)
{
	(void)user;
	batches++;
}

static struct disk_user user = {
	.lock = &lock,
	.done = on_done,
	.batch = on_batch,
};

static void attach(void)
{
	loop = event_new();
	ck_assert_ptr_nonnull(loop);
	ck_assert_int_eq(disk_attach(disk, loop, &user), 0);
}

static void end_variant(void)
{
	disk_close(disk);
	event_free(loop);
	unlink(disk_test_path);
	free(base);
	free(shadow);
	free(buffer);
}

/* A disk of random contents, which are in base and shadow, too. */
static bool start_variant(const struct variant *v)
{
	struct disk_options opt = {
		.path = disk_test_path,
		.io = v->io,
		.direct = v->direct,
		.overlay = v->overlay,
	};
	size_t i;
	int code;

	if (access(v->dir, W_OK)) {
		printf("SKIP %s: %s cannot be written\n", v->name, v->dir);
		return false;
	}
	base = malloc(SIZE);
	shadow = malloc(SIZE);
	ck_assert_int_eq(posix_memalign((void **)&buffer, 4096, 2 * SIZE), 0);
	srandom(7);
	for (i = 0; i < SIZE; i++)
		base[i] = (uint8_t)(random() | 1);
	memcpy(shadow, base, SIZE);
	disk_test_file(v->dir, base, SIZE);
	code = disk_test_open(&disk, &opt);
	if (code && (strstr(disk_test_said, "does not let us") ||
		     strstr(disk_test_said, "file system cannot"))) {
		printf("SKIP %s: %s", v->name, disk_test_said);
		unlink(disk_test_path);
		return false;
	}
	ck_assert_msg(!code, "%s: %s", v->name, disk_test_said);
	attach();
	if (disk_geometry(disk)->block_size == DISK_SECTOR)
		return true;
	printf("SKIP %s: wants larger blocks here\n", v->name);
	end_variant();
	return false;
}

/* Cuts [buf, buf + len) into sector-sized or larger pieces. */
static void fill_iov(struct test_req *t, uint8_t *buf, size_t len)
{
	unsigned int n = 0;
	size_t part;

	while (len) {
		part = (1 + (size_t)random() % 32) * DISK_SECTOR;
		if (part > len || n == MAX_IOV - 1)
			part = len;
		t->iov[n++] = (struct iovec){ buf, part };
		buf += part;
		len -= part;
	}
	t->req.iov = t->iov;
	t->req.iovcnt = n;
}

static void put(struct test_req *t, enum disk_op op, unsigned int flags,
		uint64_t off, uint8_t *buf, uint64_t len)
{
	t->done = false;
	t->req.op = op;
	t->req.flags = flags;
	t->req.off = off;
	t->req.len = len;
	t->req.iovcnt = 0;
	if (op <= DISK_WRITE)
		fill_iov(t, buf, len);
	disk_submit(disk, &t->req);
}

static int one(enum disk_op op, unsigned int flags, uint64_t off, uint8_t *buf,
	       uint64_t len)
{
	struct test_req *t = &reqs[0];

	pthread_mutex_lock(&lock);
	put(t, op, flags, off, buf, len);
	disk_kick(disk);
	disk_drain(disk);
	pthread_mutex_unlock(&lock);
	ck_assert(t->done);
	return t->err;
}

static void check_all(void)
{
	ck_assert_int_eq(one(DISK_READ, 0, 0, buffer, SIZE), 0);
	ck_assert_int_eq(memcmp(buffer, shadow, SIZE), 0);
}

/* One random request inside [off, off + room); shadow follows. */
static void random_req(struct test_req *t, uint64_t off, uint64_t room)
{
	uint64_t sectors = room / DISK_SECTOR;
	uint64_t at = off + (uint64_t)random() % sectors * DISK_SECTOR;
	uint64_t len = (1 + (uint64_t)random() % sectors) * DISK_SECTOR;
	unsigned int flags = random() % 4 ? 0 : DISK_SYNC;
	uint64_t i;

	if (at + len > off + room)
		len = off + room - at;
	switch (random() % 8) {
	case 0:
		put(t, DISK_FLUSH, 0, 0, NULL, 0);
		break;
	case 1:
		put(t, DISK_ZERO, flags | (random() % 2 ? DISK_UNMAP : 0), at,
		    NULL, len);
		memset(shadow + at, 0, len);
		break;
	case 2:
	case 3:
	case 4:
		for (i = 0; i < len; i++)
			buffer[SIZE + at + i] = (uint8_t)random();
		memcpy(shadow + at, buffer + SIZE + at, len);
		put(t, DISK_WRITE, flags, at, buffer + SIZE + at, len);
		break;
	default:
		put(t, DISK_READ, 0, at, buffer + at, len);
	}
}

/* REQS random requests side by side, not waited for. */
static void *submit_all(void *arg)
{
	uint64_t room = SIZE / REQS / DISK_SECTOR * DISK_SECTOR;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < REQS; i++)
		random_req(&reqs[i], i * room, room);
	disk_kick(disk);
	pthread_mutex_unlock(&lock);
	return arg;
}

static void drain_all(void)
{
	pthread_mutex_lock(&lock);
	disk_drain(disk);
	pthread_mutex_unlock(&lock);
	for (unsigned int i = 0; i < REQS; i++)
		ck_assert(reqs[i].done && !reqs[i].err);
	check_all();
}

START_TEST(model)
{
	if (!start_variant(&variants[_i]))
		return;
	srandom(1);
	for (unsigned int round = 0; round < 8; round++) {
		submit_all(NULL);
		drain_all();
	}
	end_variant();
}
END_TEST

static void *run_loop(void *arg)
{
	event_run(arg);
	return NULL;
}

static void wait_dones(unsigned int n)
{
	unsigned int ms;

	for (ms = 0; ms < 10000; ms++) {
		pthread_mutex_lock(&lock);
		if (dones >= n) {
			pthread_mutex_unlock(&lock);
			return;
		}
		pthread_mutex_unlock(&lock);
		usleep(1000);
	}
	ck_abort_msg("%u of %u requests done", dones, n);
}

/* Nobody drains: completions come by the event loop. */
START_TEST(by_loop)
{
	pthread_t thread;

	if (!start_variant(&variants[_i]))
		return;
	pthread_create(&thread, NULL, run_loop, loop);
	dones = 0;
	for (unsigned int round = 1; round <= 4; round++) {
		submit_all(NULL);
		wait_dones(round * REQS);
	}
	event_stop(loop);
	pthread_join(thread, NULL);
	drain_all();
	end_variant();
}
END_TEST

/* The submitter may be gone when another thread drains. */
START_TEST(drained_elsewhere)
{
	pthread_t thread;

	if (!start_variant(&variants[_i]))
		return;
	pthread_create(&thread, NULL, submit_all, NULL);
	pthread_join(thread, NULL);
	drain_all();
	end_variant();
}
END_TEST

START_TEST(discard)
{
	const struct variant *v = &variants[_i];
	size_t at = 1 << 20, len = 1 << 20;

	if (!start_variant(v))
		return;
	memset(buffer + SIZE, 0x55, SIZE);
	ck_assert_int_eq(one(DISK_WRITE, 0, at, buffer + SIZE, len / 2), 0);
	ck_assert_int_eq(one(DISK_DISCARD, DISK_SYNC, at, NULL, len), 0);
	memset(shadow + at, 0, v->overlay ? len / 2 : len);
	check_all();
	end_variant();
}
END_TEST

/* What was written is in the file, or with an overlay is not. */
START_TEST(ends_in_file)
{
	const struct variant *v = &variants[_i];
	int fd;

	if (!start_variant(v))
		return;
	memset(buffer + SIZE, 0x77, 8192);
	memset(shadow + 4096, 0x77, 8192);
	ck_assert_int_eq(one(DISK_WRITE, DISK_SYNC, 4096, buffer + SIZE, 8192),
			 0);
	check_all();
	fd = open(disk_test_path, O_RDONLY);
	ck_assert_int_eq(read(fd, buffer, SIZE), SIZE);
	ck_assert_int_eq(memcmp(buffer, v->overlay ? base : shadow, SIZE), 0);
	close(fd);
	end_variant();
}
END_TEST

START_TEST(shrunk_file)
{
	if (!start_variant(&variants[_i]))
		return;
	ck_assert_int_eq(truncate(disk_test_path, SIZE / 2), 0);
	ck_assert_int_eq(one(DISK_READ, 0, SIZE / 2 - 4096, buffer, 4096), 0);
	ck_assert_int_eq(one(DISK_READ, 0, SIZE / 2 - 4096, buffer, 8192),
			 -EIO);
	ck_assert_int_eq(one(DISK_READ, 0, SIZE - 4096, buffer, 4096), -EIO);
	ck_assert_int_eq(one(DISK_FLUSH, 0, 0, NULL, 0), 0);
	end_variant();
}
END_TEST

/* More than one piece where zeroes have to be written (tmpfs). */
START_TEST(zero)
{
	if (!start_variant(&variants[_i]))
		return;
	memset(shadow + 512, 0, 3000 * 512);
	ck_assert_int_eq(one(DISK_ZERO, DISK_SYNC, 512, NULL, 3000 * 512), 0);
	check_all();
	end_variant();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("disk");
	TCase *c = tcase_create("io");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, model, 0, NR_VARIANTS);
	tcase_add_loop_test(c, by_loop, 0, NR_VARIANTS);
	tcase_add_loop_test(c, drained_elsewhere, 0, NR_VARIANTS);
	tcase_add_loop_test(c, discard, 0, NR_VARIANTS);
	tcase_add_loop_test(c, ends_in_file, 0, NR_VARIANTS);
	tcase_add_loop_test(c, shrunk_file, 0, NR_VARIANTS);
	tcase_add_loop_test(c, zero, 0, NR_VARIANTS);
	suite_add_tcase(s, c);
	return unit_run(s);
}
