// SPDX-License-Identifier: GPL-2.0-only
/*
 * overlay=tmp: writes go to a sparse temporary file without a name, as large
 * as the disk, and a bitmap says which sectors it holds.  A bit per sector
 * makes every write a plain write: nothing is ever copied up from the base.
 * Guarded by the user's lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "virtio/disk_impl.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

static int temp_in(const char *dir)
{
	char name[4096];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	if (snprintf(name, sizeof(name), "%s/hotline-XXXXXX", dir) >=
	    (int)sizeof(name))
		return -1;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	return fd;
}

/* A descriptor, or -1 after an error(). */
static int temp_open(const char *path)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	if (dir && *dir) {
		fd = temp_in(dir);
		if (fd < 0)
			error("--disk %s: overlay=tmp: cannot create a file in TMPDIR=%s: %s; set TMPDIR to a directory you may write to",
			      path, dir, strerror(errno));
		return fd;
	}
	fd = temp_in("/var/tmp");
	if (fd < 0)
		fd = temp_in("/tmp");
	if (fd >= 0)
		return fd;
	fd = memfd_create("hotline-overlay", MFD_CLOEXEC);
	if (fd < 0)
		error("--disk %s: overlay=tmp: no temporary file: %s; set TMPDIR to a directory you may write to",
		      path, strerror(errno));
	else
		warn("--disk %s: overlay=tmp: neither /var/tmp nor /tmp can be written, so what the guest writes stays in memory; TMPDIR names another place",
		     path);
	return fd;
}

int disk_overlay_open(struct disk *disk)
{
	uint64_t words = (disk->geo.sectors + 63) / 64;
	struct disk_file *top = &disk->file[DISK_TOP];
	void *map;

	top->fd = temp_open(disk->path);
	if (top->fd < 0)
		return EXIT_OSERR;
	top->memory = disk_fd_is_memory(top->fd);
	if (ftruncate(top->fd, (off_t)(disk->geo.sectors * DISK_SECTOR))) {
		error("--disk %s: overlay=tmp: no temporary file of the disk's size (%llu MiB): %s; set TMPDIR to a file system that can hold one",
		      disk->path, (unsigned long long)disk->geo.sectors >> 11,
		      strerror(errno));
		return EXIT_OSERR;
	}
	disk->map_size = words * 8;
	map = mmap(NULL, disk->map_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED) {
		error("--disk %s: overlay=tmp: no memory for its map of %zu KiB: %s",
		      disk->path, disk->map_size >> 10, strerror(errno));
		return EXIT_OSERR;
	}
	disk->map = map;
	return 0;
}

void disk_overlay_close(struct disk *disk)
{
	if (disk->map)
		munmap(disk->map, disk->map_size);
}

uint64_t disk_overlay_extent(const struct disk *disk, uint64_t off,
			     uint64_t len, bool *top)
{
	uint64_t bit = off / DISK_SECTOR, end = bit + len / DISK_SECTOR;
	uint64_t first = bit, flip, word;

	*top = disk->map[bit / 64] >> (bit % 64) & 1;
	flip = *top ? ~0ull : 0;
	while (bit < end) {
		word = (disk->map[bit / 64] ^ flip) >> (bit % 64);
		if (word) {
			bit += (unsigned int)__builtin_ctzll(word);
			break;
		}
		bit = (bit | 63) + 1;
	}
	return ((bit < end ? bit : end) - first) * DISK_SECTOR;
}

void disk_overlay_mark(struct disk *disk, uint64_t off, uint64_t len)
{
	uint64_t bit = off / DISK_SECTOR, end = bit + len / DISK_SECTOR;
	uint64_t mask, stop;

	while (bit < end) {
		stop = (bit | 63) + 1;
		mask = ~0ull << (bit % 64);
		if (stop > end)
			mask &= ~0ull >> (stop - end);
		disk->map[bit / 64] |= mask;
		bit = stop;
	}
}
