/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where boot data lies in guest memory: all of it below 1 MiB, so that one
 * huge page holds it.  Page 0 is left alone (the BIOS data area of old).
 */
#ifndef BOOT_LAYOUT_H
#define BOOT_LAYOUT_H

#define LAYOUT_GDT	      0x1000
#define LAYOUT_PVH	      0x2000 /* hvm_start_info, memory map, modules */
#define LAYOUT_PARAMS	      0x7000 /* struct boot_params, one page */
#define LAYOUT_STACK	      0x9000 /* grows down, one page */
#define LAYOUT_PAGES	      0x9000 /* 6 page tables */
#define LAYOUT_CMDLINE	      0x10000
#define LAYOUT_SETUP_DATA     0x11000 /* random seed, device tree */
#define LAYOUT_SETUP_DATA_END 0x90000
#define LAYOUT_LOW_RAM_END    0x9f000 /* where a PC's EBDA could begin */
#define LAYOUT_ACPI	      0xe0000 /* in the area searched for an RSDP */
#define LAYOUT_ACPI_END	      0x100000
#define LAYOUT_KERNEL	      0x100000 /* first byte a kernel may use */

/* Linux' COMMAND_LINE_SIZE on x86 is 2048 with the NUL. */
#define LAYOUT_CMDLINE_MAX 2047

/* Most that every 64-bit kernel finds its initrd below (boot.rst). */
#define LAYOUT_INITRD_MAX 0x7fffffff

#endif
