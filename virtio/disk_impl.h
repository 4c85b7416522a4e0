/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside a disk.  A request is done in steps, one after the other: a step is
 * one operation on one file.  Mostly there is one; short transfers, overlays
 * and zeroing by hand make more.  Guarded by the user's lock.
 */
#ifndef VIRTIO_DISK_IMPL_H
#define VIRTIO_DISK_IMPL_H

#include "virtio/disk.h"
#include "vmm/core/event.h"

enum disk_slot {
	DISK_BASE, /* the file that was named */
	DISK_TOP,  /* the overlay's temporary file */
	DISK_SLOTS
};

struct disk_file {
	int fd;	     /* or -1 */
	bool memory; /* tmpfs and the like: reads and writes don't wait */
};

struct disk_engine;

struct disk {
	struct disk_geometry geo;
	char *path;
	struct disk_file file[DISK_SLOTS];
	bool direct;
	bool no_discard; /* the host cannot: leave it out */
	uint64_t *map;	 /* overlay: bit per sector held by DISK_TOP */
	size_t map_size; /* bytes */
	const struct disk_engine *engine;
	void *engine_data;
	int event_fd; /* the engine's; readable on completions */
	struct event_source source;
	struct event_loop *loop;
	struct disk_user *user;
	unsigned int inflight; /* steps the engine has */
	bool queued;	       /* some of them wait for submit() */
	unsigned int no_peek;  /* reads to go before the cache is tried */
};

/*
 * How steps reach the host.  The engine reads step, slot, off, step_len, iov,
 * step_iovs and flags of a request and may use next, res and engine[].
 */
struct disk_engine {
	const char *name;
	/* Sets engine_data and event_fd.  0 or -errno. */
	int (*open)(struct disk *disk);
	void (*close)(struct disk *disk); /* nothing is in flight */
	/* Takes a step; ends with disk_step_done(), which may be at once. */
	void (*queue)(struct disk *disk, struct disk_req *req);
	void (*submit)(struct disk *disk);
	/* disk_step_done() for what is over; wait: for one at least. */
	void (*reap)(struct disk *disk, bool wait);
};

extern const struct disk_engine disk_uring, disk_aio;

/* res: bytes, 0, or -errno. */
void disk_step_done(struct disk *disk, struct disk_req *req, ssize_t res);

/* fallocate() mode of a DISK_DISCARD or DISK_ZERO step. */
int disk_fallocate_mode(const struct disk_req *req);

/* True if reads and writes of fd are memory copies. */
bool disk_fd_is_memory(int fd);

/* 0 or an enum exit_code after an error(). */
int disk_overlay_open(struct disk *disk);
void disk_overlay_close(struct disk *disk);
/* Bytes from off, at most len, that are all in one file: *top says which. */
uint64_t disk_overlay_extent(const struct disk *disk, uint64_t off,
			     uint64_t len, bool *top);
/* The top file holds [off, off + len) from now on. */
void disk_overlay_mark(struct disk *disk, uint64_t off, uint64_t len);

/* Worker threads for calls that block (disk_work.c). */
struct disk_work;
struct disk_work *disk_work_new(struct disk *disk, int event_fd);
void disk_work_free(struct disk_work *work);
void disk_work_queue(struct disk_work *work, struct disk_req *req);
void disk_work_reap(struct disk_work *work, bool wait);

#endif
