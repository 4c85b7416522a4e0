// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct boot_params, what it points at, and the processor state of the 64-bit
 * boot protocol (Documentation/arch/x86/boot.rst).
 */
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "vmm/boot/boot.h"
#include "vmm/boot/image.h"
#include "vmm/boot/layout.h"
#include "vmm/boot/parts.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#define E820_RAM	  1 /* ACPI 6.5, 15: address range types */
#define E820_RESERVED	  2

#define LOADER_UNDEFINED  0xff /* boot.rst: type_of_loader without an id */
#define VID_MODE_NORMAL	  0xffff
#define SEED_LEN	  32 /* bytes, what the kernel's pool takes in */

#define PAGE		  4096u
#define PTE_PRESENT_WRITE 3ull
#define PTE_LARGE	  0x80ull
#define MAPPED_GIB	  4 /* all a loader could be asked to map */

unsigned int params_memmap(const struct machine_desc *desc,
			   const struct handover *ho,
			   struct boot_e820_entry *table)
{
	struct boot_e820_entry *e = table;

	*e++ = (struct boot_e820_entry){ 0, LAYOUT_LOW_RAM_END, E820_RAM };
	if (ho->rsdp)
		*e++ = (struct boot_e820_entry){ LAYOUT_ACPI,
						 LAYOUT_ACPI_END - LAYOUT_ACPI,
						 E820_RESERVED };
	for (unsigned int i = 0; i < desc->nr_ram; i++) {
		uint64_t base = desc->ram[i].base, size = desc->ram[i].size;

		if (base < LAYOUT_KERNEL) {
			size -= LAYOUT_KERNEL - base;
			base = LAYOUT_KERNEL;
		}
		*e++ = (struct boot_e820_entry){ base, size, E820_RAM };
	}
	return (unsigned int)(e - table);
}

int params_write_cmdline(struct mem *mem, const struct kernel *k,
			 const char *cmdline)
{
	size_t len = strlen(cmdline), max = LAYOUT_CMDLINE_MAX;

	if (k->hdr.cmdline_size && k->hdr.cmdline_size < max)
		max = k->hdr.cmdline_size;
	if (len > max) {
		error("-p: the kernel command line has %zu bytes, the kernel "
		      "takes %zu; shorten it by %zu",
		      len, max, len - max);
		return EXIT_USAGE;
	}
	mem_write(mem, gpa(LAYOUT_CMDLINE), cmdline, len + 1);
	return 0;
}

/*
 * One more node at the head of the list; *at is where it goes and then where
 * the next one can go.  Returns where to write its contents, or NULL.
 */
static void *push_data(struct mem *mem, struct setup_header *hdr, uint64_t *at,
		       uint32_t type, size_t len)
{
	struct setup_data node = {
		.next = hdr->setup_data,
		.type = type,
		.len = (uint32_t)len,
	};
	uint64_t data = *at + sizeof(node);

	if (len > LAYOUT_SETUP_DATA_END - data)
		return NULL;
	mem_write(mem, gpa(*at), &node, sizeof(node));
	hdr->setup_data = *at;
	*at = (data + len + 7) & ~7ull;
	return mem_ptr(mem, gpa(data), len);
}

/* The device tree is only read from here when the kernel has CONFIG_OF. */
static int write_setup_data(struct mem *mem, struct setup_header *hdr,
			    const struct handover *ho)
{
	uint64_t at = LAYOUT_SETUP_DATA;
	uint8_t seed[SEED_LEN];
	void *p;

	/* Without it a guest can wait seconds for entropy at its start. */
	if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed)) {
		p = push_data(mem, hdr, &at, SETUP_RNG_SEED, sizeof(seed));
		memcpy(p, seed, sizeof(seed));
		explicit_bzero(seed, sizeof(seed));
	}
	if (!ho->dtb)
		return 0;
	p = push_data(mem, hdr, &at, SETUP_DTB, ho->dtb_len);
	if (!p) {
		error("the device tree has %zu bytes, too many; use fewer "
		      "vCPUs or devices",
		      ho->dtb_len);
		return EXIT_USAGE;
	}
	memcpy(p, ho->dtb, ho->dtb_len);
	return 0;
}

/* 2 MiB pages: every x86-64 processor has them. */
static void write_page_tables(struct mem *mem)
{
	uint64_t *pml4 =
		mem_ptr(mem, gpa(LAYOUT_PAGES), (2 + MAPPED_GIB) * PAGE);
	uint64_t *pdpt = pml4 + 512, *pd = pdpt + 512;
	uint64_t dir = LAYOUT_PAGES + 2 * PAGE;

	pml4[0] = (LAYOUT_PAGES + PAGE) | PTE_PRESENT_WRITE;
	for (unsigned int i = 0; i < MAPPED_GIB; i++)
		pdpt[i] = (dir + i * PAGE) | PTE_PRESENT_WRITE;
	for (uint64_t i = 0; i < MAPPED_GIB * 512; i++)
		pd[i] = i << 21 | PTE_PRESENT_WRITE | PTE_LARGE;
}

/* As vcpu_set_boot_regs() has loaded it: flat code and data, an empty TSS. */
void params_write_gdt(struct mem *mem, bool long_mode)
{
	const uint64_t gdt[] = {
		0,
		0,
		long_mode ? 0x00af9b000000ffff : 0x00cf9b000000ffff,
		0x00cf93000000ffff,
		0x00008b0000000067,
		0,
	};

	mem_write(mem, gpa(LAYOUT_GDT), gdt, sizeof(gdt));
}

int params_write(struct mem *mem, const struct machine_desc *desc,
		 const struct kernel *k, const struct handover *ho,
		 struct vcpu_regs *regs)
{
	struct boot_params *bp = mem_ptr(mem, gpa(LAYOUT_PARAMS), sizeof(*bp));
	int err;

	bp->hdr = k->hdr;
	bp->hdr.type_of_loader = LOADER_UNDEFINED;
	bp->hdr.vid_mode = VID_MODE_NORMAL;
	bp->hdr.cmd_line_ptr = LAYOUT_CMDLINE;
	bp->hdr.ramdisk_image = (uint32_t)ho->initrd;
	bp->hdr.ramdisk_size = (uint32_t)ho->initrd_len;
	bp->hdr.setup_data = 0;
	bp->acpi_rsdp_addr = ho->rsdp;
	bp->e820_entries = (uint8_t)params_memmap(desc, ho, bp->e820_table);
	err = write_setup_data(mem, &bp->hdr, ho);
	if (err)
		return err;
	write_page_tables(mem);
	params_write_gdt(mem, true);
	*regs = (struct vcpu_regs){
		.rip = k->entry,
		.rsp = LAYOUT_STACK,
		.rsi = LAYOUT_PARAMS,
		.cr3 = LAYOUT_PAGES,
		.gdt = LAYOUT_GDT,
	};
	return 0;
}
