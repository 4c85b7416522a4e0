/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes ACPI bytes into a bounded buffer: table fields, and the few AML terms
 * that describe devices (ACPI 6.5, 20.2).
 */
#ifndef BOOT_AML_H
#define BOOT_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *buf;
	size_t len, cap;
	bool full; /* something did not fit: len is meaningless */
};

/* Little-endian, `bytes` low bytes of v. */
void aml_raw(struct aml *a, uint64_t v, unsigned int bytes);
void aml_bytes(struct aml *a, const void *src, size_t len);

/*
 * Terms with a body: *_open() returns a mark for aml_close(), everything
 * written between is the body.  Names have four characters.
 */
size_t aml_open_scope(struct aml *a, const char *name);
size_t aml_open_device(struct aml *a, const char *name);
size_t aml_open_package(struct aml *a, uint8_t elements);
void aml_close(struct aml *a, size_t mark);

/* Name (NAME, ...): followed by exactly one of the objects below. */
void aml_name(struct aml *a, const char *name);
void aml_int(struct aml *a, uint64_t v);
void aml_string(struct aml *a, const char *s);
/* "PNP0501" as the integer that it is in AML. */
void aml_eisaid(struct aml *a, const char *id);

/* A ResourceTemplate: resources between open and close. */
struct aml_template {
	size_t package, start;
};
struct aml_template aml_open_template(struct aml *a);
void aml_memory32(struct aml *a, uint32_t base, uint32_t len);
void aml_io(struct aml *a, uint16_t port, uint8_t len);
/* Edge-triggered, active-high, exclusive. */
void aml_interrupt(struct aml *a, uint32_t gsi);
void aml_close_template(struct aml *a, struct aml_template t);

#endif
