/* SPDX-License-Identifier: GPL-2.0-only */
/* Small kernel images for tests, made by hand. */
#ifndef UNIT_LIB_IMAGE_H
#define UNIT_LIB_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A 64-bit ELF file of IMAGE_ELF_LEN bytes: text at 16 MiB (virtual: that +
 * IMAGE_ELF_VIRT), data with bss at 18 MiB, a PVH note.
 */
#define IMAGE_ELF_LEN	   0x400
#define IMAGE_ELF_VIRT	   0xffffffff80000000
#define IMAGE_ELF_TEXT	   0x1000000 /* guest-physical, 0x100 bytes of 0xaa */
#define IMAGE_ELF_DATA	   0x1200000 /* 0x80 bytes of 0xbb, then bss */
#define IMAGE_ELF_DATA_MEM 0x2000    /* with the bss */
#define IMAGE_ELF_ENTRY	   (IMAGE_ELF_TEXT + 0x23)
#define IMAGE_ELF_PVH	   (IMAGE_ELF_TEXT + 0x40)
#define IMAGE_ELF_PHDR(i)  (64 + 56 * (i)) /* text, data, note */
void image_make_elf(uint8_t elf[IMAGE_ELF_LEN]);

/* The same for 32 bits: text and note only. */
#define IMAGE_ELF32_LEN 0x300
void image_make_elf32(uint8_t elf[IMAGE_ELF32_LEN]);

/*
 * A bzImage: 2 setup sectors, 0x1000 bytes of code (0xcc) with an empty
 * payload; prefers 16 MiB, wants 1 MiB there, may be moved by 2 MiB.
 */
#define IMAGE_BZ_SETUP	   0x600
#define IMAGE_BZ_CODE	   0x1000
#define IMAGE_BZ_LEN	   (IMAGE_BZ_SETUP + IMAGE_BZ_CODE)
#define IMAGE_BZ_PREF	   0x1000000
#define IMAGE_BZ_INIT_SIZE 0x100000
void image_make_bz(uint8_t bz[IMAGE_BZ_LEN]);

#endif
