/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file to boot from, opened and sized once, and what loading it gave.
 * Nothing in the file is trusted.
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include <asm/bootparam.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/core/mem.h"

struct boot_options;

/* Covers an ELF header, a bzImage's setup header and a file system's magic. */
#define IMAGE_HEAD 4096

struct image {
	const char *option; /* "-k": for messages */
	const char *path;
	int fd;
	uint64_t size;
	size_t head_len; /* bytes of head[] that the file has */
	uint8_t head[IMAGE_HEAD];
};

/* What kernel_load() found and where it put it. */
struct kernel {
	uint64_t entry;	     /* guest-physical */
	uint64_t start, end; /* guest-physical, bss included */
	bool pvh;	     /* 32-bit entry with hvm_start_info */
	struct setup_header hdr;
};

/*
 * These return 0 or an enum exit_code after an error().  image_open() needs
 * image_close() only after success.
 */
int image_open(struct image *img, const char *option, const char *path);
void image_close(struct image *img);
int image_read(const struct image *img, uint64_t off, void *dst, size_t len);
/* Whether text (64 bytes at most) stands in this part of the file. */
int image_search(const struct image *img, uint64_t off, uint64_t len,
		 const char *text, bool *found);

/*
 * Checks that [base, base + len) is RAM which the boot data leaves free, below
 * the hole.  what: "the kernel", ...
 */
int image_room(const struct image *img, const struct mem *mem, const char *what,
	       uint64_t base, uint64_t len);

/* Loads a kernel of any kind known. */
int kernel_load(struct mem *mem, const struct boot_options *opt,
		struct kernel *k);

/* What a file is that we cannot boot, and what to do about it. */
int image_foreign(const struct image *img);

/* The loaders, one per format. */
bool elf_probe(const struct image *img);
int elf_load(const struct image *img, struct mem *mem,
	     const struct boot_options *opt, struct kernel *k);
bool bzimage_probe(const struct image *img);
int bzimage_load(const struct image *img, struct mem *mem,
		 const struct boot_options *opt, struct kernel *k);

/* Whether this kernel, one that the loader knows, reads ACPI tables. */
int elf_knows_acpi(const struct image *img, bool *acpi);
int bzimage_knows_acpi(const struct image *img, bool *acpi);

#endif
