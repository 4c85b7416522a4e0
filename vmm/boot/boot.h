/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Brings a kernel, its initrd and its description of the machine into guest
 * memory and says with which registers the boot processor starts.  Runs on
 * the main thread before any vCPU; files are not trusted.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/core/machine.h"
#include "vmm/core/mem.h"
#include "vmm/core/vcpu.h"

/* Which description of the machine the kernel gets. */
enum boot_tables {
	BOOT_AUTO, /* see boot_choose_tables() */
	BOOT_DT,
	BOOT_ACPI,
};

/*
 * Makes BOOT_ACPI or BOOT_DT out of BOOT_AUTO: ACPI for a kernel that is built
 * with it, else the tree.  Both would be wrong for a kernel that knows both: it
 * finds each device twice and gets the half that has no interrupts.  0 or an
 * enum exit_code after an error().
 */
int boot_choose_tables(const char *kernel, enum boot_tables asked,
		       enum boot_tables *tables);

struct boot_options {
	const char *kernel; /* path: ELF vmlinux or bzImage */
	const char *initrd; /* path or NULL */
	/* A newc cpio archive put behind the initrd's, 4-byte aligned; or NULL. */
	const void *cpio;
	size_t cpio_len;
	enum boot_tables tables; /* BOOT_AUTO here: both */
	bool pvh; /* prefer an ELF's PVH entry to its 64-bit one */
};

/*
 * Loads everything into mem, which must be fresh (all zero).  desc->cmdline is
 * the kernel's command line.  Returns 0 with *regs set, or an enum exit_code
 * after an error() that names the option or file, the reason and the fix.
 */
int boot_load(struct mem *mem, const struct machine_desc *desc,
	      const struct boot_options *opt, struct vcpu_regs *regs);

/* The device tree for desc: malloc()ed, *len bytes; NULL with errno set. */
void *fdt_build(const struct machine_desc *desc, size_t *len);

/*
 * A newc cpio archive with the files of one command for our init
 * (guest-linux-patches/init.c): /hotline/argv, NUL-separated.  malloc()ed;
 * NULL with errno set.
 */
void *cpio_from_argv(char *const argv[], size_t *len);

struct cmdline_options {
	const char *console; /* "hvc0", "ttyS0", ...; NULL = none */
	unsigned int cpus;
	enum boot_tables tables; /* as boot_choose_tables() chose */
	const char *root;	 /* root device, "/dev/vda"; NULL = not said */
	bool tty;		 /* our init's command is to get a terminal */
	bool root_ro;		 /* the kernel mounts it read-only at first */
	const char *user;	 /* what the user wants in addition; or NULL */
};

/*
 * The kernel's command line: our defaults, then the user's string, so that the
 * user's word is the last one.  malloc()ed; NULL without memory.
 */
char *cmdline_build(const struct cmdline_options *opt);

/*
 * Symbol that holds `addr` in an ELF's symbol table: writes "name+0x12" to buf
 * and returns true.  Opens and reads the file on each call: not for hot paths.
 */
bool symbol_lookup(const char *elf, uint64_t addr, char *buf, size_t len);

#endif
