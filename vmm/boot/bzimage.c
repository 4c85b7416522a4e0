// SPDX-License-Identifier: GPL-2.0-only
/*
 * bzImage: Documentation/arch/x86/boot.rst, 64-bit boot protocol.  The
 * real-mode part is only read for its setup header.
 */
#include <inttypes.h>
#include <string.h>

#include "vmm/boot/boot.h"
#include "vmm/boot/image.h"
#include "vmm/boot/layout.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#define HDR_OFF		 0x1f1
#define HDR_MAGIC_OFF	 0x202
#define HDR_JUMP_LEN_OFF 0x201 /* the header ends this far behind 0x202 */
#define SECTOR		 512
#define PLAIN_MAX	 (4u << 20) /* bytes of plain code, generous */
#define ENTRY_64	 0x200	    /* startup_64 behind the load address */

bool bzimage_probe(const struct image *img)
{
	return img->head_len >= HDR_MAGIC_OFF + 4 && img->head[0x1fe] == 0x55 &&
	       img->head[0x1ff] == 0xaa &&
	       !memcmp(img->head + HDR_MAGIC_OFF, "HdrS", 4);
}

static int bad(const struct image *img, const char *why)
{
	error("%s %s: %s; use an x86-64 bzImage of Linux 3.8 or newer",
	      img->option, img->path, why);
	return EXIT_DATA;
}

static int read_header(const struct image *img, struct setup_header *hdr)
{
	size_t len = HDR_MAGIC_OFF + img->head[HDR_JUMP_LEN_OFF] - HDR_OFF;

	if (len > sizeof(*hdr))
		len = sizeof(*hdr);
	if (img->head_len < HDR_OFF + len)
		return bad(img, "truncated bzImage");
	memset(hdr, 0, sizeof(*hdr));
	memcpy(hdr, img->head + HDR_OFF, len);
	if (!(hdr->loadflags & LOADED_HIGH))
		return bad(img, "zImage that loads below 1 MiB");
	if (hdr->version < 0x20c)
		return bad(img, "bzImage with a boot protocol older than 2.12");
	if (!(hdr->xloadflags & XLF_KERNEL_64))
		return bad(img, "bzImage of a 32-bit kernel");
	if (hdr->relocatable_kernel &&
	    (hdr->kernel_alignment < 4096 ||
	     hdr->kernel_alignment & (hdr->kernel_alignment - 1)))
		return bad(img,
			   "bzImage with an alignment that is no power of two");
	return 0;
}

/* Where the protected-mode code begins; boot.rst: 0 sectors mean 4. */
static uint64_t code_offset(const struct setup_header *hdr)
{
	return ((hdr->setup_sects ? hdr->setup_sects : 4) + 1u) * SECTOR;
}

static uint64_t code_length(const struct setup_header *hdr)
{
	return (uint64_t)hdr->syssize * 16;
}

static uint64_t align_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

/*
 * The address the kernel prefers; a relocatable one may also take the first
 * that is aligned, if memory ends too early for that.
 */
static uint64_t place(const struct setup_header *hdr, const struct mem *mem,
		      uint64_t need)
{
	uint64_t addr = hdr->pref_address, end;

	if (hdr->relocatable_kernel &&
	    (__builtin_add_overflow(addr, need, &end) ||
	     end > mem->region[0].size))
		addr = align_up(LAYOUT_KERNEL, hdr->kernel_alignment);
	return addr;
}

int bzimage_load(const struct image *img, struct mem *mem,
		 const struct boot_options *opt, struct kernel *k)
{
	struct setup_header *hdr = &k->hdr;
	uint64_t len, need;
	int err;

	err = read_header(img, hdr);
	if (err)
		return err;
	if (opt->pvh) {
		error("-k %s: a bzImage has no PVH entry; use the vmlinux or "
		      "leave out --pvh",
		      img->path);
		return EXIT_USAGE;
	}
	len = code_length(hdr);
	if (len <= ENTRY_64)
		return bad(img, "bzImage without protected-mode code");
	need = hdr->init_size > len ? hdr->init_size : len;
	k->start = place(hdr, mem, need);
	err = image_room(img, mem, "the kernel", k->start, need);
	if (err)
		return err;
	err = image_read(img, code_offset(hdr),
			 mem_ptr(mem, gpa(k->start), len), len);
	if (err)
		return err;
	k->end = k->start + need;
	k->entry = k->start + ENTRY_64;
	hdr->code32_start = (uint32_t)k->start;
	return 0;
}

/*
 * The decompressor, which is not compressed itself, looks for the RSDP exactly
 * when the kernel is built with ACPI: the signature to search for is in the
 * plain code behind the payload.
 */
int bzimage_knows_acpi(const struct image *img, bool *acpi)
{
	struct setup_header hdr;
	uint64_t off, end;
	int err = read_header(img, &hdr);

	if (err)
		return err;
	off = code_offset(&hdr) + hdr.payload_offset + hdr.payload_length;
	end = code_offset(&hdr) + code_length(&hdr);
	if (off > end || end - off > PLAIN_MAX)
		off = end > PLAIN_MAX ? end - PLAIN_MAX : 0;
	return image_search(img, off, end - off, "RSD PTR ", acpi);
}
