// SPDX-License-Identifier: GPL-2.0-only
/* What a kernel is handed: parameters, memory map, initrd, registers. */
#include <asm/bootparam.h>
#include <check.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "lib_boot.h"
#include "lib_image.h"
#include "lib_load.h"
#include "tests/unit/lib_run.h"
#include "vmm/boot/layout.h"
#include "vmm/core/exitcode.h"

#define MIB (1ull << 20)

/* What the processor sees at addr through fx.regs.cr3. */
static uint64_t walk(uint64_t addr)
{
	uint64_t table = fx.regs.cr3, e;

	for (int shift = 39; shift > 21; shift -= 9) {
		e = boot_get(fx_ram(table + (addr >> shift & 511) * 8, 8), 8);
		ck_assert_uint_eq(e & 0x83, 3);
		table = e & ~0xfffull;
	}
	e = boot_get(fx_ram(table + (addr >> 21 & 511) * 8, 8), 8);
	ck_assert_uint_eq(e & 0x83, 0x83);
	return (e & ~0x1fffffull) + (addr & 0x1fffff);
}

static const struct setup_data *setup_data(uint64_t at)
{
	const struct setup_data *d = (const void *)fx_ram(at, sizeof(*d));

	fx_ram(at, sizeof(*d) + d->len);
	return d;
}

START_TEST(boot_params_are_complete)
{
	const struct boot_params *bp;
	const struct setup_data *d;

	fx.opt.kernel = fx_elf();
	fx.opt.initrd = boot_file(1, "initrd", 6);
	fx_load();
	bp = (const void *)fx_ram(fx.regs.rsi, sizeof(*bp));
	ck_assert_uint_eq(bp->hdr.boot_flag, 0xaa55);
	ck_assert_uint_eq(bp->hdr.header, 0x53726448);
	ck_assert_uint_eq(bp->hdr.type_of_loader, 0xff);
	ck_assert_uint_eq(bp->hdr.loadflags, LOADED_HIGH);
	ck_assert_str_eq((const char *)fx_ram(bp->hdr.cmd_line_ptr, 2048),
			 fx.desc.cmdline);
	ck_assert_mem_eq(fx_ram(bp->hdr.ramdisk_image, 6), "initrd", 6);
	ck_assert_uint_eq(bp->hdr.ramdisk_size, 6);
	ck_assert_mem_eq(fx_ram(bp->acpi_rsdp_addr, 8), "RSD PTR ", 8);
	ck_assert_uint_eq(bp->acpi_rsdp_addr & 15, 0);
	d = setup_data(bp->hdr.setup_data);
	ck_assert_uint_eq(d->type, SETUP_DTB);
	ck_assert_int_eq(fdt_check_full(d->data, d->len), 0);
	ck_assert_uint_eq((uintptr_t)d->data & 7, 0);
	d = setup_data(d->next);
	ck_assert_uint_eq(d->type, SETUP_RNG_SEED);
	ck_assert_uint_eq(d->len, 32);
	ck_assert(!fx_all(d->data, 0, 32));
	ck_assert_uint_eq(d->next, 0);
}
END_TEST

START_TEST(processor_state_is_sane)
{
	fx.opt.kernel = fx_elf();
	fx_load();
	ck_assert_uint_eq(walk(0), 0);
	ck_assert_uint_eq(walk(fx.regs.rip), fx.regs.rip);
	ck_assert_uint_eq(walk(fx.regs.rsi), fx.regs.rsi);
	ck_assert_uint_eq(walk(0xfee00030), 0xfee00030);
	ck_assert_uint_eq(boot_get(fx_ram(fx.regs.gdt + 0x10, 8), 8) >> 40 &
				  0x60fb,
			  0x209b); /* code, present, long */
}
END_TEST

static void check_memmap(const struct boot_params *bp, unsigned int entries)
{
	uint64_t end = 0;

	ck_assert_uint_eq(bp->e820_entries, entries);
	for (unsigned int i = 0; i < entries; i++) {
		const struct boot_e820_entry *e = &bp->e820_table[i];

		ck_assert_uint_ge(e->addr, end);
		ck_assert_uint_gt(e->size, 0);
		end = e->addr + e->size;
	}
}

START_TEST(memory_map_with_a_hole)
{
	const struct boot_params *bp;

	fx.opt.kernel = fx_elf();
	fx.desc.ram[0].size = 0xc0000000;
	fx.desc.ram[1] = (struct machine_range){ 1ull << 32, 512 * MIB };
	fx.desc.nr_ram = 2;
	fx_load();
	bp = (const void *)fx_ram(fx.regs.rsi, sizeof(*bp));
	check_memmap(bp, 4);
	ck_assert_uint_eq(bp->e820_table[0].size, 0x9f000);
	ck_assert_uint_eq(bp->e820_table[1].addr, 0xe0000);
	ck_assert_uint_eq(bp->e820_table[1].type, 2);
	ck_assert_uint_eq(bp->e820_table[2].addr, MIB);
	ck_assert_uint_eq(bp->e820_table[2].size, 0xc0000000 - MIB);
	ck_assert_uint_eq(bp->e820_table[3].addr, 1ull << 32);
	ck_assert_uint_eq(bp->e820_table[3].size, 512 * MIB);
}
END_TEST

START_TEST(tables_as_asked)
{
	const struct boot_params *bp;

	fx.opt.kernel = fx_elf();
	fx.opt.tables = BOOT_DT;
	fx_load();
	bp = (const void *)fx_ram(fx.regs.rsi, sizeof(*bp));
	ck_assert_uint_eq(bp->acpi_rsdp_addr, 0);
	ck_assert(fx_all(fx_ram(LAYOUT_ACPI, 0x20000), 0, 0x20000));
	check_memmap(bp, 2);

	fx.opt.tables = BOOT_ACPI;
	fx_load();
	ck_assert_uint_ne(bp->acpi_rsdp_addr, 0);
	ck_assert_uint_eq(setup_data(bp->hdr.setup_data)->type, SETUP_RNG_SEED);
}
END_TEST

static void check_pvh(uint64_t initrd_len)
{
	const uint8_t *info = fx_ram(fx.regs.rbx, 56);
	const uint8_t *map;

	ck_assert_uint_eq(fx.regs.rip, IMAGE_ELF_PVH);
	ck_assert_uint_eq(fx.regs.cr3, 0);
	ck_assert_uint_eq(boot_get(info, 4), 0x336ec578);
	ck_assert_uint_eq(boot_get(info + 4, 4), 1);
	ck_assert_uint_eq(boot_get(info + 12, 4), 1);
	ck_assert_uint_eq(boot_get(fx_ram(boot_get(info + 16, 8), 32) + 8, 8),
			  initrd_len);
	ck_assert_str_eq((const char *)fx_ram(boot_get(info + 24, 8), 2048),
			 fx.desc.cmdline);
	ck_assert_mem_eq(fx_ram(boot_get(info + 32, 8), 8), "RSD PTR ", 8);
	ck_assert_uint_eq(boot_get(info + 48, 4), 3);
	map = fx_ram(boot_get(info + 40, 8), 3 * 24);
	ck_assert_uint_eq(boot_get(map + 8, 8), 0x9f000);
	ck_assert_uint_eq(boot_get(map + 2 * 24, 8), MIB);
	ck_assert_uint_eq(boot_get(map + 2 * 24 + 16, 4), 1);
}

START_TEST(pvh_when_asked)
{
	fx.opt.kernel = fx_elf();
	fx.opt.initrd = boot_file(1, "initrd", 6);
	fx.opt.pvh = true;
	fx_load();
	check_pvh(6);
	fx.opt.tables = BOOT_DT;
	fx_refused(EXIT_USAGE, "--pvh");
}
END_TEST

START_TEST(pvh_for_32_bit_files)
{
	uint8_t elf[IMAGE_ELF32_LEN];

	image_make_elf32(elf);
	fx.opt.kernel = boot_file(0, elf, sizeof(elf));
	fx.opt.initrd = boot_file(1, "initrd", 6);
	fx_load();
	check_pvh(6);
	elf[0x100 + 20 + 8] = 17; /* the note's type */
	fx.opt.kernel = boot_file(0, elf, sizeof(elf));
	fx_refused(EXIT_DATA, "without a PVH entry note");
}
END_TEST

START_TEST(command_line_too_long)
{
	char *line = malloc(2049);

	memset(line, 'x', 2048);
	line[2047] = '\0';
	fx.desc.cmdline = line;
	fx.opt.kernel = fx_elf();
	fx_load();
	line[2047] = 'x';
	line[2048] = '\0';
	fx_refused(EXIT_USAGE, "-p: the kernel command line has 2048 bytes");
	free(line);
}
END_TEST

START_TEST(initrd_and_archive)
{
	static const char file[] = "0123456789";
	const struct boot_params *bp;
	const uint8_t *p;
	size_t gap = -(size_t)_i & 3;

	fx.opt.kernel = fx_bz();
	fx.opt.initrd = _i ? boot_file(1, file, (size_t)_i) : NULL;
	fx.opt.cpio = "archive";
	fx.opt.cpio_len = 7;
	fx_load();
	bp = (const void *)fx_ram(fx.regs.rsi, sizeof(*bp));
	ck_assert_uint_eq(bp->hdr.ramdisk_size, (size_t)_i + gap + 7);
	ck_assert_uint_eq(bp->hdr.ramdisk_image & 4095, 0);
	p = fx_ram(bp->hdr.ramdisk_image, bp->hdr.ramdisk_size);
	ck_assert_mem_eq(p, file, (size_t)_i);
	ck_assert(fx_all(p + _i, 0, gap));
	ck_assert_mem_eq(p + (size_t)_i + gap, "archive", 7);
}
END_TEST

START_TEST(initrd_too_big)
{
	size_t len = 48 * MIB;
	uint8_t *big = calloc(1, len);

	fx.opt.kernel = fx_bz(); /* ends at 17 MiB of 64 */
	fx.opt.initrd = boot_file(1, big, 47 * MIB);
	fx_load();
	fx.opt.initrd = boot_file(1, big, len);
	fx_refused(EXIT_USAGE, "give at least 66");
	fx.opt.initrd = NULL;
	fx.opt.cpio = big;
	fx.opt.cpio_len = len;
	fx_refused(EXIT_USAGE, "-m");
	free(big);
}
END_TEST

START_TEST(no_memory_at_all)
{
	fx_teardown();
	fx_setup_mib(1);
	fx.opt.kernel = fx_elf();
	fx_refused(EXIT_USAGE, "-m");
}
END_TEST

#define ROWS(t) (int)(sizeof(t) / sizeof(t[0]))

int main(void)
{
	Suite *s = suite_create("boot_load");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, fx_setup, fx_teardown);
	tcase_add_test(tc, boot_params_are_complete);
	tcase_add_test(tc, processor_state_is_sane);
	tcase_add_test(tc, memory_map_with_a_hole);
	tcase_add_test(tc, tables_as_asked);
	tcase_add_test(tc, pvh_when_asked);
	tcase_add_test(tc, pvh_for_32_bit_files);
	tcase_add_test(tc, command_line_too_long);
	tcase_add_loop_test(tc, initrd_and_archive, 0, 9);
	tcase_add_test(tc, initrd_too_big);
	tcase_add_test(tc, no_memory_at_all);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
