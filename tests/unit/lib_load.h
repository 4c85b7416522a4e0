/* SPDX-License-Identifier: GPL-2.0-only */
/* The fixture of tests that load kernels: a machine of 64 MiB. */
#ifndef UNIT_LIB_LOAD_H
#define UNIT_LIB_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/boot/boot.h"

extern struct load_fixture {
	struct mem mem;
	struct machine_desc desc;
	struct boot_options opt;
	struct vcpu_regs regs;
} fx;

void fx_setup(void);
void fx_setup_mib(unsigned int mib);
void fx_teardown(void);

/* Guest memory; the test fails if it is not RAM. */
const uint8_t *fx_ram(uint64_t addr, size_t len);
bool fx_all(const uint8_t *p, uint8_t c, size_t len);

/* Loads fx.opt, which must work. */
void fx_load(void);
/* Must fail with this code and a message that holds these words. */
void fx_refused(int code, const char *words);

/* The images of lib_image.h as files, in slot 0 of boot_file(). */
const char *fx_elf(void);
const char *fx_bz(void);

#endif
