/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the boot data, written in this order by boot_load().  Those
 * that return int give 0 or an enum exit_code after an error().
 */
#ifndef BOOT_PARTS_H
#define BOOT_PARTS_H

#include <asm/bootparam.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/core/mem.h"

struct boot_options;
struct kernel;
struct machine_desc;
struct vcpu_regs;

/* What the kernel is handed, as guest-physical addresses; 0 = none. */
struct handover {
	uint64_t initrd, initrd_len;
	uint64_t rsdp;
	const void *dtb;
	size_t dtb_len;
};

/* initrd.c */
int initrd_load(struct mem *mem, const struct boot_options *opt,
		const struct kernel *k, struct handover *ho);

/*
 * acpi.c: all tables for desc, to be put at guest address base.  Returns their
 * length (the RSDP comes first), or 0 if cap bytes are too few or an address
 * of desc cannot be said in ACPI.
 */
size_t acpi_build(const struct machine_desc *desc, uint64_t base, void *buf,
		  size_t cap);

/* params.c: fills table, returns the number of entries, 5 at most. */
unsigned int params_memmap(const struct machine_desc *desc,
			   const struct handover *ho,
			   struct boot_e820_entry *table);
int params_write_cmdline(struct mem *mem, const struct kernel *k,
			 const char *cmdline);
void params_write_gdt(struct mem *mem, bool long_mode);
int params_write(struct mem *mem, const struct machine_desc *desc,
		 const struct kernel *k, const struct handover *ho,
		 struct vcpu_regs *regs);

/* pvh.c */
int pvh_write(struct mem *mem, const struct machine_desc *desc,
	      const struct kernel *k, const struct handover *ho,
	      struct vcpu_regs *regs);

#endif
