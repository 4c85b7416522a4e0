// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes and checks what a disk holds, in the guest and on the host alike:
 *
 *   disk fill FILE SEED OFF LEN     a pattern made of SEED and the offset
 *   disk check FILE SEED OFF LEN    is it there?
 *   disk zeros FILE OFF LEN         or nothing but zeros?
 *   disk discard|zero DEV OFF LEN   BLKDISCARD, BLKZEROOUT
 *   disk log FILE                   appends records, each with fsync, for ever
 *   disk logcheck FILE N            are the first N records whole?
 *   disk reads DEV                  reads all of it until an error comes
 *
 * Numbers are bytes; K, M and G may follow.  Exit code 0, 1 for wrong
 * contents, 2 for what did not work at all, 5 for a read error (reads).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CHUNK  (256u << 10)
#define RECORD 4096u

static uint8_t want[CHUNK], buf[CHUNK] __attribute__((aligned(4096)));

static uint64_t number(const char *s)
{
	char *end;
	uint64_t n = strtoull(s, &end, 0);

	switch (*end) {
	case 'G':
		n <<= 10;
		/* fallthrough */
	case 'M':
		n <<= 10;
		/* fallthrough */
	case 'K':
		n <<= 10;
	}
	return n;
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0) {
		fprintf(stderr, "disk: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	return fd;
}

static void pattern(uint8_t *out, uint64_t seed, uint64_t off, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t x = (off + i + 8) * 0x9e3779b97f4a7c15ull ^ seed << 56;

		x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
		memcpy(out + i, &x, 8);
	}
}

static size_t step(uint64_t at, uint64_t end)
{
	return end - at < CHUNK ? (size_t)(end - at) : CHUNK;
}

static int fill(const char *path, uint64_t seed, uint64_t off, uint64_t len)
{
	int fd = open_or_die(path, O_RDWR);

	for (uint64_t at = off; at < off + len; at += CHUNK) {
		size_t n = step(at, off + len);

		pattern(buf, seed, at, n);
		if (pwrite(fd, buf, n, (off_t)at) != (ssize_t)n) {
			perror("disk: write");
			return 2;
		}
	}
	if (fsync(fd) || close(fd)) {
		perror("disk: fsync");
		return 2;
	}
	return 0;
}

/* seed < 0: zeros. */
static int check(const char *path, int64_t seed, uint64_t off, uint64_t len)
{
	int fd = open_or_die(path, O_RDONLY);

	memset(want, 0, sizeof(want));
	for (uint64_t at = off; at < off + len; at += CHUNK) {
		size_t n = step(at, off + len), i;

		if (seed >= 0)
			pattern(want, (uint64_t)seed, at, n);
		if (pread(fd, buf, n, (off_t)at) != (ssize_t)n) {
			perror("disk: read");
			return 2;
		}
		for (i = 0; i < n && buf[i] == want[i]; i++)
			;
		if (i < n) {
			printf("disk: %s: byte %llu is %02x instead of %02x\n",
			       path, (unsigned long long)(at + i), buf[i],
			       want[i]);
			return 1;
		}
	}
	close(fd);
	return 0;
}

static int range(const char *path, unsigned long request, uint64_t off,
		 uint64_t len)
{
	uint64_t range[2] = { off, len };
	int fd = open_or_die(path, O_RDWR);

	if (ioctl(fd, request, range)) {
		perror("disk: ioctl");
		return 2;
	}
	fsync(fd);
	return 0;
}

static int write_log(const char *path)
{
	int fd = open_or_die(path, O_WRONLY | O_CREAT | O_APPEND);

	for (uint64_t n = 0;; n++) {
		pattern(buf, 5, n * RECORD, RECORD);
		if (write(fd, buf, RECORD) != RECORD || fsync(fd)) {
			perror("disk: log");
			return 2;
		}
		printf("synced %llu\n", (unsigned long long)n + 1);
		fflush(stdout);
	}
}

static int read_for_ever(const char *path)
{
	int fd = open_or_die(path, O_RDONLY | O_DIRECT);

	puts("reading");
	fflush(stdout);
	for (uint64_t at = 0;; at += CHUNK) {
		ssize_t n = pread(fd, buf, CHUNK, (off_t)at);

		if (n < 0) {
			printf("read error: %s\n", strerror(errno));
			return 5;
		}
		if (n < (ssize_t)CHUNK)
			at = (uint64_t) - (int64_t)CHUNK; /* from the start */
	}
}

int main(int argc, char **argv)
{
	const char *cmd = argc > 2 ? argv[1] : "";
	uint64_t n[3] = { 0 };

	for (int i = 3; i < argc && i < 6; i++)
		n[i - 3] = number(argv[i]);
	if (!strcmp(cmd, "fill") && argc == 6)
		return fill(argv[2], n[0], n[1], n[2]);
	if (!strcmp(cmd, "check") && argc == 6)
		return check(argv[2], (int64_t)n[0], n[1], n[2]);
	if (!strcmp(cmd, "zeros") && argc == 5)
		return check(argv[2], -1, n[0], n[1]);
	if (!strcmp(cmd, "discard") && argc == 5)
		return range(argv[2], BLKDISCARD, n[0], n[1]);
	if (!strcmp(cmd, "zero") && argc == 5)
		return range(argv[2], BLKZEROOUT, n[0], n[1]);
	if (!strcmp(cmd, "log"))
		return write_log(argv[2]);
	if (!strcmp(cmd, "logcheck") && argc == 4)
		return check(argv[2], 5, 0, n[0] * RECORD);
	if (!strcmp(cmd, "reads"))
		return read_for_ever(argv[2]);
	fputs("usage: see tests/linux/disk.c\n", stderr);
	return 2;
}
