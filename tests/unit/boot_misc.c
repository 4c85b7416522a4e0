// SPDX-License-Identifier: GPL-2.0-only
/* The command line, the archive with the command, and symbol look-up. */
#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib_boot.h"
#include "tests/unit/lib_run.h"
#include "vmm/boot/boot.h"

static const struct {
	struct cmdline_options opt;
	const char *want;
} cmdline_rows[] = {
	{ { .console = "hvc0", .cpus = 1 },
	  "console=hvc0 quiet panic=-1 reboot=k tsc=reliable noreplace-smp" },
	{ { .console = "ttyS0", .cpus = 2, .user = "quiet=0  x=y " },
	  "console=ttyS0 quiet panic=-1 reboot=k tsc=reliable quiet=0  x=y" },
	{ { .cpus = 2, .root = "/dev/vda" },
	  "quiet panic=-1 reboot=k tsc=reliable root=/dev/vda rw" },
	{ { .cpus = 2, .root = "/dev/vda", .root_ro = true, .user = "a" },
	  "quiet panic=-1 reboot=k tsc=reliable root=/dev/vda ro a" },
	{ { .console = "hvc0", .cpus = 2, .user = "debug console=tty1" },
	  "quiet panic=-1 reboot=k tsc=reliable debug console=tty1" },
	{ { .console = "hvc0", .cpus = 2, .user = "\"console=tty1\"" },
	  "quiet panic=-1 reboot=k tsc=reliable \"console=tty1\"" },
	{ { .console = "hvc0", .cpus = 2, .user = "a=\"b console=x\"" },
	  "console=hvc0 quiet panic=-1 reboot=k tsc=reliable a=\"b "
	  "console=x\"" },
	{ { .console = "hvc0", .cpus = 2, .user = "netconsole=x" },
	  "console=hvc0 quiet panic=-1 reboot=k tsc=reliable netconsole=x" },
	{ { .console = "hvc0", .cpus = 2, .user = "-- console=x" },
	  "console=hvc0 quiet panic=-1 reboot=k tsc=reliable -- console=x" },
	{ { .console = "hvc0", .cpus = 2, .user = "x=\"" },
	  "console=hvc0 quiet panic=-1 reboot=k tsc=reliable x=\"" },
	{ { .console = "hvc0", .cpus = 2, .tables = BOOT_ACPI, .user = "a" },
	  "console=hvc0 quiet panic=-1 reboot=k tsc=reliable pci=off a" },
	{ { .console = "hvc0", .cpus = 2, .tables = BOOT_DT },
	  "console=hvc0 quiet panic=-1 reboot=k tsc=reliable" },
	{ { .console = "hvc0", .cpus = 2, .user = " \t\n" },
	  "console=hvc0 quiet panic=-1 reboot=k tsc=reliable" },
};

START_TEST(cmdline_rules)
{
	char *line = cmdline_build(&cmdline_rows[_i].opt);

	ck_assert_str_eq(line, cmdline_rows[_i].want);
	free(line);
}
END_TEST

START_TEST(cpio_by_bytes)
{
	char *argv[] = { "sh", "-c", "", "echo a b", NULL };
	static const char want[] = "sh\0-c\0\0echo a b";
	const char *p;
	char name[16];
	size_t len = 0;
	char *archive = cpio_from_argv(argv, &len);

	ck_assert_ptr_nonnull(archive);
	ck_assert_uint_eq(len % 4, 0);
	ck_assert_mem_eq(archive, "07070100000001000041ED", 22);
	ck_assert_str_eq(archive + 110, "hotline");
	p = archive + 120; /* 110 + 8 is padded to 120 */
	ck_assert_mem_eq(p, "070701", 6);
	snprintf(name, sizeof(name), "%08X", (unsigned int)sizeof(want));
	ck_assert_mem_eq(p + 6 + 6 * 8, name, 8); /* file size */
	ck_assert_str_eq(p + 110, "hotline/argv");
	p += 124; /* 110 + 13 is padded to 124 */
	ck_assert_mem_eq(p, want, sizeof(want));
	p += 16;
	ck_assert_mem_eq(p, "070701", 6);
	ck_assert_str_eq(p + 110, "TRAILER!!!");
	ck_assert_uint_eq(len, (size_t)(p - archive) + 124);
	free(archive);
}
END_TEST

START_TEST(cpio_program_reads_it)
{
	char dir[] = "/tmp/hotline-test-XXXXXX", cmd[256];
	char *argv[] = { "one", "two words", NULL };
	size_t len;
	void *archive;
	FILE *f;

	if (!boot_has_program("cpio"))
		return;
	archive = cpio_from_argv(argv, &len);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(cmd, sizeof(cmd), "%s/a.cpio", dir);
	f = fopen(cmd, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(archive, 1, len, f), len);
	fclose(f);
	snprintf(cmd, sizeof(cmd),
		 "cd %s && cpio --quiet -id <a.cpio && "
		 "printf 'one\\0two words\\0' | cmp - hotline/argv; "
		 "rc=$?; rm -r %s; exit $rc",
		 dir, dir);
	ck_assert_int_eq(boot_shell(cmd), 0);
	free(archive);
}
END_TEST

#define TEXT	0xffffffff81000000
#define SYM_LEN 0x600
#define STR_OFF 0x300
#define SYM_OFF 0x200

static const char strings[] = "\0start_kernel\0asm_entry\0text.c\0\x1b[31m";
static const Elf64_Sym syms[] = {
	{},
	{ 1, STT_FUNC, 0, 1, TEXT + 0x100, 0x40 }, /* start_kernel */
	{ 14, STT_NOTYPE, 0, 1, TEXT + 0x200, 0 }, /* asm_entry */
	{ 24, STT_FILE, 0, 1, TEXT + 0x280, 0 },
	{ 31, STT_FUNC, 0, 1, TEXT + 0x300, 8 }, /* ESC [31m */
	{ 14, STT_FUNC, 0, SHN_ABS, TEXT + 0x108, 0 },
};

/* Sections: null, text, symbol table, strings. */
static void make_symbols(uint8_t elf[SYM_LEN])
{
	const Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
		.e_shoff = 64,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 4,
	};
	const Elf64_Shdr sh[] = {
		{},
		{ 0, SHT_PROGBITS, SHF_ALLOC, TEXT, 0x400, 0x1000, 0, 0, 0, 0 },
		{ 0, SHT_SYMTAB, 0, 0, SYM_OFF, sizeof(syms), 3, 0, 0, 24 },
		{ 0, SHT_STRTAB, 0, 0, STR_OFF, sizeof(strings), 0, 0, 0, 0 },
	};

	memset(elf, 0, SYM_LEN);
	memcpy(elf, &eh, sizeof(eh));
	memcpy(elf + 64, sh, sizeof(sh));
	memcpy(elf + SYM_OFF, syms, sizeof(syms));
	memcpy(elf + STR_OFF, strings, sizeof(strings));
}

static const struct {
	uint64_t addr;
	const char *want; /* NULL: nobody */
} symbol_rows[] = {
	{ TEXT + 0x100, "start_kernel+0x0" },
	{ TEXT + 0x110, "start_kernel+0x10" },
	{ TEXT + 0x140, NULL },
	{ TEXT + 0x200, "asm_entry+0x0" },
	{ TEXT + 0x290, "asm_entry+0x90" },
	{ TEXT + 0x304, "?[31m+0x4" },
	{ TEXT + 0x0ff, NULL },
	{ TEXT + 0xfff, "asm_entry+0xdff" },
	{ TEXT + 0x1000, NULL },
	{ 0, NULL },
};

START_TEST(symbols_are_found)
{
	uint8_t elf[SYM_LEN];
	char buf[64] = "";
	bool found;

	make_symbols(elf);
	found = symbol_lookup(boot_file(0, elf, sizeof(elf)),
			      symbol_rows[_i].addr, buf, sizeof(buf));
	ck_assert_str_eq(found ? buf : "", symbol_rows[_i].want ?: "");
}
END_TEST

START_TEST(symbols_need_a_file)
{
	char buf[8] = "same";

	ck_assert(!symbol_lookup("/nowhere", TEXT, buf, sizeof(buf)));
	ck_assert(!symbol_lookup("/tmp", TEXT, buf, sizeof(buf)));
	ck_assert(!symbol_lookup("/dev/zero", TEXT, buf, sizeof(buf)));
	ck_assert_str_eq(buf, "same");
}
END_TEST

START_TEST(symbols_fuzz)
{
	uint8_t elf[SYM_LEN];
	uint64_t seed = 0x2545f4914f6cdd1d;
	char buf[16];

	make_symbols(elf);
	for (size_t len = 0; len <= SYM_LEN; len++)
		symbol_lookup(boot_file(0, elf, len), TEXT + 0x110, buf,
			      sizeof(buf));
	for (int round = 0; round < 20000; round++) {
		unsigned int flips = 1 + boot_random(&seed) % 8;

		make_symbols(elf);
		while (flips--)
			elf[boot_random(&seed) % 0x330] =
				(uint8_t)boot_random(&seed);
		symbol_lookup(boot_file(0, elf, SYM_LEN), TEXT + 0x110, buf,
			      sizeof(buf));
	}
}
END_TEST

#define ROWS(t) (int)(sizeof(t) / sizeof(t[0]))

int main(void)
{
	Suite *s = suite_create("boot_misc");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, cmdline_rules, 0, ROWS(cmdline_rows));
	tcase_add_test(tc, cpio_by_bytes);
	tcase_add_test(tc, cpio_program_reads_it);
	tcase_add_loop_test(tc, symbols_are_found, 0, ROWS(symbol_rows));
	tcase_add_test(tc, symbols_need_a_file);
	tcase_add_test(tc, symbols_fuzz);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
