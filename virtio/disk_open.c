// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening and closing a disk: what may be one, its size and blocks, the lock
 * against a second user, the choice of the engine.  Main thread, before and
 * after the machine runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "virtio/disk_impl.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

/* Formats that are not raw, by their first bytes. */
static const struct {
	const char *magic;
	unsigned int off, len;
	const char *name, *fix;
} format[] = {
#define CONVERT "convert it with `qemu-img convert -O raw IMAGE NEW`"
	{ "QFI\xfb", 0, 4, "qcow2", CONVERT },
	{ "QED\0", 0, 4, "QED", CONVERT },
	{ "KDMV", 0, 4, "VMDK", CONVERT },
	{ "COWD", 0, 4, "VMDK", CONVERT },
	{ "# Disk DescriptorFile", 0, 21, "VMDK", CONVERT },
	{ "conectix", 0, 8, "VHD", CONVERT },
	{ "vhdxfile", 0, 8, "VHDX", CONVERT },
	{ "\x7f\x10\xda\xbe", 64, 4, "VDI", CONVERT },
	{ "WithoutFreeSpace", 0, 16, "Parallels", CONVERT },
	{ "WithouFreSpacExt", 0, 16, "Parallels", CONVERT },
	{ "\x1f\x8b\x08", 0, 3, "gzip", "unpack it with `gunzip`" },
	{ "\xfd"
	  "7zXZ\0",
	  0, 6, "xz", "unpack it with `unxz`" },
	{ "\x28\xb5\x2f\xfd", 0, 4, "zstd", "unpack it with `unzstd`" },
};

static const struct disk_engine *const engines[] = { &disk_uring, &disk_aio };

bool disk_fd_is_memory(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* The file may be a disk at all.  0 or an exit code after an error(). */
static int check_kind(const char *path, mode_t mode)
{
	const char *what;

	if (S_ISREG(mode) || S_ISBLK(mode))
		return 0;
	what = S_ISDIR(mode)	? "a directory"
	       : S_ISCHR(mode)	? "a character device"
	       : S_ISFIFO(mode) ? "a pipe"
	       : S_ISSOCK(mode) ? "a socket"
				: "no file of data";
	error("--disk %s: is %s; give a raw disk image or a block device", path,
	      what);
	return EXIT_DATA;
}

static int open_failed(const struct disk_options *opt, int err)
{
	const char *path = opt->path;
	bool write = !opt->readonly && !opt->overlay;

	switch (err) {
	case ENOENT:
		error("--disk %s: no such file; `truncate -s 8G %s` makes an empty one",
		      path, path);
		return EXIT_NOINPUT;
	case EACCES:
	case EPERM:
	case EROFS:
		error("--disk %s: cannot be opened for %s: %s; change its permissions%s",
		      path, write ? "writing" : "reading", strerror(err),
		      write ? " or say ro or overlay=tmp" : "");
		return EXIT_NOPERM;
	case EBUSY:
		error("--disk %s: the host uses this device (mounted?); unmount it or say ro or overlay=tmp",
		      path);
		return EXIT_NOINPUT;
	default:
		error("--disk %s: cannot be opened: %s", path, strerror(err));
		return EXIT_NOINPUT;
	}
}

static int open_base(struct disk *disk, const struct disk_options *opt)
{
	bool write = !opt->readonly && !opt->overlay;
	int flags = (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY;
	struct disk_file *base = &disk->file[DISK_BASE];
	struct stat st;
	int err;

	if (stat(opt->path, &st))
		return open_failed(opt, errno);
	err = check_kind(opt->path, st.st_mode);
	if (err)
		return err;
	if (S_ISBLK(st.st_mode) && write)
		flags |= O_EXCL; /* not what the host has mounted */
	base->fd = open(opt->path, flags);
	if (base->fd < 0)
		return open_failed(opt, errno);
	base->memory = S_ISREG(st.st_mode) && disk_fd_is_memory(base->fd);
	if (!opt->direct || !fcntl(base->fd, F_SETFL, flags | O_DIRECT))
		return 0;
	error("--disk %s: direct=on: its file system cannot do that: %s; leave direct=on out",
	      opt->path, strerror(errno));
	return EXIT_DATA;
}

static int take_lock(int fd, short type, off_t start, off_t len, bool test)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = len,
	};

	if (fcntl(fd, test ? F_OFD_GETLK : F_OFD_SETLK, &lock))
		return errno;
	return test && lock.l_type != F_UNLCK ? EAGAIN : 0;
}

/*
 * A writer locks the whole file.  A reader takes what QEMU's readers take, so
 * that both programs respect each other: a shared lock on byte 201, "nobody
 * else may write", and nobody may hold byte 101, "I write".
 */
static int lock_base(struct disk *disk, const struct disk_options *opt)
{
	bool write = !opt->readonly && !opt->overlay;
	int fd = disk->file[DISK_BASE].fd, err;

	if (write) {
		err = take_lock(fd, F_WRLCK, 0, 0, false);
	} else {
		err = take_lock(fd, F_RDLCK, 201, 1, false);
		if (!err)
			err = take_lock(fd, F_WRLCK, 101, 1, true);
	}
	if (!err)
		return 0;
	if (err != EAGAIN && err != EACCES) {
		debug("disk %s: not locked: %s", opt->path, strerror(err));
		return 0;
	}
	error("--disk %s: another virtual machine %s it (the file is locked); stop that one%s",
	      opt->path, write ? "uses" : "writes to",
	      write ? ", or say ro or overlay=tmp in both" : "");
	return EXIT_NOINPUT;
}

static int check_format(const struct disk *disk, const struct disk_options *opt)
{
	static char buf[4096] __attribute__((aligned(4096)));
	ssize_t len = pread(disk->file[DISK_BASE].fd, buf, sizeof(buf), 0);
	unsigned int i;

	if (len < 0) {
		error("--disk %s: cannot be read%s: %s", opt->path,
		      opt->direct ? " with direct=on" : "", strerror(errno));
		return EXIT_NOINPUT;
	}
	for (i = 0; i < sizeof(format) / sizeof(*format) && !opt->raw; i++) {
		if (len < (ssize_t)(format[i].off + format[i].len) ||
		    memcmp(buf + format[i].off, format[i].magic, format[i].len))
			continue;
		error("--disk %s: is in %s format, only raw images are read; %s, or say format=raw if the guest is to see it as it is",
		      opt->path, format[i].name, format[i].fix);
		return EXIT_DATA;
	}
	return 0;
}

/* Smallest block that O_DIRECT takes, tried out. */
static uint32_t direct_block(int fd)
{
	static char buf[8192] __attribute__((aligned(4096)));

	if (pread(fd, buf + DISK_SECTOR, DISK_SECTOR, 0) == DISK_SECTOR)
		return DISK_SECTOR;
	return 4096;
}

/* Fills disk->geo but the queues; bytes is the size. */
static void measure(struct disk *disk, bool block_dev, uint64_t *bytes)
{
	int fd = disk->file[DISK_BASE].fd, logical = DISK_SECTOR;
	unsigned int phys = 4096;
	struct stat st;

	*bytes = 0;
	if (!block_dev) {
		if (!fstat(fd, &st))
			*bytes = (uint64_t)st.st_size;
		if (disk->direct)
			logical = (int)direct_block(fd);
	} else {
		ioctl(fd, BLKGETSIZE64, bytes);
		ioctl(fd, BLKSSZGET, &logical);
		ioctl(fd, BLKPBSZGET, &phys);
	}
	if (logical < DISK_SECTOR || logical > 4096 || logical & (logical - 1))
		logical = DISK_SECTOR;
	if (phys < (unsigned int)logical || phys > 65536 || phys & (phys - 1))
		phys = (unsigned int)logical;
	disk->geo.block_size = (uint32_t)logical;
	disk->geo.phys_block_size = phys;
	disk->geo.sectors = *bytes / DISK_SECTOR;
}

static int check_size(struct disk *disk, const struct disk_options *opt)
{
	uint64_t bytes, rest;
	struct stat st;
	bool block_dev = !fstat(disk->file[DISK_BASE].fd, &st) &&
			 S_ISBLK(st.st_mode);

	measure(disk, block_dev, &bytes);
	if (!bytes) {
		error(block_dev
			      ? "--disk %s: the device has no medium"
			      : "--disk %s: is empty; give it a size: `truncate -s 8G FILE`",
		      opt->path);
		return EXIT_DATA;
	}
	rest = bytes % disk->geo.block_size;
	if (!rest)
		return 0;
	error("--disk %s: its size, %llu bytes, is not a multiple of %u%s; round it up: `truncate -s %%%u FILE`",
	      opt->path, (unsigned long long)bytes, disk->geo.block_size,
	      disk->direct ? " (direct=on)" : "", disk->geo.block_size);
	return EXIT_DATA;
}

static int choose_engine(struct disk *disk, const struct disk_options *opt)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < sizeof(engines) / sizeof(*engines); i++) {
		if (opt->io != DISK_IO_AUTO && opt->io != DISK_IO_URING + i)
			continue;
		err = engines[i]->open(disk);
		if (!err) {
			disk->engine = engines[i];
			return 0;
		}
		info("disk %s: no %s: %s", opt->path, engines[i]->name,
		     strerror(-err));
	}
	if (opt->io == DISK_IO_URING)
		error("--disk %s: aio=io_uring: the host does not let us: %s; leave aio= out, or allow it (sysctl kernel.io_uring_disabled, the container's seccomp profile)",
		      opt->path, strerror(-err));
	else
		error("--disk %s: no I/O engine: %s; is /proc/sys/fs/aio-max-nr used up?",
		      opt->path, strerror(-err));
	return EXIT_OSERR;
}

static int check_options(const struct disk_options *opt)
{
	if (opt->readonly && opt->overlay) {
		error("--disk %s: ro and overlay=tmp exclude each other; leave one out",
		      opt->path);
		return EXIT_USAGE;
	}
	if (opt->queues > DISK_MAX_QUEUES) {
		error("--disk %s: queues=%u is too many; 1 to %u are possible",
		      opt->path, opt->queues, DISK_MAX_QUEUES);
		return EXIT_USAGE;
	}
	return 0;
}

static int open_all(struct disk *disk, const struct disk_options *opt)
{
	int err = check_options(opt);

	if (!err)
		err = open_base(disk, opt);
	if (!err)
		err = lock_base(disk, opt);
	if (!err)
		err = check_size(disk, opt);
	if (!err)
		err = check_format(disk, opt);
	if (!err && opt->overlay)
		err = disk_overlay_open(disk);
	if (!err)
		err = choose_engine(disk, opt);
	return err;
}

static void close_files(struct disk *disk)
{
	unsigned int i;

	for (i = 0; i < DISK_SLOTS; i++)
		if (disk->file[i].fd >= 0)
			close(disk->file[i].fd);
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	if (disk->user)
		disk_drain(disk);
	if (disk->loop)
		event_del(disk->loop, &disk->source);
	if (disk->engine)
		disk->engine->close(disk);
	if (!disk->geo.readonly && !disk->map &&
	    disk->file[DISK_BASE].fd >= 0 &&
	    fdatasync(disk->file[DISK_BASE].fd))
		error("disk %s: last writes may be lost: %s", disk->path,
		      strerror(errno));
	disk_overlay_close(disk);
	close_files(disk);
	free(disk->path);
	free(disk);
}

int disk_open(struct disk **result, const struct disk_options *opt)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	int err;

	*result = NULL;
	if (!disk || !(disk->path = strdup(opt->path))) {
		free(disk);
		error("--disk %s: out of memory", opt->path);
		return EXIT_OSERR;
	}
	disk->file[DISK_BASE].fd = disk->file[DISK_TOP].fd = -1;
	disk->direct = opt->direct;
	disk->geo.readonly = true; /* nothing to make durable so far */
	disk->geo.queues = opt->queues ? opt->queues : 1;
	err = open_all(disk, opt);
	if (err) {
		disk_close(disk);
		return err;
	}
	disk->geo.readonly = opt->readonly;
	info("disk %s: %llu MiB, %s%s%s%s", disk->path,
	     (unsigned long long)disk->geo.sectors >> 11, disk->engine->name,
	     opt->direct ? ", direct" : "", opt->readonly ? ", read-only" : "",
	     opt->overlay ? ", writes are dropped at the end" : "");
	*result = disk;
	return 0;
}

const struct disk_geometry *disk_geometry(const struct disk *disk)
{
	return &disk->geo;
}

const char *disk_engine_name(const struct disk *disk)
{
	return disk->engine->name;
}
