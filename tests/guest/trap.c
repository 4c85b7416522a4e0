// SPDX-License-Identifier: GPL-2.0-only
/* Page tables, traps, the local APIC, and a second processor. */
#include "guest.h"

#define LAPIC	       0xfee00000u
#define X2APIC_MSR     0x800
#define APIC_BASE_MSR  0x1b
#define APIC_BASE_EXTD (1u << 10)
#define LAPIC_EOI      0xb0
#define LAPIC_SVR      0xf0
#define LAPIC_ICR      0x300
#define LAPIC_ICR_HIGH 0x310
#define SVR_ON	       0x1ff
#define ICR_INIT       0x4500
#define ICR_STARTUP    0x4600
#define AP_BASE	       0x8000
#define AP_APIC_ID     1

#define PAGE_RW	       0x03
#define PAGE_LARGE     0x83

struct gate {
	uint64_t low, high;
};

struct gate idt[256] __attribute__((aligned(16)));
volatile uint64_t trap_fixup;
volatile unsigned int trap_irqs, trap_nmis;
volatile bool ap_running;

static uint64_t pml4[512] __attribute__((aligned(4096)));
static uint64_t pdpt[512] __attribute__((aligned(4096)));
static uint64_t pd[4][512] __attribute__((aligned(4096)));
static bool x2apic;
static void (*ap_fn)(void *);
static void *ap_arg;

extern char trap_entries[], ap_begin[], ap_end[], ap_cr3[];
void cpu_load_tables(void);
void trap(struct trap_frame *frame);
void ap_main(void);

void lapic_write(uint32_t reg, uint64_t val)
{
	if (!x2apic)
		mmio_write(LAPIC + reg, 4, val);
	else
		__asm__ volatile("wrmsr"
				 :
				 : "c"(X2APIC_MSR + reg / 16),
				   "a"((uint32_t)val),
				   "d"((uint32_t)(val >> 32))
				 : "memory");
}

void ipi(uint32_t to, uint32_t command)
{
	if (!x2apic)
		lapic_write(LAPIC_ICR_HIGH, to << 24);
	lapic_write(LAPIC_ICR, command | (x2apic ? (uint64_t)to << 32 : 0));
}

void trap(struct trap_frame *frame)
{
	if (frame->vector == 2) {
		trap_nmis++;
	} else if (frame->vector >= 32) {
		trap_irqs++;
		lapic_write(LAPIC_EOI, 0);
	} else if (trap_fixup) {
		frame->rip = trap_fixup;
		trap_fixup = 0;
	} else {
		fail("trap %u error %x at %x", frame->vector, frame->error,
		     frame->rip);
		finish(99);
	}
}

/* The first 4 GiB, one to one. */
static void map_memory(void)
{
	for (uint64_t i = 0; i < 4 * 512; i++)
		pd[i / 512][i % 512] = i << 21 | PAGE_LARGE;
	for (uint64_t i = 0; i < 4; i++)
		pdpt[i] = (uintptr_t)pd[i] | PAGE_RW;
	pml4[0] = (uintptr_t)pdpt | PAGE_RW;
	__asm__ volatile("mov %0, %%cr3" : : "r"(pml4) : "memory");
}

void cpu_init(void)
{
	uint64_t base = 0;

	map_memory();
	for (uint64_t i = 0; i < 256; i++) {
		uint64_t at = (uintptr_t)trap_entries + i * 16;

		idt[i].low = (at & 0xffff) | 0x08ull << 16 | 0x8eull << 40 |
			     (at >> 16 & 0xffff) << 48;
		idt[i].high = at >> 32;
	}
	cpu_load_tables();
	if (try_rdmsr(APIC_BASE_MSR, &base))
		fail("no APIC_BASE");
	x2apic = base & APIC_BASE_EXTD;
	lapic_write(LAPIC_SVR, SVR_ON);
}

void ap_main(void)
{
	cpu_load_tables();
	ap_running = true;
	ap_fn(ap_arg);
	ap_running = false;
}

static void wait_a_little(void)
{
	uint64_t end = tsc() + 20000000;

	while (tsc() < end)
		relax();
}

void ap_run(void (*fn)(void *), void *arg)
{
	struct deadline limit = deadline_in(PATIENCE);

	ap_fn = fn;
	ap_arg = arg;
	memcpy((void *)(uintptr_t)AP_BASE, ap_begin,
	       (size_t)(ap_end - ap_begin));
	*(uint32_t *)(uintptr_t)(AP_BASE + (ap_cr3 - ap_begin)) =
		(uint32_t)(uintptr_t)pml4;
	ipi(AP_APIC_ID, ICR_INIT);
	wait_a_little();
	ipi(AP_APIC_ID, ICR_STARTUP | AP_BASE >> 12);
	while (!ap_running && !deadline_over(&limit))
		;
	if (!ap_running) {
		fail("the second processor did not start");
		finish(98);
	}
}

void ap_wait(void)
{
	struct deadline limit = deadline_in(PATIENCE);

	while (ap_running && !deadline_over(&limit))
		;
	check(!ap_running, "the second processor hangs");
}
