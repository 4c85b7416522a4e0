// SPDX-License-Identifier: GPL-2.0-only
/* Names files that are no kernel we can start, and what to do with them. */
#include <string.h>

#include "vmm/boot/image.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#define MAGIC(s) s, sizeof(s) - 1

static const struct foreign {
	size_t off;
	const char *magic;
	size_t len;
	const char *what, *fix;
} table[] = {
	{ 0, MAGIC("\x1f\x8b"), "gzip data", "unpack it with gunzip first" },
	{ 0, MAGIC("\3757zXZ"), "xz data", "unpack it with unxz first" },
	{ 0, MAGIC("\x28\xb5\x2f\xfd"), "zstd data",
	  "unpack it with unzstd first" },
	{ 0, MAGIC("BZh"), "bzip2 data", "unpack it with bunzip2 first" },
	{ 0, MAGIC("\x02\x21\x4c\x18"), "lz4 data",
	  "unpack it with unlz4 first" },
	{ 0, MAGIC("\x04\x22\x4d\x18"), "lz4 data",
	  "unpack it with unlz4 first" },
	{ 56, MAGIC("ARM\x64"), "a Linux Image for arm64",
	  "use an x86-64 vmlinux or bzImage" },
	{ 56, MAGIC("RSC\x05"), "a Linux Image for RISC-V",
	  "use an x86-64 vmlinux or bzImage" },
	{ 4, MAGIC("zimg"), "a compressed EFI kernel of another architecture",
	  "use an x86-64 vmlinux or bzImage" },
	{ 0, MAGIC("MZ"), "an EFI or DOS program without a Linux setup header",
	  "from a unified kernel image take the .linux section (objcopy -O "
	  "binary -j .linux)" },
	{ 0, MAGIC("\x27\x05\x19\x56"), "a U-Boot uImage",
	  "use the vmlinux or bzImage it was made from" },
	{ 0, MAGIC("\xd0\x0d\xfe\xed"), "a device tree or FIT image",
	  "hotline makes its own device tree; use a vmlinux or bzImage" },
	{ 0, MAGIC("07070"), "a cpio archive, perhaps an initramfs",
	  "give it with -i and the kernel with -k" },
	{ 0, MAGIC("QFI\xfb"), "a qcow2 disk image",
	  "convert it with qemu-img convert -O raw and give it with -d" },
	{ 0, MAGIC("KDMV"), "a VMDK disk image",
	  "convert it with qemu-img convert -O raw and give it with -d" },
	{ 0, MAGIC("vhdxfile"), "a VHDX disk image",
	  "convert it with qemu-img convert -O raw and give it with -d" },
	{ 1080, MAGIC("\x53\xef"), "an ext2/3/4 file system",
	  "give it with -d, and the kernel with -k" },
	{ 0, MAGIC("hsqs"), "a squashfs file system",
	  "give it with -d, and the kernel with -k" },
	{ 0, MAGIC("XFSB"), "an XFS file system",
	  "give it with -d, and the kernel with -k" },
	{ 512, MAGIC("EFI PART"), "a disk image with a GPT",
	  "give it with -d, and the kernel with -k" },
	{ 510, MAGIC("\x55\xaa"), "a disk image or boot sector",
	  "give it with -d, and the kernel with -k" },
	{ 0, MAGIC("!<arch>"), "an ar archive, perhaps a Debian package",
	  "unpack it and use the boot/vmlinuz in it" },
	{ 0, MAGIC("\xed\xab\xee\xdb"), "an RPM package",
	  "unpack it and use the vmlinuz in it" },
	{ 0, MAGIC("#!"), "a script", "use an x86-64 vmlinux or bzImage" },
};

/* Printable ASCII or UTF-8 all through the head. */
static bool is_text(const struct image *img)
{
	for (size_t i = 0; i < img->head_len; i++) {
		uint8_t c = img->head[i];

		if ((c < ' ' && c != '\n' && c != '\t' && c != '\r') ||
		    c == 0x7f)
			return false;
	}
	return true;
}

int image_foreign(const struct image *img)
{
	const char *what = "no kind of kernel known here";
	const char *fix = "use an x86-64 vmlinux (ELF) or bzImage";
	const struct foreign *f = table;
	const struct foreign *end = f + sizeof(table) / sizeof(table[0]);

	for (; f < end; f++) {
		if (f->off + f->len <= img->head_len &&
		    !memcmp(img->head + f->off, f->magic, f->len)) {
			what = f->what;
			fix = f->fix;
			break;
		}
	}
	if (f == end && is_text(img))
		what = "text";
	error("%s %s: this is %s; %s", img->option, img->path, what, fix);
	return EXIT_DATA;
}
