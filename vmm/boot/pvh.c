// SPDX-License-Identifier: GPL-2.0-only
/*
 * The x86/HVM direct boot ABI ("PVH"): struct hvm_start_info, what it points
 * at, and the processor state.  Layouts as in Xen's public interface,
 * arch-x86/hvm/start_info.h.  It has no place for a device tree or a seed.
 */
#include <stddef.h>

#include "vmm/boot/image.h"
#include "vmm/boot/layout.h"
#include "vmm/boot/parts.h"
#include "vmm/core/vcpu.h"

#define PVH_MAGIC      0x336ec578
#define PVH_MEMMAP_MAX 8

struct pvh_info {
	uint32_t magic;
	uint32_t version; /* 1: has the memory map */
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t memmap;
	uint32_t memmap_entries;
	uint32_t zero;
};

struct pvh_module {
	uint64_t addr, size, cmdline, zero;
};

struct pvh_range {
	uint64_t addr, size;
	uint32_t type; /* as in an E820 table */
	uint32_t zero;
};

struct pvh_page {
	struct pvh_info info;
	struct pvh_module initrd;
	struct pvh_range memmap[PVH_MEMMAP_MAX];
};

int pvh_write(struct mem *mem, const struct machine_desc *desc,
	      const struct kernel *k, const struct handover *ho,
	      struct vcpu_regs *regs)
{
	struct boot_e820_entry map[PVH_MEMMAP_MAX];
	struct pvh_page page = {
		.info = {
			.magic = PVH_MAGIC, .version = 1,
			.nr_modules = ho->initrd_len ? 1 : 0,
			.modlist = LAYOUT_PVH +
				   offsetof(struct pvh_page, initrd),
			.cmdline = LAYOUT_CMDLINE,
			.rsdp = ho->rsdp,
			.memmap = LAYOUT_PVH +
				  offsetof(struct pvh_page, memmap),
			.memmap_entries = params_memmap(desc, ho, map),
		},
		.initrd = { .addr = ho->initrd, .size = ho->initrd_len },
	};

	for (unsigned int i = 0; i < page.info.memmap_entries; i++)
		page.memmap[i] = (struct pvh_range){ .addr = map[i].addr,
						     .size = map[i].size,
						     .type = map[i].type };
	mem_write(mem, gpa(LAYOUT_PVH), &page, sizeof(page));
	params_write_gdt(mem, false);
	*regs = (struct vcpu_regs){
		.rip = k->entry,
		.rsp = LAYOUT_STACK,
		.rbx = LAYOUT_PVH,
		.gdt = LAYOUT_GDT,
	};
	return 0;
}
