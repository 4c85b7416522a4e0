// SPDX-License-Identifier: GPL-2.0-only
/* Images of kernels into guest memory, and what the kernel is handed. */
#include <asm/bootparam.h>
#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib_boot.h"
#include "lib_image.h"
#include "vmm/boot/boot.h"
#include "vmm/boot/layout.h"
#include "vmm/core/exitcode.h"

#define MIB (1ull << 20)

static struct mem mem;
static struct machine_desc desc;
static struct boot_options opt;
static struct vcpu_regs regs;

static void setup_mib(unsigned int mib)
{
	struct mem_options mo = { .size = mib * MIB, .backing = MEM_ANON };

	ck_assert_int_eq(mem_init(&mem, &mo), 0);
	boot_desc(&desc, 2, mib);
	opt = (struct boot_options){ .tables = BOOT_BOTH };
}

static void setup(void)
{
	setup_mib(64);
}

static void teardown(void)
{
	mem_exit(&mem);
}

static const uint8_t *ram(uint64_t addr, size_t len)
{
	const uint8_t *p = mem_ptr(&mem, gpa(addr), len);

	ck_assert_ptr_nonnull(p);
	return p;
}

static bool all(const uint8_t *p, uint8_t c, size_t len)
{
	while (len--)
		if (*p++ != c)
			return false;
	return true;
}

/* Fails with this code and a message that holds these words. */
static void refused(int code, const char *words)
{
	const char *text;
	int err;

	boot_capture_begin();
	err = boot_load(&mem, &desc, &opt, &regs);
	text = boot_capture_end();
	ck_assert_msg(strstr(text, words), "\"%s\" not in: %s", words, text);
	ck_assert_int_eq(err, code);
}

static void loaded(void)
{
	ck_assert_int_eq(boot_load(&mem, &desc, &opt, &regs), 0);
}

static const char *elf_file(void)
{
	uint8_t elf[IMAGE_ELF_LEN];

	image_make_elf(elf);
	return boot_file(0, elf, sizeof(elf));
}

static const char *bz_file(void)
{
	uint8_t bz[IMAGE_BZ_LEN];

	image_make_bz(bz);
	return boot_file(0, bz, sizeof(bz));
}

START_TEST(elf_is_loaded_where_it_says)
{
	opt.kernel = elf_file();
	loaded();
	ck_assert_uint_eq(regs.rip, IMAGE_ELF_ENTRY);
	ck_assert(all(ram(IMAGE_ELF_TEXT, 0x100), 0xaa, 0x100));
	ck_assert(all(ram(IMAGE_ELF_DATA, 0x80), 0xbb, 0x80));
	ck_assert(all(ram(IMAGE_ELF_DATA + 0x80, 0x1f80), 0, 0x1f80));
}
END_TEST

START_TEST(elf_entry_may_be_virtual)
{
	uint8_t elf[IMAGE_ELF_LEN];

	image_make_elf(elf);
	boot_put(elf + 24, IMAGE_ELF_VIRT + IMAGE_ELF_ENTRY, 8);
	opt.kernel = boot_file(0, elf, sizeof(elf));
	loaded();
	ck_assert_uint_eq(regs.rip, IMAGE_ELF_ENTRY);
}
END_TEST

/* What the processor sees at addr through regs.cr3. */
static uint64_t walk(uint64_t addr)
{
	uint64_t table = regs.cr3, e;

	for (int shift = 39; shift > 21; shift -= 9) {
		e = boot_get(ram(table + (addr >> shift & 511) * 8, 8), 8);
		ck_assert_uint_eq(e & 0x83, 3);
		table = e & ~0xfffull;
	}
	e = boot_get(ram(table + (addr >> 21 & 511) * 8, 8), 8);
	ck_assert_uint_eq(e & 0x83, 0x83);
	return (e & ~0x1fffffull) + (addr & 0x1fffff);
}

static const struct setup_data *setup_data(uint64_t at)
{
	const struct setup_data *d = (const void *)ram(at, sizeof(*d));

	ram(at, sizeof(*d) + d->len);
	return d;
}

START_TEST(boot_params_are_complete)
{
	const struct boot_params *bp;
	const struct setup_data *d;

	opt.kernel = elf_file();
	opt.initrd = boot_file(1, "initrd", 6);
	loaded();
	bp = (const void *)ram(regs.rsi, sizeof(*bp));
	ck_assert_uint_eq(bp->hdr.boot_flag, 0xaa55);
	ck_assert_uint_eq(bp->hdr.header, 0x53726448);
	ck_assert_uint_eq(bp->hdr.type_of_loader, 0xff);
	ck_assert_uint_eq(bp->hdr.loadflags, LOADED_HIGH);
	ck_assert_str_eq((const char *)ram(bp->hdr.cmd_line_ptr, 2048),
			 desc.cmdline);
	ck_assert_mem_eq(ram(bp->hdr.ramdisk_image, 6), "initrd", 6);
	ck_assert_uint_eq(bp->hdr.ramdisk_size, 6);
	ck_assert_mem_eq(ram(bp->acpi_rsdp_addr, 8), "RSD PTR ", 8);
	ck_assert_uint_eq(bp->acpi_rsdp_addr & 15, 0);
	d = setup_data(bp->hdr.setup_data);
	ck_assert_uint_eq(d->type, SETUP_DTB);
	ck_assert_int_eq(fdt_check_full(d->data, d->len), 0);
	ck_assert_uint_eq((uintptr_t)d->data & 7, 0);
	d = setup_data(d->next);
	ck_assert_uint_eq(d->type, SETUP_RNG_SEED);
	ck_assert_uint_eq(d->len, 32);
	ck_assert(!all(d->data, 0, 32));
	ck_assert_uint_eq(d->next, 0);
}
END_TEST

START_TEST(processor_state_is_sane)
{
	opt.kernel = elf_file();
	loaded();
	ck_assert_uint_eq(walk(0), 0);
	ck_assert_uint_eq(walk(regs.rip), regs.rip);
	ck_assert_uint_eq(walk(regs.rsi), regs.rsi);
	ck_assert_uint_eq(walk(0xfee00030), 0xfee00030);
	ck_assert_uint_eq(boot_get(ram(regs.gdt + 0x10, 8), 8) >> 40 & 0x60fb,
			  0x209b);	/* code, present, long */
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

	opt.kernel = elf_file();
	desc.ram[0].size = 0xc0000000;
	desc.ram[1] = (struct machine_range){ 1ull << 32, 512 * MIB };
	desc.nr_ram = 2;
	loaded();
	bp = (const void *)ram(regs.rsi, sizeof(*bp));
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

	opt.kernel = elf_file();
	opt.tables = BOOT_DT;
	loaded();
	bp = (const void *)ram(regs.rsi, sizeof(*bp));
	ck_assert_uint_eq(bp->acpi_rsdp_addr, 0);
	ck_assert(all(ram(LAYOUT_ACPI, 0x20000), 0, 0x20000));
	check_memmap(bp, 2);

	opt.tables = BOOT_ACPI;
	loaded();
	ck_assert_uint_ne(bp->acpi_rsdp_addr, 0);
	ck_assert_uint_eq(setup_data(bp->hdr.setup_data)->type,
			  SETUP_RNG_SEED);
}
END_TEST

static void check_pvh(uint64_t initrd_len)
{
	const uint8_t *info = ram(regs.rbx, 56);
	const uint8_t *map;

	ck_assert_uint_eq(regs.rip, IMAGE_ELF_PVH);
	ck_assert_uint_eq(regs.cr3, 0);
	ck_assert_uint_eq(boot_get(info, 4), 0x336ec578);
	ck_assert_uint_eq(boot_get(info + 4, 4), 1);
	ck_assert_uint_eq(boot_get(info + 12, 4), 1);
	ck_assert_uint_eq(boot_get(ram(boot_get(info + 16, 8), 32) + 8, 8),
			  initrd_len);
	ck_assert_str_eq((const char *)ram(boot_get(info + 24, 8), 2048),
			 desc.cmdline);
	ck_assert_mem_eq(ram(boot_get(info + 32, 8), 8), "RSD PTR ", 8);
	ck_assert_uint_eq(boot_get(info + 48, 4), 3);
	map = ram(boot_get(info + 40, 8), 3 * 24);
	ck_assert_uint_eq(boot_get(map + 8, 8), 0x9f000);
	ck_assert_uint_eq(boot_get(map + 2 * 24, 8), MIB);
	ck_assert_uint_eq(boot_get(map + 2 * 24 + 16, 4), 1);
}

START_TEST(pvh_when_asked)
{
	opt.kernel = elf_file();
	opt.initrd = boot_file(1, "initrd", 6);
	opt.pvh = true;
	loaded();
	check_pvh(6);
	opt.tables = BOOT_DT;
	refused(EXIT_USAGE, "--pvh");
}
END_TEST

START_TEST(pvh_for_32_bit_files)
{
	uint8_t elf[IMAGE_ELF32_LEN];

	image_make_elf32(elf);
	opt.kernel = boot_file(0, elf, sizeof(elf));
	opt.initrd = boot_file(1, "initrd", 6);
	loaded();
	check_pvh(6);
	elf[0x100 + 20 + 8] = 17;	/* the note's type */
	opt.kernel = boot_file(0, elf, sizeof(elf));
	refused(EXIT_DATA, "without a PVH entry note");
}
END_TEST

/* Each row changes one field of a good ELF file. */
static const struct {
	unsigned int off, len;
	uint64_t val;
	int code;
	const char *words;
} elf_rows[] = {
	{ 4, 1, 3, EXIT_DATA, "no known class" },
	{ 5, 1, 2, EXIT_DATA, "big-endian" },
	{ 16, 2, 1, EXIT_DATA, "kernel module" },
	{ 16, 2, 3, EXIT_DATA, "shared library" },
	{ 16, 2, 4, EXIT_DATA, "core dump" },
	{ 18, 2, 183, EXIT_DATA, "arm64" },
	{ 18, 2, 243, EXIT_DATA, "RISC-V" },
	{ 18, 2, 2, EXIT_DATA, "another machine" },
	{ 24, 8, 0x123, EXIT_DATA, "entry lies in no segment" },
	{ 32, 8, 1ull << 40, EXIT_DATA, "truncated" },
	{ 32, 8, ~0ull, EXIT_DATA, "truncated" },
	{ 54, 2, 55, EXIT_DATA, "wrong size" },
	{ 56, 2, 0, EXIT_DATA, "no or too many" },
	{ 56, 2, 65, EXIT_DATA, "no or too many" },
	{ 56, 2, 0xffff, EXIT_DATA, "no or too many" },
	{ IMAGE_ELF_PHDR(0), 4, 3, EXIT_DATA, "ELF program" },
	{ IMAGE_ELF_PHDR(0) + 8, 8, 0x381, EXIT_DATA, "truncated" },
	{ IMAGE_ELF_PHDR(0) + 8, 8, ~0ull, EXIT_DATA, "truncated" },
	{ IMAGE_ELF_PHDR(0) + 24, 8, 0xff000, EXIT_DATA, "below 1 MiB" },
	{ IMAGE_ELF_PHDR(0) + 24, 8, 0, EXIT_DATA, "below 1 MiB" },
	{ IMAGE_ELF_PHDR(0) + 24, 8, 64 * MIB - 1, EXIT_USAGE, "-m" },
	{ IMAGE_ELF_PHDR(0) + 24, 8, 1ull << 32, EXIT_DATA, "below 3 GiB" },
	{ IMAGE_ELF_PHDR(0) + 24, 8, -16ull, EXIT_DATA, "below 3 GiB" },
	{ IMAGE_ELF_PHDR(0) + 32, 8, 0x101, EXIT_DATA, "longer in the file" },
	{ IMAGE_ELF_PHDR(1) + 40, 8, ~0ull, EXIT_DATA, "below 3 GiB" },
	{ IMAGE_ELF_PHDR(1) + 40, 8, 100 * MIB, EXIT_USAGE, "118 MiB" },
};

START_TEST(elf_errors)
{
	uint8_t elf[IMAGE_ELF_LEN];

	image_make_elf(elf);
	boot_put(elf + elf_rows[_i].off, elf_rows[_i].val, elf_rows[_i].len);
	opt.kernel = boot_file(0, elf, sizeof(elf));
	refused(elf_rows[_i].code, elf_rows[_i].words);
}
END_TEST

START_TEST(bzimage_is_loaded_where_it_prefers)
{
	const struct boot_params *bp;

	opt.kernel = bz_file();
	loaded();
	ck_assert_uint_eq(regs.rip, IMAGE_BZ_PREF + 0x200);
	ck_assert(all(ram(IMAGE_BZ_PREF, IMAGE_BZ_CODE), 0xcc, IMAGE_BZ_CODE));
	bp = (const void *)ram(regs.rsi, sizeof(*bp));
	ck_assert_uint_eq(bp->sentinel, 0);
	ck_assert_uint_eq(bp->hdr.version, 0x20f);
	ck_assert_uint_eq(bp->hdr.type_of_loader, 0xff);
	ck_assert_uint_eq(bp->hdr.init_size, IMAGE_BZ_INIT_SIZE);
	ck_assert_uint_eq(bp->hdr.code32_start, IMAGE_BZ_PREF);
}
END_TEST

START_TEST(bzimage_moves_if_it_must_and_can)
{
	uint8_t bz[IMAGE_BZ_LEN];

	image_make_bz(bz);
	boot_put(bz + 0x258, 64 * MIB - 0x80000, 8);
	opt.kernel = boot_file(0, bz, sizeof(bz));
	loaded();
	ck_assert_uint_eq(regs.rip, 2 * MIB + 0x200);
	bz[0x234] = 0;
	opt.kernel = boot_file(0, bz, sizeof(bz));
	refused(EXIT_USAGE, "65 MiB");
}
END_TEST

static const struct {
	unsigned int off, len;
	uint64_t val;
	int code;
	const char *words;
} bz_rows[] = {
	{ 0x206, 2, 0x20b, EXIT_DATA, "older than 2.12" },
	{ 0x211, 1, 0, EXIT_DATA, "zImage" },
	{ 0x236, 2, 0, EXIT_DATA, "32-bit" },
	{ 0x230, 4, 0x300000, EXIT_DATA, "power of two" },
	{ 0x230, 4, 0, EXIT_DATA, "power of two" },
	{ 0x1f4, 4, 0x20, EXIT_DATA, "without protected-mode code" },
	{ 0x1f4, 4, IMAGE_BZ_CODE / 16 + 1, EXIT_DATA, "truncated" },
	{ 0x1f4, 4, 0xffffffff, EXIT_DATA, "below 3 GiB" },
	{ 0x1f1, 1, 3, EXIT_DATA, "truncated" },
	{ 0x260, 4, 100 * MIB, EXIT_USAGE, "102 MiB" },
	{ 0x260, 4, 0xffffffff, EXIT_DATA, "below 3 GiB" },
};

START_TEST(bzimage_errors)
{
	uint8_t bz[IMAGE_BZ_LEN];

	image_make_bz(bz);
	boot_put(bz + bz_rows[_i].off, bz_rows[_i].val, bz_rows[_i].len);
	opt.kernel = boot_file(0, bz, sizeof(bz));
	refused(bz_rows[_i].code, bz_rows[_i].words);
}
END_TEST

START_TEST(bzimage_has_no_pvh)
{
	opt.kernel = bz_file();
	opt.pvh = true;
	refused(EXIT_USAGE, "--pvh");
}
END_TEST

static enum boot_tables chosen(const char *kernel, enum boot_tables asked)
{
	enum boot_tables tables;

	ck_assert_int_eq(boot_choose_tables(kernel, asked, &tables), 0);
	return tables;
}

START_TEST(tables_that_the_kernel_knows)
{
	uint8_t bz[IMAGE_BZ_LEN];
	enum boot_tables tables;

	ck_assert_int_eq(chosen("/nowhere", BOOT_ACPI), BOOT_ACPI);
	ck_assert_int_eq(chosen(elf_file(), BOOT_AUTO), BOOT_ACPI);
	ck_assert_int_eq(chosen(bz_file(), BOOT_AUTO), BOOT_DT);
	image_make_bz(bz);
	memcpy(bz + IMAGE_BZ_LEN - 8, "RSD PTR ", 8);
	boot_put(bz + 0x248, 0x300, 4);		/* payload offset, length */
	boot_put(bz + 0x24c, 0x400, 4);
	ck_assert_int_eq(chosen(boot_file(0, bz, sizeof(bz)), BOOT_AUTO),
			 BOOT_ACPI);
	boot_put(bz + 0x24c, IMAGE_BZ_CODE - 0x300, 4);
	ck_assert_int_eq(chosen(boot_file(0, bz, sizeof(bz)), BOOT_AUTO),
			 BOOT_DT);
	boot_put(bz + 0x24c, 0xffffffff, 4);	/* nonsense: all is searched */
	ck_assert_int_eq(chosen(boot_file(0, bz, sizeof(bz)), BOOT_AUTO),
			 BOOT_ACPI);
	boot_capture_begin();
	ck_assert_int_eq(boot_choose_tables("/nowhere", BOOT_AUTO, &tables),
			 EXIT_NOINPUT);
	ck_assert_int_eq(boot_choose_tables(boot_file(0, "#!/bin/sh", 9),
					    BOOT_AUTO, &tables), EXIT_DATA);
	boot_capture_end();
}
END_TEST

#define VMLINUX_LEN 0x10500

/* With an .init.data of a size at which pieces of the search meet. */
static void make_vmlinux(uint8_t *elf)
{
	const Elf64_Shdr sh[] = {
		{}, { .sh_name = 1, .sh_offset = 0x500, .sh_size = 0x10000 },
		{ .sh_name = 12, .sh_offset = 0x4e0, .sh_size = 22 },
	};

	memset(elf, 0, VMLINUX_LEN);
	image_make_elf(elf);
	boot_put(elf + 40, IMAGE_ELF_LEN, 8);	/* section headers */
	boot_put(elf + 58, 64, 2);
	boot_put(elf + 60, 3, 2);
	boot_put(elf + 62, 2, 2);
	memcpy(elf + IMAGE_ELF_LEN, sh, sizeof(sh));
	memcpy(elf + 0x4e0, "\0.init.data\0.shstrtab", 22);
}

static const char *vmlinux_file(uint8_t *elf, size_t at, const char *text)
{
	make_vmlinux(elf);
	memcpy(elf + at, text, strlen(text));
	return boot_file(0, elf, VMLINUX_LEN);
}

START_TEST(tables_that_a_vmlinux_knows)
{
	static const char param[] = "acpi_skip_timer_override";
	uint8_t *elf = malloc(VMLINUX_LEN);
	size_t at;

	ck_assert_int_eq(chosen(vmlinux_file(elf, 0x500, "none"), BOOT_AUTO),
			 BOOT_DT);
	ck_assert_int_eq(chosen(vmlinux_file(elf, 0x4c4, param), BOOT_AUTO),
			 BOOT_DT);	/* not in the section */
	for (at = 0x8500 - 30; at < 0x8500 + 4; at++)
		ck_assert_int_eq(chosen(vmlinux_file(elf, at, param),
					BOOT_AUTO), BOOT_ACPI);
	at = VMLINUX_LEN - strlen(param);
	ck_assert_int_eq(chosen(vmlinux_file(elf, at, param), BOOT_AUTO),
			 BOOT_ACPI);
	free(elf);
}
END_TEST

static const struct {
	size_t off;
	const char *bytes;
	size_t len;
	const char *words, *fix;
} foreign_rows[] = {
	{ 0, "\x1f\x8b\x08", 3, "gzip", "gunzip" },
	{ 0, "\xfd" "7zXZ\0", 6, "xz", "unxz" },
	{ 0, "\x28\xb5\x2f\xfd", 4, "zstd", "unzstd" },
	{ 0, "MZ", 2, "EFI or DOS program", ".linux" },
	{ 56, "ARMd", 4, "arm64", "vmlinux" },
	{ 1080, "\x53\xef", 2, "ext2/3/4", "-d" },
	{ 0, "QFI\xfb", 4, "qcow2", "qemu-img" },
	{ 510, "\x55\xaa", 2, "boot sector", "-d" },
	{ 512, "EFI PART", 8, "GPT", "-d" },
	{ 0, "070701", 6, "cpio", "-i" },
	{ 0, "\0\0\0\0", 4, "no kind of kernel", "vmlinux" },
};

START_TEST(foreign_files_are_named)
{
	uint8_t file[2048] = {};

	memcpy(file + foreign_rows[_i].off, foreign_rows[_i].bytes,
	       foreign_rows[_i].len);
	opt.kernel = boot_file(0, file, sizeof(file));
	refused(EXIT_DATA, foreign_rows[_i].words);
	refused(EXIT_DATA, foreign_rows[_i].fix);
}
END_TEST

START_TEST(text_is_named)
{
	opt.kernel = boot_file(0, "hello, world\n", 13);
	refused(EXIT_DATA, "this is text");
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
	char fifo[] = "/tmp/hotline-test-XXXXXX", path[64];

	opt.kernel = "/nowhere/vmlinux";
	refused(EXIT_NOINPUT, "-k /nowhere/vmlinux: No such file");
	opt.kernel = "/tmp";
	refused(EXIT_NOINPUT, "is a directory");
	opt.kernel = "/dev/null";
	refused(EXIT_NOINPUT, "not a regular file");
	opt.kernel = boot_file(0, "", 0);
	refused(EXIT_DATA, "empty");
	opt.kernel = elf_file();
	opt.initrd = "/nowhere/initrd";
	refused(EXIT_NOINPUT, "-i /nowhere/initrd: No such file");
	opt.initrd = boot_file(1, "", 0);
	refused(EXIT_DATA, "empty");

	ck_assert_ptr_nonnull(mkdtemp(fifo));
	snprintf(path, sizeof(path), "%s/fifo", fifo);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	opt.kernel = path;
	refused(EXIT_NOINPUT, "not a regular file");
	unlink(path);
	if (geteuid()) {	/* root reads everything */
		close(creat(path, 0));
		refused(EXIT_NOPERM, "readable");
		unlink(path);
	}
	rmdir(fifo);
}
END_TEST

START_TEST(command_line_too_long)
{
	char *line = malloc(2049);

	memset(line, 'x', 2048);
	line[2047] = '\0';
	desc.cmdline = line;
	opt.kernel = elf_file();
	loaded();
	line[2047] = 'x';
	line[2048] = '\0';
	refused(EXIT_USAGE, "-p: the kernel command line has 2048 bytes");
	free(line);
}
END_TEST

START_TEST(initrd_and_archive)
{
	static const char file[] = "0123456789";
	const struct boot_params *bp;
	const uint8_t *p;
	size_t gap = -(size_t)_i & 3;

	opt.kernel = bz_file();
	opt.initrd = _i ? boot_file(1, file, (size_t)_i) : NULL;
	opt.cpio = "archive";
	opt.cpio_len = 7;
	loaded();
	bp = (const void *)ram(regs.rsi, sizeof(*bp));
	ck_assert_uint_eq(bp->hdr.ramdisk_size, (size_t)_i + gap + 7);
	ck_assert_uint_eq(bp->hdr.ramdisk_image & 4095, 0);
	p = ram(bp->hdr.ramdisk_image, bp->hdr.ramdisk_size);
	ck_assert_mem_eq(p, file, (size_t)_i);
	ck_assert(all(p + _i, 0, gap));
	ck_assert_mem_eq(p + (size_t)_i + gap, "archive", 7);
}
END_TEST

START_TEST(initrd_too_big)
{
	size_t len = 48 * MIB;
	uint8_t *big = calloc(1, len);

	opt.kernel = bz_file();		/* ends at 17 MiB of 64 */
	opt.initrd = boot_file(1, big, 47 * MIB);
	loaded();
	opt.initrd = boot_file(1, big, len);
	refused(EXIT_USAGE, "give at least 66");
	opt.initrd = NULL;
	opt.cpio = big;
	opt.cpio_len = len;
	refused(EXIT_USAGE, "-m");
	free(big);
}
END_TEST

START_TEST(no_memory_at_all)
{
	teardown();
	setup_mib(1);
	opt.kernel = elf_file();
	refused(EXIT_USAGE, "-m");
}
END_TEST

/* Whatever a file holds: an error code, or an entry point inside RAM. */
static void survives(const void *image, size_t len)
{
	enum boot_tables tables;
	int err;

	opt.kernel = boot_file(0, image, len);
	err = boot_choose_tables(opt.kernel, BOOT_AUTO, &tables);
	ck_assert(err == 0 || err == EXIT_DATA);
	for (int pvh = 0; pvh < 2; pvh++) {
		opt.pvh = pvh;
		err = boot_load(&mem, &desc, &opt, &regs);
		if (!err)
			ram(regs.rip, 1);
		else
			ck_assert(err == EXIT_DATA || err == EXIT_USAGE);
	}
}

static const struct {
	void (*make)(uint8_t *image);
	size_t len;
	size_t soft;		/* flips fall into the first bytes */
} images[] = {
	{ image_make_elf, IMAGE_ELF_LEN, IMAGE_ELF_LEN },
	{ image_make_elf32, IMAGE_ELF32_LEN, IMAGE_ELF32_LEN },
	{ image_make_bz, IMAGE_BZ_LEN, 0x270 },
	{ make_vmlinux, VMLINUX_LEN, 0x500 },
};

START_TEST(fuzz_truncated)
{
	static uint8_t image[VMLINUX_LEN];

	images[_i].make(image);
	boot_capture_begin();
	for (size_t len = 1; len <= images[_i].len; len += len / 4096 * 7 + 1)
		survives(image, len);
	boot_capture_end();
}
END_TEST

START_TEST(fuzz_flipped)
{
	static uint8_t image[VMLINUX_LEN];
	uint64_t seed = 0x9e3779b97f4a7c15;

	boot_capture_begin();
	for (int round = 0; round < 4000; round++) {
		unsigned int flips = 1 + boot_random(&seed) % 8;

		images[_i].make(image);
		while (flips--) {
			size_t at = boot_random(&seed) % images[_i].soft;

			image[at] = (uint8_t)boot_random(&seed);
		}
		survives(image, images[_i].len);
	}
	boot_capture_end();
}
END_TEST

#define ROWS(t) (int)(sizeof(t) / sizeof(t[0]))

int main(void)
{
	Suite *s = suite_create("boot_load");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, elf_is_loaded_where_it_says);
	tcase_add_test(tc, elf_entry_may_be_virtual);
	tcase_add_loop_test(tc, elf_errors, 0, ROWS(elf_rows));
	tcase_add_test(tc, boot_params_are_complete);
	tcase_add_test(tc, processor_state_is_sane);
	tcase_add_test(tc, memory_map_with_a_hole);
	tcase_add_test(tc, tables_as_asked);
	tcase_add_test(tc, tables_that_the_kernel_knows);
	tcase_add_test(tc, tables_that_a_vmlinux_knows);
	tcase_add_test(tc, pvh_when_asked);
	tcase_add_test(tc, pvh_for_32_bit_files);
	tcase_add_test(tc, bzimage_is_loaded_where_it_prefers);
	tcase_add_test(tc, bzimage_moves_if_it_must_and_can);
	tcase_add_test(tc, bzimage_has_no_pvh);
	tcase_add_loop_test(tc, bzimage_errors, 0, ROWS(bz_rows));
	tcase_add_loop_test(tc, foreign_files_are_named, 0,
			    ROWS(foreign_rows));
	tcase_add_test(tc, text_is_named);
	tcase_add_test(tc, files_that_cannot_be_read);
	tcase_add_test(tc, command_line_too_long);
	tcase_add_loop_test(tc, initrd_and_archive, 0, 9);
	tcase_add_test(tc, initrd_too_big);
	tcase_add_test(tc, no_memory_at_all);
	tcase_add_loop_test(tc, fuzz_truncated, 0, ROWS(images));
	tcase_add_loop_test(tc, fuzz_flipped, 0, ROWS(images));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
