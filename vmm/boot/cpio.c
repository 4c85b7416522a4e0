// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes small cpio archives in the "newc" format
 * (Documentation/driver-api/early-userspace/buffer-format.rst): a header of
 * hexadecimal text, the name and the data, the last two padded to 4 bytes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/boot/boot.h"

#define HEADER_LEN 110
#define TRAILER	   "TRAILER!!!"

struct entry {
	const char *name;
	uint32_t mode;
	const void *data;
	size_t len;
};

static size_t pad4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static size_t entry_len(const struct entry *e)
{
	return pad4(HEADER_LEN + strlen(e->name) + 1) + pad4(e->len);
}

/* p: zeroed room for entry_len() bytes.  Returns the end. */
static char *put_entry(char *p, const struct entry *e, unsigned int ino)
{
	size_t name = strlen(e->name) + 1;
	char hdr[HEADER_LEN + 1];

	/* ino mode uid gid nlink mtime size dev(2) rdev(2) namesize check */
	snprintf(hdr, sizeof(hdr),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		 ino, e->mode, 0, 0, 1, 0, (unsigned int)e->len, 0, 0, 0, 0,
		 (unsigned int)name, 0);
	memcpy(p, hdr, HEADER_LEN);
	memcpy(p + HEADER_LEN, e->name, name);
	p += pad4(HEADER_LEN + name);
	if (e->len)
		memcpy(p, e->data, e->len);
	return p + pad4(e->len);
}

static void *write_archive(const struct entry *e, unsigned int nr, size_t *len)
{
	size_t total = 0;
	char *buf, *p;

	for (unsigned int i = 0; i < nr; i++)
		total += entry_len(&e[i]);
	p = buf = calloc(1, total);
	if (!buf)
		return NULL;
	for (unsigned int i = 0; i < nr; i++)
		p = put_entry(p, &e[i], i + 1);
	*len = total;
	return buf;
}

/* The strings of argv one after the other, each with its NUL. */
static char *join(char *const argv[], size_t *len)
{
	size_t n = 0;
	char *buf, *p;

	for (char *const *a = argv; *a; a++)
		n += strlen(*a) + 1;
	if (n > UINT32_MAX) {
		errno = E2BIG;
		return NULL;
	}
	p = buf = malloc(n ? n : 1);
	if (!buf)
		return NULL;
	for (char *const *a = argv; *a; a++)
		p = stpcpy(p, *a) + 1;
	*len = n;
	return buf;
}

void *cpio_from_argv(char *const argv[], size_t *len)
{
	size_t data_len = 0;
	char *data = join(argv, &data_len);
	void *archive;

	if (!data)
		return NULL;
	archive = write_archive(
		(const struct entry[]){
			{ "hotline", S_IFDIR | 0755, NULL, 0 },
			{ "hotline/argv", S_IFREG | 0444, data, data_len },
			{ TRAILER, 0, NULL, 0 },
		},
		3, len);
	free(data);
	return archive;
}
