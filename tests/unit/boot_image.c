// SPDX-License-Identifier: GPL-2.0-only
/* Images of kernels into guest memory, and files that are none. */
#include <asm/bootparam.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib_boot.h"
#include "lib_image.h"
#include "lib_load.h"
#include "tests/unit/lib_run.h"
#include "vmm/core/exitcode.h"

#define MIB (1ull << 20)

START_TEST(elf_is_loaded_where_it_says)
{
	fx.opt.kernel = fx_elf();
	fx_load();
	ck_assert_uint_eq(fx.regs.rip, IMAGE_ELF_ENTRY);
	ck_assert(fx_all(fx_ram(IMAGE_ELF_TEXT, 0x100), 0xaa, 0x100));
	ck_assert(fx_all(fx_ram(IMAGE_ELF_DATA, 0x80), 0xbb, 0x80));
	ck_assert(fx_all(fx_ram(IMAGE_ELF_DATA + 0x80, 0x1f80), 0, 0x1f80));
}
END_TEST

START_TEST(elf_entry_may_be_virtual)
{
	uint8_t elf[IMAGE_ELF_LEN];

	image_make_elf(elf);
	boot_put(elf + 24, IMAGE_ELF_VIRT + IMAGE_ELF_ENTRY, 8);
	fx.opt.kernel = boot_file(0, elf, sizeof(elf));
	fx_load();
	ck_assert_uint_eq(fx.regs.rip, IMAGE_ELF_ENTRY);
}
END_TEST

/* One field of a good file is changed, and what is said of it. */
struct damage {
	unsigned int off, len;
	uint64_t val;
	int code;
	const char *words;
};

static void refused_with(const struct damage *d, uint8_t *image, size_t len)
{
	boot_put(image + d->off, d->val, d->len);
	fx.opt.kernel = boot_file(0, image, len);
	fx_refused(d->code, d->words);
}

static const struct damage elf_rows[] = {
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
	refused_with(&elf_rows[_i], elf, sizeof(elf));
}
END_TEST

START_TEST(bzimage_is_loaded_where_it_prefers)
{
	const struct boot_params *bp;

	fx.opt.kernel = fx_bz();
	fx_load();
	ck_assert_uint_eq(fx.regs.rip, IMAGE_BZ_PREF + 0x200);
	ck_assert(fx_all(fx_ram(IMAGE_BZ_PREF, IMAGE_BZ_CODE), 0xcc,
			 IMAGE_BZ_CODE));
	bp = (const void *)fx_ram(fx.regs.rsi, sizeof(*bp));
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
	fx.opt.kernel = boot_file(0, bz, sizeof(bz));
	fx_load();
	ck_assert_uint_eq(fx.regs.rip, 2 * MIB + 0x200);
	bz[0x234] = 0;
	fx.opt.kernel = boot_file(0, bz, sizeof(bz));
	fx_refused(EXIT_USAGE, "65 MiB");
}
END_TEST

static const struct damage bz_rows[] = {
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
	refused_with(&bz_rows[_i], bz, sizeof(bz));
}
END_TEST

START_TEST(bzimage_has_no_pvh)
{
	fx.opt.kernel = fx_bz();
	fx.opt.pvh = true;
	fx_refused(EXIT_USAGE, "--pvh");
}
END_TEST

static const struct {
	size_t off;
	const char *bytes;
	size_t len;
	const char *words, *fix;
} foreign_rows[] = {
	{ 0, "\x1f\x8b\x08", 3, "gzip", "gunzip" },
	{ 0,
	  "\xfd"
	  "7zXZ\0",
	  6, "xz", "unxz" },
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
	fx.opt.kernel = boot_file(0, file, sizeof(file));
	fx_refused(EXIT_DATA, foreign_rows[_i].words);
	fx_refused(EXIT_DATA, foreign_rows[_i].fix);
}
END_TEST

START_TEST(text_is_named)
{
	fx.opt.kernel = boot_file(0, "hello, world\n", 13);
	fx_refused(EXIT_DATA, "this is text");
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
	char fifo[] = "/tmp/hotline-test-XXXXXX", path[64];

	fx.opt.kernel = "/nowhere/vmlinux";
	fx_refused(EXIT_NOINPUT, "-k /nowhere/vmlinux: No such file");
	fx.opt.kernel = "/tmp";
	fx_refused(EXIT_NOINPUT, "is a directory");
	fx.opt.kernel = "/dev/null";
	fx_refused(EXIT_NOINPUT, "not a regular file");
	fx.opt.kernel = boot_file(0, "", 0);
	fx_refused(EXIT_DATA, "empty");
	fx.opt.kernel = fx_elf();
	fx.opt.initrd = "/nowhere/initrd";
	fx_refused(EXIT_NOINPUT, "-i /nowhere/initrd: No such file");
	fx.opt.initrd = boot_file(1, "", 0);
	fx_refused(EXIT_DATA, "empty");

	ck_assert_ptr_nonnull(mkdtemp(fifo));
	snprintf(path, sizeof(path), "%s/fifo", fifo);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fx.opt.kernel = path;
	fx_refused(EXIT_NOINPUT, "not a regular file");
	unlink(path);
	if (geteuid()) { /* root reads everything */
		close(creat(path, 0));
		fx_refused(EXIT_NOPERM, "readable");
		unlink(path);
	}
	rmdir(fifo);
}
END_TEST

#define ROWS(t) (int)(sizeof(t) / sizeof(t[0]))

int main(void)
{
	Suite *s = suite_create("boot_image");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, fx_setup, fx_teardown);
	tcase_add_test(tc, elf_is_loaded_where_it_says);
	tcase_add_test(tc, elf_entry_may_be_virtual);
	tcase_add_loop_test(tc, elf_errors, 0, ROWS(elf_rows));
	tcase_add_test(tc, bzimage_is_loaded_where_it_prefers);
	tcase_add_test(tc, bzimage_moves_if_it_must_and_can);
	tcase_add_loop_test(tc, bzimage_errors, 0, ROWS(bz_rows));
	tcase_add_test(tc, bzimage_has_no_pvh);
	tcase_add_loop_test(tc, foreign_files_are_named, 0, ROWS(foreign_rows));
	tcase_add_test(tc, text_is_named);
	tcase_add_test(tc, files_that_cannot_be_read);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
