// SPDX-License-Identifier: GPL-2.0-only
/* Which tables a kernel knows, and images that mean no good. */
#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "lib_boot.h"
#include "lib_image.h"
#include "lib_load.h"
#include "tests/unit/lib_run.h"
#include "vmm/core/exitcode.h"

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
	ck_assert_int_eq(chosen(fx_elf(), BOOT_AUTO), BOOT_ACPI);
	ck_assert_int_eq(chosen(fx_bz(), BOOT_AUTO), BOOT_DT);
	image_make_bz(bz);
	memcpy(bz + IMAGE_BZ_LEN - 8, "RSD PTR ", 8);
	boot_put(bz + 0x248, 0x300, 4); /* payload offset, length */
	boot_put(bz + 0x24c, 0x400, 4);
	ck_assert_int_eq(chosen(boot_file(0, bz, sizeof(bz)), BOOT_AUTO),
			 BOOT_ACPI);
	boot_put(bz + 0x24c, IMAGE_BZ_CODE - 0x300, 4);
	ck_assert_int_eq(chosen(boot_file(0, bz, sizeof(bz)), BOOT_AUTO),
			 BOOT_DT);
	boot_put(bz + 0x24c, 0xffffffff, 4); /* nonsense: all is searched */
	ck_assert_int_eq(chosen(boot_file(0, bz, sizeof(bz)), BOOT_AUTO),
			 BOOT_ACPI);
	boot_capture_begin();
	ck_assert_int_eq(boot_choose_tables("/nowhere", BOOT_AUTO, &tables),
			 EXIT_NOINPUT);
	ck_assert_int_eq(boot_choose_tables(boot_file(0, "#!/bin/sh", 9),
					    BOOT_AUTO, &tables),
			 EXIT_DATA);
	boot_capture_end();
}
END_TEST

#define VMLINUX_LEN 0x10500

/* With an .init.data of a size at which pieces of the search meet. */
static void make_vmlinux(uint8_t *elf)
{
	const Elf64_Shdr sh[] = {
		{},
		{ .sh_name = 1, .sh_offset = 0x500, .sh_size = 0x10000 },
		{ .sh_name = 12, .sh_offset = 0x4e0, .sh_size = 22 },
	};

	memset(elf, 0, VMLINUX_LEN);
	image_make_elf(elf);
	boot_put(elf + 40, IMAGE_ELF_LEN, 8); /* e_shoff */
	boot_put(elf + 58, 64, 2);	      /* e_shentsize */
	boot_put(elf + 60, 3, 2);	      /* e_shnum */
	boot_put(elf + 62, 2, 2);	      /* e_shstrndx */
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
			 BOOT_DT); /* not in the section */
	for (at = 0x8500 - 30; at < 0x8500 + 4; at++)
		ck_assert_int_eq(chosen(vmlinux_file(elf, at, param),
					BOOT_AUTO),
				 BOOT_ACPI);
	at = VMLINUX_LEN - strlen(param);
	ck_assert_int_eq(chosen(vmlinux_file(elf, at, param), BOOT_AUTO),
			 BOOT_ACPI);
	free(elf);
}
END_TEST

/* Whatever a file holds: an error code, or an entry point inside RAM. */
static void survives(const void *image, size_t len)
{
	enum boot_tables tables;
	int err;

	fx.opt.kernel = boot_file(0, image, len);
	err = boot_choose_tables(fx.opt.kernel, BOOT_AUTO, &tables);
	ck_assert(err == 0 || err == EXIT_DATA);
	for (int pvh = 0; pvh < 2; pvh++) {
		fx.opt.pvh = pvh;
		err = boot_load(&fx.mem, &fx.desc, &fx.opt, &fx.regs);
		if (!err)
			fx_ram(fx.regs.rip, 1);
		else
			ck_assert(err == EXIT_DATA || err == EXIT_USAGE);
	}
}

static const struct {
	void (*make)(uint8_t *image);
	size_t len;
	size_t soft; /* flips fall into the first bytes */
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
	Suite *s = suite_create("boot_hostile");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, fx_setup, fx_teardown);
	tcase_add_test(tc, tables_that_the_kernel_knows);
	tcase_add_test(tc, tables_that_a_vmlinux_knows);
	tcase_add_loop_test(tc, fuzz_truncated, 0, ROWS(images));
	tcase_add_loop_test(tc, fuzz_flipped, 0, ROWS(images));
	suite_add_tcase(s, tc);
	return unit_run(s);
}
