/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Brings a kernel, its initrd and its description of the machine into guest
 * memory and says with which registers the boot processor starts.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/core/machine.h"
#include "vmm/core/mem.h"
#include "vmm/core/vcpu.h"

enum boot_tables {
	BOOT_BOTH,	/* device tree and ACPI; the kernel takes what it knows */
	BOOT_DT,
	BOOT_ACPI,
};

struct boot_options {
	const char *kernel;	/* path: ELF vmlinux or bzImage */
	const char *initrd;	/* path or NULL */
	/* A newc cpio archive put behind the initrd's, 4-byte aligned; or NULL. */
	const void *cpio;
	size_t cpio_len;
	enum boot_tables tables;
	bool pvh;		/* prefer an ELF's PVH entry to its 64-bit one */
};

/*
 * Loads everything into mem.  desc->cmdline is the kernel's command line.
 * Returns 0 with *regs set, or an enum exit_code after an error() that names
 * the file, the reason and the fix.
 */
int boot_load(struct mem *mem, const struct machine_desc *desc,
	      const struct boot_options *opt, struct vcpu_regs *regs);

/* The device tree for desc: malloc()ed, *len bytes; NULL with errno set. */
void *fdt_build(const struct machine_desc *desc, size_t *len);

/*
 * A newc cpio archive with the files of one command for our init
 * (guest-linux-patches/init.c): /hotline/argv, NUL-separated.  malloc()ed.
 */
void *cpio_from_argv(char *const argv[], size_t *len);

/*
 * Symbol that holds `addr` in an ELF's symbol table: writes "name+0x12" to buf
 * and returns true.  Opens and reads the file on each call: not for hot paths.
 */
bool symbol_lookup(const char *elf, uint64_t addr, char *buf, size_t len);

#endif
