/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk image or block device behind a block device model: asynchronous
 * requests with a completion callback, one I/O engine per disk.
 *
 * Locking: the user brings one lock; every call here but disk_open() and
 * disk_close() is made with it held, and every callback is made with it held.
 * Calls may come from any thread.
 */
#ifndef VIRTIO_DISK_H
#define VIRTIO_DISK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct disk;
struct event_loop;

#define DISK_SECTOR	512
#define DISK_MAX_QUEUES 8

enum disk_io {
	DISK_IO_AUTO, /* io_uring where the host lets us, else libaio */
	DISK_IO_URING,
	DISK_IO_LIBAIO,
};

struct disk_options {
	const char *path;
	bool readonly;
	bool overlay; /* overlay=tmp: writes live as long as the VM */
	bool direct;  /* O_DIRECT: past the host's page cache */
	bool raw;     /* format=raw: don't look for other formats */
	enum disk_io io;
	unsigned int queues; /* 1..DISK_MAX_QUEUES, 0 = 1 */
};

struct disk_geometry {
	uint64_t sectors;    /* capacity */
	uint32_t block_size; /* smallest good request; power of two, bytes */
	uint32_t phys_block_size;
	bool readonly;
	unsigned int queues; /* as given at disk_open() */
};

enum disk_op {
	DISK_READ,
	DISK_WRITE,
	DISK_FLUSH,   /* writes completed before are on stable storage */
	DISK_DISCARD, /* contents no longer matter */
	DISK_ZERO,    /* reads as zeroes afterwards */
};

enum disk_req_flags {
	DISK_SYNC = 1,	/* on stable storage before it completes */
	DISK_UNMAP = 2, /* DISK_ZERO may give the space back */
};

/*
 * One request, owned by the disk from disk_submit() to the done callback.
 * The range must lie within the capacity.
 */
struct disk_req {
	enum disk_op op; /* changed under way */
	unsigned int flags;
	uint64_t off, len; /* bytes, multiples of DISK_SECTOR; consumed */
	struct iovec *iov; /* len bytes in all; consumed */
	unsigned int iovcnt;

	/* The disk's own: the step being done (disk_impl.h) */
	enum disk_op step;
	unsigned int slot;
	unsigned int step_iovs;
	unsigned int retries;
	bool zero_by_write;
	size_t cut;
	uint64_t step_len;
	ssize_t res;
	struct disk_req *next;
	struct iovec zero;
	uint64_t engine[8];
};

struct disk_user {
	pthread_mutex_t *lock;
	/* err: 0 or -errno.  May call disk_submit(), nothing else here. */
	void (*done)(struct disk_user *user, struct disk_req *req, int err);
	/* Some done() calls came from the event loop and are over for now. */
	void (*batch)(struct disk_user *user);
};

/*
 * 0 and *disk, or an enum exit_code after an error() that says what is wrong
 * with the options or the file, and how to mend it.
 */
int disk_open(struct disk **disk, const struct disk_options *opt);

/*
 * Waits for what is in flight, makes a writable disk's data durable.  Not
 * while the event loop runs; lock not held.  NULL is fine.
 */
void disk_close(struct disk *disk);

const struct disk_geometry *disk_geometry(const struct disk *disk);
const char *disk_engine_name(const struct disk *disk);

/* Before the loop runs: completions come from there.  0 or -errno. */
int disk_attach(struct disk *disk, struct event_loop *loop,
		struct disk_user *user);

/*
 * Starts a request.  done() may run before this returns (but see
 * disk_kick(): a request may also stay unseen by the host until then).
 */
void disk_submit(struct disk *disk, struct disk_req *req);
/* Hands all submitted requests to the host, in one call if it can. */
void disk_kick(struct disk *disk);
/* Waits until nothing is in flight; done() runs for each, batch() doesn't. */
void disk_drain(struct disk *disk);

#endif
