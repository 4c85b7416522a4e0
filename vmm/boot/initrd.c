// SPDX-License-Identifier: GPL-2.0-only
/*
 * The initrd: the user's file, then our own archive, which the kernel unpacks
 * over it.
 */
#include <inttypes.h>
#include <string.h>

#include "vmm/boot/boot.h"
#include "vmm/boot/image.h"
#include "vmm/boot/layout.h"
#include "vmm/boot/parts.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#define PAGE 4096ull

static uint64_t to_mib(uint64_t bytes)
{
	return (bytes + (1 << 20) - 1) >> 20;
}

/*
 * As high as the kernel can find it, out of the way of the kernel and beside
 * what the kernel allocates first.
 */
static int place(const struct mem *mem, const struct kernel *k, uint64_t len,
		 uint64_t *addr)
{
	uint64_t top = mem->region[0].size, max = LAYOUT_INITRD_MAX;

	if (k->hdr.initrd_addr_max && k->hdr.initrd_addr_max < max)
		max = k->hdr.initrd_addr_max;
	if (top > max + 1)
		top = max + 1;
	if (len <= top && ((top - len) & ~(PAGE - 1)) >= k->end) {
		*addr = (top - len) & ~(PAGE - 1);
		return 0;
	}
	if (top == max + 1) {
		error("-i: the initrd has %" PRIu64
		      " MiB, the kernel can take %" PRIu64
		      " MiB; make it smaller or use a disk (-d)",
		      to_mib(len), k->end < top ? (top - k->end) >> 20 : 0);
		return EXIT_DATA;
	}
	error("-m: the kernel (up to %" PRIu64 " MiB) and the initrd (%" PRIu64
	      " MiB) need more than %" PRIu64
	      " MiB of memory; give at least %" PRIu64,
	      to_mib(k->end), to_mib(len), mem->size >> 20,
	      to_mib(k->end + len + PAGE));
	return EXIT_USAGE;
}

static int load(struct mem *mem, const struct boot_options *opt,
		const struct kernel *k, const struct image *img,
		struct handover *ho)
{
	uint64_t file = img ? img->size : 0;
	/* The kernel skips zeros and looks for an archive every 4 bytes. */
	uint64_t gap = opt->cpio ? -file & 3 : 0;
	uint64_t len, addr;
	int err;

	if (__builtin_add_overflow(file + gap, opt->cpio ? opt->cpio_len : 0,
				   &len) ||
	    len > UINT32_MAX) {
		error("-i: an initrd of 4 GiB or more cannot be loaded");
		return EXIT_DATA;
	}
	if (!len)
		return 0;
	err = place(mem, k, len, &addr);
	if (err)
		return err;
	if (img) {
		err = image_read(img, 0, mem_ptr(mem, gpa(addr), file), file);
		if (err)
			return err;
	}
	if (opt->cpio)
		mem_write(mem, gpa(addr + file + gap), opt->cpio,
			  opt->cpio_len);
	ho->initrd = addr;
	ho->initrd_len = len;
	return 0;
}

int initrd_load(struct mem *mem, const struct boot_options *opt,
		const struct kernel *k, struct handover *ho)
{
	struct image img;
	int err;

	if (!opt->initrd)
		return load(mem, opt, k, NULL, ho);
	err = image_open(&img, "-i", opt->initrd);
	if (err)
		return err;
	err = load(mem, opt, k, &img, ho);
	image_close(&img);
	return err;
}
