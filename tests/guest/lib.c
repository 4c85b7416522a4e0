// SPDX-License-Identifier: GPL-2.0-only
/* Printing, waiting, random numbers, parameters, and the C library's three. */
#include <stdarg.h>

#include "guest.h"
#include "include/hotline/platform.h"

#define COM1	 0x3f8
#define LSR	 5
#define LSR_THRE 0x20

uint64_t ram_end;
unsigned int failures;
char cmdline[2048];

static void put(char c)
{
	for (int tries = 0; tries < 1000; tries++)
		if (inb(COM1 + LSR) & LSR_THRE)
			break;
	outb(COM1, (uint8_t)c);
}

static void put_number(uint64_t n, unsigned int base)
{
	char buf[24], *at = buf + sizeof(buf);

	*--at = '\0';
	do {
		*--at = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	while (*at)
		put(*at++);
}

static void vprint(const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		if (*fmt != '%' || !fmt[1]) {
			put(*fmt);
			continue;
		}
		fmt++;
		if (*fmt == 's') {
			for (const char *s = va_arg(ap, const char *); *s; s++)
				put(*s);
		} else {
			put_number(va_arg(ap, uint64_t), *fmt == 'x' ? 16 : 10);
		}
	}
}

void print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
}

static void vfail(const char *fmt, va_list ap)
{
	failures++;
	print("FAIL: ");
	vprint(fmt, ap);
	put('\n');
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(fmt, ap);
	va_end(ap);
}

void check(bool good, const char *fmt, ...)
{
	va_list ap;

	if (good)
		return;
	va_start(ap, fmt);
	vfail(fmt, ap);
	va_end(ap);
}

_Noreturn void finish(uint8_t status)
{
	outb(HL_EXIT_PORT, status);
	for (;;)
		__asm__ volatile("cli; hlt");
}

bool text_is(const char *s, const char *word)
{
	while (*word && *s == *word)
		s++, word++;
	return !*word && (!*s || *s == ' ' || *s == ',');
}

const char *param_text(const char *name)
{
	for (const char *s = cmdline; *s; s++) {
		const char *p = s, *n = name;

		if (s != cmdline && s[-1] != ' ')
			continue;
		while (*n && *p == *n)
			p++, n++;
		if (!*n && *p == '=')
			return p + 1;
	}
	return "";
}

uint64_t param(const char *name, uint64_t def)
{
	const char *s = param_text(name);
	uint64_t n = 0;

	if (*s < '0' || *s > '9')
		return def;
	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (uint64_t)(*s - '0');
	return n;
}

struct deadline deadline_in(unsigned int seconds)
{
	/* 1 to 5 GHz: between one and four times as long as asked. */
	return (struct deadline){ tsc() + seconds * 4000000000ull };
}

bool deadline_over(const struct deadline *d)
{
	relax();
	return tsc() > d->end;
}

uint32_t random_next(struct random *r)
{
	r->state = r->state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(r->state >> 33);
}

uint32_t random_below(struct random *r, uint32_t n)
{
	return random_next(r) % n;
}

uint64_t random_wide(struct random *r)
{
	return (uint64_t)random_next(r) << 42 ^ (uint64_t)random_next(r) << 21 ^
	       random_next(r);
}

uint64_t mmio_read(uint64_t addr, unsigned int width)
{
	uint64_t val = 0;

	switch (width) {
	case 1:
		__asm__ volatile("movb (%1), %b0"
				 : "+q"(val)
				 : "r"(addr)
				 : "memory");
		break;
	case 2:
		__asm__ volatile("movw (%1), %w0"
				 : "+r"(val)
				 : "r"(addr)
				 : "memory");
		break;
	case 4:
		__asm__ volatile("movl (%1), %k0"
				 : "+r"(val)
				 : "r"(addr)
				 : "memory");
		break;
	default:
		__asm__ volatile("movq (%1), %0"
				 : "+r"(val)
				 : "r"(addr)
				 : "memory");
	}
	return val;
}

void mmio_write(uint64_t addr, unsigned int width, uint64_t val)
{
	switch (width) {
	case 1:
		__asm__ volatile("movb %b0, (%1)"
				 :
				 : "q"(val), "r"(addr)
				 : "memory");
		break;
	case 2:
		__asm__ volatile("movw %w0, (%1)"
				 :
				 : "r"(val), "r"(addr)
				 : "memory");
		break;
	case 4:
		__asm__ volatile("movl %k0, (%1)"
				 :
				 : "r"(val), "r"(addr)
				 : "memory");
		break;
	default:
		__asm__ volatile("movq %0, (%1)"
				 :
				 : "r"(val), "r"(addr)
				 : "memory");
	}
}

void *memcpy(void *dst, const void *src, size_t len)
{
	void *start = dst;

	__asm__ volatile("rep movsb"
			 : "+D"(dst), "+S"(src), "+c"(len)
			 :
			 : "memory");
	return start;
}

void *memset(void *dst, int byte, size_t len)
{
	void *start = dst;

	__asm__ volatile("rep stosb"
			 : "+D"(dst), "+c"(len)
			 : "a"(byte)
			 : "memory");
	return start;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a, *y = b;

	for (; len; len--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
