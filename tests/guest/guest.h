/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the tiny guest stand on: ports, traps, printing on the
 * serial port, random numbers, and how a test says what it found.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Memory that devices may write to as a test likes: the program lies below,
 * the loader's tables too.
 */
#define ARENA	   0x2000000ull /* 32 MiB */
#define ARENA_SIZE 0x2000000ull

extern uint64_t ram_end; /* of the RAM below 4 GiB */

/* lib.c */
void print(const char *fmt, ...);	     /* %s %u %x (64 bit each but %s) */
void check(bool good, const char *fmt, ...); /* prints only if not good */
void fail(const char *fmt, ...);
extern unsigned int failures;
_Noreturn void finish(uint8_t status); /* by HL_EXIT_PORT */
/* Value of NAME=VALUE on the command line, or def. */
uint64_t param(const char *name, uint64_t def);
const char *param_text(const char *name);      /* ends at a blank; "" if none */
bool text_is(const char *s, const char *word); /* up to a blank or comma */

/* About a second for count 1; whatever the clock, it ends. */
struct deadline {
	uint64_t end;
};
struct deadline deadline_in(unsigned int seconds);
/* For what must come: the host may be slow, and its rows have limits. */
#define PATIENCE 60
bool deadline_over(const struct deadline *d);

struct random {
	uint64_t state;
};
uint32_t random_next(struct random *r);
uint32_t random_below(struct random *r, uint32_t n);
uint64_t random_wide(struct random *r);

/* trap.c: traps, and the second processor */
struct trap_frame {
	uint64_t vector, error, rip, cs, flags, rsp, ss;
};
extern volatile unsigned int trap_irqs, trap_nmis;
void cpu_init(void);
void ap_run(void (*fn)(void *), void *arg); /* once */
extern volatile bool ap_running;
void ap_wait(void); /* until fn has returned; not for ever */
void lapic_write(uint32_t reg, uint64_t val); /* by its offset in the page */
void ipi(uint32_t to, uint32_t command);      /* to an APIC id */

/* line.c: one call by the port, from the boot processor */
int64_t line_call(uint16_t op, uint64_t arg);

/* start.S */
int try_rdmsr(uint32_t msr, uint64_t *val);
int try_wrmsr(uint32_t msr, uint64_t val);
_Noreturn void triple_fault(void);

void *memcpy(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

static inline void outb(uint16_t port, uint8_t val)
{
	__asm__ volatile("outb %0, %1" : : "a"(val), "Nd"(port) : "memory");
}
static inline void outw(uint16_t port, uint16_t val)
{
	__asm__ volatile("outw %0, %1" : : "a"(val), "Nd"(port) : "memory");
}
static inline void outl(uint16_t port, uint32_t val)
{
	__asm__ volatile("outl %0, %1" : : "a"(val), "Nd"(port) : "memory");
}
static inline uint8_t inb(uint16_t port)
{
	uint8_t val;

	__asm__ volatile("inb %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}
static inline uint16_t inw(uint16_t port)
{
	uint16_t val;

	__asm__ volatile("inw %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}
static inline uint32_t inl(uint16_t port)
{
	uint32_t val;

	__asm__ volatile("inl %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

/* One access of exactly that width. */
uint64_t mmio_read(uint64_t addr, unsigned int width);
void mmio_write(uint64_t addr, unsigned int width, uint64_t val);

static inline uint64_t tsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}
static inline void cpuid(uint32_t leaf, uint32_t reg[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(reg[0]), "=b"(reg[1]), "=c"(reg[2]),
			   "=d"(reg[3])
			 : "a"(leaf), "c"(0));
}
static inline void relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}
static inline void fence(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

/* The tests: see main.c's table. */
void test_chains(void), test_registers(void), test_blk(void), test_net(void),
	test_console(void), test_fuzz(void), test_race(void), test_ports(void),
	test_mmio(void), test_msr(void), test_ioapic(void), test_reset(void),
	test_line(void), test_clock(void), test_noclock(void),
	test_msr_list(void), test_timer(void), test_timer_halt(void),
	test_yield(void);

#endif
