// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block operations on /dev/vda, past the guest's page cache.  The image holds
 * in each 4 KiB block its number, and every block that is read is checked.
 *
 *   blk read|write SIZE DEPTH N   SIZE above 4096 goes in sequence, else at
 *                                 random; write is each followed by a flush
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DISK	  "/dev/vda"
#define BLOCK	  4096u
#define DEPTH_MAX 64u

struct job {
	int fd;
	bool write;
	uint64_t size, n, places; /* places: of that size on the disk */
	uint64_t seed, next;
	unsigned int depth;
	char *buf; /* depth times size */
};

static uint64_t next_offset(struct job *j)
{
	if (j->size > BLOCK)
		return j->next++ % j->places * j->size;
	/* xorshift64: the same places for every VMM */
	j->seed ^= j->seed << 13;
	j->seed ^= j->seed >> 7;
	j->seed ^= j->seed << 17;
	return j->seed % j->places * j->size;
}

static int check(const char *buf, uint64_t offset)
{
	uint64_t number;

	memcpy(&number, buf, sizeof(number));
	if (number == offset / BLOCK)
		return 0;
	return guest_fail("block %llu holds %llu",
			  (unsigned long long)(offset / BLOCK),
			  (unsigned long long)number);
}

static int one_by_one(struct job *j)
{
	for (uint64_t i = 0; i < j->n; i++) {
		off_t off = (off_t)next_offset(j);
		uint64_t number = (uint64_t)off / BLOCK;
		ssize_t got;

		if (j->write)
			memcpy(j->buf, &number, sizeof(number));
		got = j->write ? pwrite(j->fd, j->buf, j->size, off)
			       : pread(j->fd, j->buf, j->size, off);
		if (got != (ssize_t)j->size)
			return guest_fail(DISK ": %s", strerror(errno));
		if (j->write && fdatasync(j->fd))
			return guest_fail(DISK ": flush: %s", strerror(errno));
		if (!j->write && check(j->buf, (uint64_t)off))
			return -1;
	}
	return 0;
}

static int submit(struct job *j, aio_context_t ctx, struct iocb *cb,
		  unsigned int slot)
{
	memset(cb, 0, sizeof(*cb));
	cb->aio_data = slot;
	cb->aio_lio_opcode = IOCB_CMD_PREAD;
	cb->aio_fildes = (uint32_t)j->fd;
	cb->aio_buf = (uint64_t)(uintptr_t)(j->buf + slot * j->size);
	cb->aio_nbytes = j->size;
	cb->aio_offset = (int64_t)next_offset(j);
	return syscall(SYS_io_submit, ctx, 1, &cb) == 1 ? 0 : -1;
}

/* Each one that ends is followed by another at once, as fio does. */
static int many_at_once(struct job *j, aio_context_t ctx)
{
	struct iocb cb[DEPTH_MAX];
	struct io_event done[DEPTH_MAX];
	uint64_t sent = 0, ended = 0;

	for (; sent < j->depth && sent < j->n; sent++)
		if (submit(j, ctx, &cb[sent], (unsigned int)sent))
			return guest_fail("io_submit: %s", strerror(errno));
	while (ended < j->n) {
		long got = syscall(SYS_io_getevents, ctx, 1, DEPTH_MAX, done,
				   NULL);

		for (long i = 0; i < got; i++, ended++) {
			unsigned int slot = (unsigned int)done[i].data;

			if (done[i].res != (int64_t)j->size)
				return guest_fail(DISK ": result %lld",
						  (long long)done[i].res);
			if (check(j->buf + slot * j->size,
				  (uint64_t)cb[slot].aio_offset))
				return -1;
			if (sent < j->n && submit(j, ctx, &cb[slot], slot))
				return guest_fail("io_submit: %s",
						  strerror(errno));
			sent++;
		}
	}
	return 0;
}

int guest_blk(char *argv[], unsigned int argc, struct guest_result *r)
{
	/* Made once: to destroy it takes longer than what is measured. */
	static aio_context_t ctx;
	static char *buf;
	struct job j = {
		.write = !strcmp(argv[0], "write"),
		.size = strtoull(argv[1], NULL, 10),
		.depth = (unsigned int)atoi(argv[2]),
		.n = strtoull(argv[3], NULL, 10),
		.seed = 88172645463325252ull,
	};
	uint64_t start, bytes;
	int err;

	(void)argc;
	if (!buf)
		buf = guest_buffer(4 << 20);
	j.buf = buf;
	if (!buf || j.depth > DEPTH_MAX || j.size * j.depth > 4 << 20)
		return guest_fail("no memory");
	if (!ctx && syscall(SYS_io_setup, DEPTH_MAX, &ctx))
		return guest_fail("io_setup: %s", strerror(errno));
	j.fd = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (j.fd < 0 || ioctl(j.fd, BLKGETSIZE64, &bytes))
		return guest_fail(DISK ": %s", strerror(errno));
	j.places = bytes / j.size;
	start = guest_now();
	err = j.depth > 1 ? many_at_once(&j, ctx) : one_by_one(&j);
	r->ns = guest_now() - start;
	r->ops = j.n;
	r->bytes = j.n * j.size;
	close(j.fd);
	return err;
}
