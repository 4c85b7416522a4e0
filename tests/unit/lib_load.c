// SPDX-License-Identifier: GPL-2.0-only
/* The fixture of tests that load kernels. */
#include "lib_load.h"

#include <check.h>
#include <string.h>

#include "lib_boot.h"
#include "lib_image.h"

#define MIB (1ull << 20)

struct load_fixture fx;

void fx_setup_mib(unsigned int mib)
{
	struct mem_options mo = { .size = mib * MIB, .backing = MEM_ANON };

	ck_assert_int_eq(mem_init(&fx.mem, &mo), 0);
	boot_desc(&fx.desc, 2, mib);
	fx.opt = (struct boot_options){ .tables = BOOT_AUTO };
}

void fx_setup(void)
{
	fx_setup_mib(64);
}

void fx_teardown(void)
{
	mem_exit(&fx.mem);
}

const uint8_t *fx_ram(uint64_t addr, size_t len)
{
	const uint8_t *p = mem_ptr(&fx.mem, gpa(addr), len);

	ck_assert_ptr_nonnull(p);
	return p;
}

bool fx_all(const uint8_t *p, uint8_t c, size_t len)
{
	while (len--)
		if (*p++ != c)
			return false;
	return true;
}

/* Fails with this code and a message that holds these words. */
void fx_refused(int code, const char *words)
{
	const char *text;
	int err;

	boot_capture_begin();
	err = boot_load(&fx.mem, &fx.desc, &fx.opt, &fx.regs);
	text = boot_capture_end();
	ck_assert_msg(strstr(text, words), "\"%s\" not in: %s", words, text);
	ck_assert_int_eq(err, code);
}

void fx_load(void)
{
	ck_assert_int_eq(boot_load(&fx.mem, &fx.desc, &fx.opt, &fx.regs), 0);
}

const char *fx_elf(void)
{
	uint8_t elf[IMAGE_ELF_LEN];

	image_make_elf(elf);
	return boot_file(0, elf, sizeof(elf));
}

const char *fx_bz(void)
{
	uint8_t bz[IMAGE_BZ_LEN];

	image_make_bz(bz);
	return boot_file(0, bz, sizeof(bz));
}
