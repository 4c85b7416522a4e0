// SPDX-License-Identifier: GPL-2.0-only
/* boot_load(): what goes into guest memory before the first instruction. */
#include "vmm/boot/boot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/boot/image.h"
#include "vmm/boot/layout.h"
#include "vmm/boot/parts.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

static int write_tables(struct mem *mem, const struct machine_desc *desc,
			enum boot_tables tables, struct handover *ho)
{
	size_t cap = LAYOUT_ACPI_END - LAYOUT_ACPI;

	if (tables != BOOT_DT) {
		if (!acpi_build(desc, LAYOUT_ACPI,
				mem_ptr(mem, gpa(LAYOUT_ACPI), cap), cap)) {
			error("the ACPI tables do not fit; use fewer vCPUs or "
			      "devices");
			return EXIT_INTERNAL;
		}
		ho->rsdp = LAYOUT_ACPI;
	}
	if (tables != BOOT_ACPI) {
		ho->dtb = fdt_build(desc, &ho->dtb_len);
		if (!ho->dtb) {
			error("making the device tree failed: %s",
			      strerror(errno));
			return EXIT_INTERNAL;
		}
	}
	return 0;
}

int boot_choose_tables(const char *kernel, enum boot_tables asked,
		       enum boot_tables *tables)
{
	struct image img;
	bool acpi = false;
	int err;

	*tables = asked;
	if (asked != BOOT_AUTO)
		return 0;
	err = image_open(&img, "-k", kernel);
	if (err)
		return err;
	if (elf_probe(&img))
		err = elf_knows_acpi(&img, &acpi);
	else if (bzimage_probe(&img))
		err = bzimage_knows_acpi(&img, &acpi);
	else
		err = image_foreign(&img);
	image_close(&img);
	*tables = acpi ? BOOT_ACPI : BOOT_DT;
	return err;
}

int boot_load(struct mem *mem, const struct machine_desc *desc,
	      const struct boot_options *opt, struct vcpu_regs *regs)
{
	struct handover ho = {};
	struct kernel k;
	int err;

	if (mem->region[0].size < 2 * LAYOUT_KERNEL) {
		error("-m: %" PRIu64 " bytes of memory cannot hold a kernel; "
		      "give at least 16 MiB",
		      mem->size);
		return EXIT_USAGE;
	}
	if (opt->pvh && opt->tables == BOOT_DT) {
		error("--pvh: this entry has no place for a device tree; use "
		      "a kernel with ACPI or leave out --pvh");
		return EXIT_USAGE;
	}
	err = kernel_load(mem, opt, &k);
	if (!err)
		err = params_write_cmdline(mem, &k, desc->cmdline);
	if (!err)
		err = initrd_load(mem, opt, &k, &ho);
	if (!err)
		err = write_tables(mem, desc, k.pvh ? BOOT_ACPI : opt->tables,
				   &ho);
	if (!err)
		err = k.pvh ? pvh_write(mem, desc, &k, &ho, regs)
			    : params_write(mem, desc, &k, &ho, regs);
	free((void *)ho.dtb);
	return err;
}
