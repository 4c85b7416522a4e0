// SPDX-License-Identifier: GPL-2.0-only
/* ACPI Machine Language, written front to back; see ACPI 6.5, 20.2 and 6.4. */
#include "vmm/boot/aml.h"

#include <string.h>

enum aml_op {
	OP_ZERO = 0x00,
	OP_ONE = 0x01,
	OP_NAME = 0x08,
	OP_BYTE = 0x0a,
	OP_WORD = 0x0b,
	OP_DWORD = 0x0c,
	OP_STRING = 0x0d,
	OP_QWORD = 0x0e,
	OP_SCOPE = 0x10,
	OP_BUFFER = 0x11,
	OP_PACKAGE = 0x12,
	OP_EXT = 0x5b,
	OP_EXT_DEVICE = 0x82,
};

/* First byte of a resource: a tag, with the length if that is small. */
enum aml_resource {
	RES_IO = 0x47,
	RES_END = 0x79,
	RES_MEMORY32_FIXED = 0x86,
	RES_EXT_INTERRUPT = 0x89,
};

#define PKGLEN_MAX 4 /* bytes of a package length */

void aml_bytes(struct aml *a, const void *src, size_t len)
{
	if (a->full || len > a->cap - a->len) {
		a->full = true;
		return;
	}
	memcpy(a->buf + a->len, src, len);
	a->len += len;
}

void aml_raw(struct aml *a, uint64_t v, unsigned int bytes)
{
	aml_bytes(a, &v, bytes); /* x86 is little-endian */
}

static void put_op(struct aml *a, enum aml_op op)
{
	aml_raw(a, op, 1);
}

/*
 * A package length counts itself, so it is known last: aml_close() moves the
 * body up to make room for it.
 */
void aml_close(struct aml *a, size_t mark)
{
	size_t body = a->len - mark, extra = 0;
	uint8_t enc[PKGLEN_MAX];
	size_t total;

	if (a->full)
		return;
	/* 6 bits fit into the lead byte, or 4 with up to 3 bytes behind it. */
	while (body + 1 + extra >= (extra ? 1ull << (4 + 8 * extra) : 64))
		extra++;
	total = body + 1 + extra;
	if (extra + 1 > PKGLEN_MAX || total > a->cap - mark) {
		a->full = true;
		return;
	}
	enc[0] = (uint8_t)(extra ? extra << 6 | (total & 15) : total);
	for (size_t i = 1; i <= extra; i++)
		enc[i] = (uint8_t)(total >> (8 * i - 4));
	memmove(a->buf + mark + 1 + extra, a->buf + mark, body);
	memcpy(a->buf + mark, enc, 1 + extra);
	a->len = mark + total;
}

static void put_name(struct aml *a, const char *name)
{
	aml_bytes(a, name, strlen(name));
}

size_t aml_open_scope(struct aml *a, const char *name)
{
	size_t mark;

	put_op(a, OP_SCOPE);
	mark = a->len;
	put_name(a, name);
	return mark;
}

size_t aml_open_device(struct aml *a, const char *name)
{
	size_t mark;

	put_op(a, OP_EXT);
	put_op(a, OP_EXT_DEVICE);
	mark = a->len;
	put_name(a, name);
	return mark;
}

size_t aml_open_package(struct aml *a, uint8_t elements)
{
	size_t mark;

	put_op(a, OP_PACKAGE);
	mark = a->len;
	aml_raw(a, elements, 1);
	return mark;
}

void aml_name(struct aml *a, const char *name)
{
	put_op(a, OP_NAME);
	put_name(a, name);
}

void aml_int(struct aml *a, uint64_t v)
{
	if (v <= 1) {
		put_op(a, v ? OP_ONE : OP_ZERO);
	} else if (v <= UINT8_MAX) {
		put_op(a, OP_BYTE);
		aml_raw(a, v, 1);
	} else if (v <= UINT16_MAX) {
		put_op(a, OP_WORD);
		aml_raw(a, v, 2);
	} else if (v <= UINT32_MAX) {
		put_op(a, OP_DWORD);
		aml_raw(a, v, 4);
	} else {
		put_op(a, OP_QWORD);
		aml_raw(a, v, 8);
	}
}

void aml_string(struct aml *a, const char *s)
{
	put_op(a, OP_STRING);
	aml_bytes(a, s, strlen(s) + 1);
}

static unsigned int hex_digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* ACPI 6.5, 19.3.4: three letters of 5 bits, four hex digits; big-endian. */
void aml_eisaid(struct aml *a, const char *id)
{
	uint32_t v = 0;

	for (int i = 0; i < 3; i++)
		v = v << 5 | ((uint32_t)id[i] - '@');
	for (int i = 3; i < 7; i++)
		v = v << 4 | hex_digit(id[i]);
	put_op(a, OP_DWORD);
	aml_raw(a, __builtin_bswap32(v), 4);
}

/* The buffer's size precedes it, as a byte: templates here are short. */
struct aml_template aml_open_template(struct aml *a)
{
	struct aml_template t;

	put_op(a, OP_BUFFER);
	t.package = a->len;
	put_op(a, OP_BYTE);
	aml_raw(a, 0, 1);
	t.start = a->len;
	return t;
}

void aml_close_template(struct aml *a, struct aml_template t)
{
	aml_raw(a, RES_END, 1);
	aml_raw(a, 0, 1); /* a checksum of 0 is not checked */
	if (a->full || a->len - t.start > UINT8_MAX) {
		a->full = true;
		return;
	}
	a->buf[t.start - 1] = (uint8_t)(a->len - t.start);
	aml_close(a, t.package);
}

void aml_memory32(struct aml *a, uint32_t base, uint32_t len)
{
	aml_raw(a, RES_MEMORY32_FIXED, 1);
	aml_raw(a, 9, 2);
	aml_raw(a, 1, 1); /* writable */
	aml_raw(a, base, 4);
	aml_raw(a, len, 4);
}

void aml_io(struct aml *a, uint16_t port, uint8_t len)
{
	aml_raw(a, RES_IO, 1);
	aml_raw(a, 1, 1);    /* decodes 16 bits */
	aml_raw(a, port, 2); /* lowest base */
	aml_raw(a, port, 2); /* highest base */
	aml_raw(a, 1, 1);    /* alignment */
	aml_raw(a, len, 1);
}

void aml_interrupt(struct aml *a, uint32_t gsi)
{
	aml_raw(a, RES_EXT_INTERRUPT, 1);
	aml_raw(a, 6, 2);
	aml_raw(a, 0x03, 1); /* consumer, edge, active high, exclusive */
	aml_raw(a, 1, 1);    /* one interrupt */
	aml_raw(a, gsi, 4);
}
