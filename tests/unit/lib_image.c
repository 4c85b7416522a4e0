// SPDX-License-Identifier: GPL-2.0-only
/* Small kernel images for tests, made by hand. */
#include "lib_image.h"

#include <elf.h>
#include <string.h>

#include "lib_boot.h"

#define TEXT_OFF 0x200
#define DATA_OFF 0x300
#define NOTE_OFF 0x380
#define NOTE_LEN 40

/* A note of another kind first, then XEN_ELFNOTE_PHYS32_ENTRY. */
static void put_notes(uint8_t *p, uint32_t entry)
{
	const uint32_t other[] = { 4, 1, 7, 0x00554e47, 0x55 };
	const uint32_t xen[] = { 4, 4, 18, 0x006e6558, entry };

	memcpy(p, other, sizeof(other));
	memcpy(p + sizeof(other), xen, sizeof(xen));
}

void image_make_elf(uint8_t elf[IMAGE_ELF_LEN])
{
	const Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = 1,
		.e_entry = IMAGE_ELF_ENTRY,
		.e_phoff = 64,
		.e_ehsize = 64,
		.e_phentsize = 56,
		.e_phnum = 3,
	};
	const Elf64_Phdr ph[] = {
		{ PT_LOAD, PF_R | PF_X, TEXT_OFF,
		  IMAGE_ELF_VIRT + IMAGE_ELF_TEXT, IMAGE_ELF_TEXT, 0x100, 0x100,
		  0x200000 },
		{ PT_LOAD, PF_R | PF_W, DATA_OFF,
		  IMAGE_ELF_VIRT + IMAGE_ELF_DATA, IMAGE_ELF_DATA, 0x80,
		  IMAGE_ELF_DATA_MEM, 0x200000 },
		{ PT_NOTE, 0, NOTE_OFF, 0, 0, NOTE_LEN, NOTE_LEN, 4 },
	};

	memset(elf, 0, IMAGE_ELF_LEN);
	memcpy(elf, &eh, sizeof(eh));
	memcpy(elf + 64, ph, sizeof(ph));
	memset(elf + TEXT_OFF, 0xaa, 0x100);
	memset(elf + DATA_OFF, 0xbb, 0x80);
	put_notes(elf + NOTE_OFF, IMAGE_ELF_PVH);
}

void image_make_elf32(uint8_t elf[IMAGE_ELF32_LEN])
{
	const Elf32_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1 },
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = 1,
		.e_entry = IMAGE_ELF_ENTRY,
		.e_phoff = 52,
		.e_ehsize = 52,
		.e_phentsize = 32,
		.e_phnum = 2,
	};
	const Elf32_Phdr ph[] = {
		{ PT_NOTE, 0x100, 0, 0, NOTE_LEN, NOTE_LEN, 0, 4 },
		{ PT_LOAD, TEXT_OFF, IMAGE_ELF_TEXT, IMAGE_ELF_TEXT, 0x100,
		  0x100, PF_R | PF_X, 0x1000 },
	};

	memset(elf, 0, IMAGE_ELF32_LEN);
	memcpy(elf, &eh, sizeof(eh));
	memcpy(elf + 52, ph, sizeof(ph));
	put_notes(elf + 0x100, IMAGE_ELF_PVH);
	memset(elf + TEXT_OFF, 0xaa, 0x100);
}

void image_make_bz(uint8_t bz[IMAGE_BZ_LEN])
{
	memset(bz, 0, IMAGE_BZ_SETUP);
	memset(bz + IMAGE_BZ_SETUP, 0xcc, IMAGE_BZ_CODE);
	boot_put(bz + 0x1ef, 0xff, 1); /* sentinel: not to be copied */
	boot_put(bz + 0x1f1, IMAGE_BZ_SETUP / 512 - 1, 1);
	boot_put(bz + 0x1f4, IMAGE_BZ_CODE / 16, 4);
	boot_put(bz + 0x1fe, 0xaa55, 2);
	boot_put(bz + 0x200, 0x6aeb, 2); /* header ends at 0x26c */
	memcpy(bz + 0x202, "HdrS", 4);
	boot_put(bz + 0x206, 0x20f, 2);
	boot_put(bz + 0x211, 1, 1);	     /* LOADED_HIGH */
	boot_put(bz + 0x22c, 0x7fffffff, 4); /* initrd_addr_max */
	boot_put(bz + 0x230, 0x200000, 4);
	boot_put(bz + 0x234, 1, 1); /* relocatable */
	boot_put(bz + 0x236, 1, 2); /* XLF_KERNEL_64 */
	boot_put(bz + 0x238, 2047, 4);
	boot_put(bz + 0x258, IMAGE_BZ_PREF, 8);
	boot_put(bz + 0x260, IMAGE_BZ_INIT_SIZE, 4);
}
