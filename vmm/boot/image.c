// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files to boot from: opening them with an error for each way that can fail,
 * bounded reading, and the table of kernel formats.
 */
#include "vmm/boot/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "include/hotline/platform.h"
#include "vmm/boot/boot.h"
#include "vmm/boot/layout.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

static int open_failed(const char *option, const char *path, int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		error("%s %s: %s; make the file and its directories readable "
		      "for this user",
		      option, path, strerror(err));
		return EXIT_NOPERM;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		error("%s %s: %s", option, path, strerror(err));
		return EXIT_OSERR;
	default:
		error("%s %s: %s; check the path", option, path, strerror(err));
		return EXIT_NOINPUT;
	}
}

static int check_kind(const struct image *img, const struct stat *st)
{
	if (S_ISDIR(st->st_mode)) {
		error("%s %s: is a directory; name the file in it", img->option,
		      img->path);
		return EXIT_NOINPUT;
	}
	if (!S_ISREG(st->st_mode)) {
		error("%s %s: not a regular file; copy its contents to one",
		      img->option, img->path);
		return EXIT_NOINPUT;
	}
	if (!st->st_size) {
		error("%s %s: the file is empty", img->option, img->path);
		return EXIT_DATA;
	}
	return 0;
}

int image_open(struct image *img, const char *option, const char *path)
{
	struct stat st;
	int err;

	img->option = option;
	img->path = path;
	/* O_NONBLOCK: a FIFO is refused below instead of waited for. */
	img->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (img->fd < 0)
		return open_failed(option, path, errno);
	if (fstat(img->fd, &st) < 0)
		err = open_failed(option, path, errno);
	else
		err = check_kind(img, &st);
	if (err)
		goto err_close;
	img->size = (uint64_t)st.st_size;
	img->head_len = img->size < IMAGE_HEAD ? (size_t)img->size : IMAGE_HEAD;
	err = image_read(img, 0, img->head, img->head_len);
	if (err)
		goto err_close;
	return 0;

err_close:
	close(img->fd);
	return err;
}

void image_close(struct image *img)
{
	close(img->fd);
	img->fd = -1;
}

int image_read(const struct image *img, uint64_t off, void *dst, size_t len)
{
	uint8_t *p = dst;

	if (off > img->size || len > img->size - off) {
		error("%s %s: truncated: %zu bytes wanted at offset %" PRIu64
		      ", but the file has %" PRIu64 "; copy or build it again",
		      img->option, img->path, len, off, img->size);
		return EXIT_DATA;
	}
	while (len) {
		ssize_t n = pread(img->fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error("%s %s: reading failed: %s", img->option,
			      img->path, strerror(errno));
			return EXIT_NOINPUT;
		}
		if (!n) {
			error("%s %s: got shorter while it was read",
			      img->option, img->path);
			return EXIT_DATA;
		}
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

#define SEARCH_CHUNK 32768

int image_search(const struct image *img, uint64_t off, uint64_t len,
		 const char *text, bool *found)
{
	size_t want = strlen(text), keep = 0;
	char buf[SEARCH_CHUNK + 64];

	*found = false;
	while (len && !*found) {
		size_t n = len < SEARCH_CHUNK ? (size_t)len : SEARCH_CHUNK;
		int err = image_read(img, off, buf + keep, n);

		if (err)
			return err;
		*found = memmem(buf, keep + n, text, want);
		off += n;
		len -= n;
		/* It may begin at the end of one piece and end in the next. */
		n += keep;
		keep = n < want - 1 ? n : want - 1;
		memmove(buf, buf + n - keep, keep);
	}
	return 0;
}

int image_room(const struct image *img, const struct mem *mem, const char *what,
	       uint64_t base, uint64_t len)
{
	uint64_t ram = mem->region[0].size, end;

	if (__builtin_add_overflow(base, len, &end) || end > HL_HOLE_START) {
		error("%s %s: %s wants %#" PRIx64 " bytes at %#" PRIx64
		      ", which is not below 3 GiB; use another build",
		      img->option, img->path, what, len, base);
		return EXIT_DATA;
	}
	if (base < LAYOUT_KERNEL) {
		error("%s %s: %s wants address %#" PRIx64
		      ", but boot data lies below 1 MiB; use another build",
		      img->option, img->path, what, base);
		return EXIT_DATA;
	}
	if (end > ram) {
		error("%s %s: %s needs memory up to %" PRIu64
		      " MiB, the guest has %" PRIu64
		      " MiB; give it more with -m",
		      img->option, img->path, what, (end + (1 << 20) - 1) >> 20,
		      ram >> 20);
		return EXIT_USAGE;
	}
	return 0;
}

static const struct loader {
	const char *name;
	bool (*probe)(const struct image *img);
	int (*load)(const struct image *img, struct mem *mem,
		    const struct boot_options *opt, struct kernel *k);
} loaders[] = {
	{ "ELF", elf_probe, elf_load },
	{ "bzImage", bzimage_probe, bzimage_load },
};

int kernel_load(struct mem *mem, const struct boot_options *opt,
		struct kernel *k)
{
	const struct loader *l = loaders;
	const struct loader *end = l + sizeof(loaders) / sizeof(loaders[0]);
	struct image img;
	int err;

	memset(k, 0, sizeof(*k));
	err = image_open(&img, "-k", opt->kernel);
	if (err)
		return err;
	while (l < end && !l->probe(&img))
		l++;
	err = l < end ? l->load(&img, mem, opt, k) : image_foreign(&img);
	image_close(&img);
	if (!err)
		debug("%s: %s at %#" PRIx64 "-%#" PRIx64 ", entry %#" PRIx64
		      "%s",
		      opt->kernel, l->name, k->start, k->end, k->entry,
		      k->pvh ? " (PVH)" : "");
	return err;
}
