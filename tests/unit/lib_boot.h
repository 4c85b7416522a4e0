/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of vmm/boot share: files from bytes, captured messages. */
#ifndef UNIT_LIB_BOOT_H
#define UNIT_LIB_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/core/machine.h"
#include "vmm/core/mem.h"

/*
 * A file with these bytes; its path is good until the next call with the same
 * slot (0..3).
 */
const char *boot_file(unsigned int slot, const void *data, size_t len);

/* Messages of what runs between the two; text is good until the next begin. */
void boot_capture_begin(void);
const char *boot_capture_end(void);

/* xorshift64: the same numbers on each run. */
uint64_t boot_random(uint64_t *state);

/* Little-endian stores into an image under construction. */
void boot_put(uint8_t *p, uint64_t v, unsigned int bytes);
uint64_t boot_get(const uint8_t *p, unsigned int bytes);

/* Runs a command through the shell, output on stderr; its exit status. */
int boot_shell(const char *cmd);
bool boot_has_program(const char *name);

/* A machine with every kind of device; mem_mib below 3 GiB. */
void boot_desc(struct machine_desc *desc, unsigned int cpus,
	       unsigned int mem_mib);

#endif
