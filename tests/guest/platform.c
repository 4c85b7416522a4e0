// SPDX-License-Identifier: GPL-2.0-only
/* Accesses all over the ports, device memory, MSRs and the IOAPIC. */
#include "guest.h"
#include "virtio.h"

#include "include/hotline/platform.h"

#define IOAPIC	      0xfec00000u
#define IOAPIC_WINDOW 0x10
#define RTE_MASKED    0x10000

/* Ports by which a guest ends itself, or its only output. */
static bool port_is_exit(uint16_t port)
{
	return (port >= HL_EXIT_PORT && port < HL_POWER_PORT + 2) ||
	       port == 0x64 || port == 0xcf9;
}

static bool port_is_serial(uint16_t port)
{
	return port >= 0x3f8 && port < 0x400;
}

static void port_touch(uint16_t port, struct random *r)
{
	inb(port);
	inw(port);
	inl(port);
	if (port_is_serial(port))
		return;
	outw(port, (uint16_t)random_next(r));
	outl(port, random_next(r));
	outb(port, (uint8_t)random_next(r));
}

static void port_strings(uint16_t port)
{
	uint8_t *buf = (uint8_t *)ARENA;
	uint64_t n = 300;

	__asm__ volatile("rep insb"
			 : "+D"(buf), "+c"(n)
			 : "d"(port)
			 : "memory");
	buf = (uint8_t *)ARENA;
	n = 300;
	__asm__ volatile("rep outsl"
			 : "+S"(buf), "+c"(n)
			 : "d"(port)
			 : "memory");
}

static bool port_known(uint32_t port)
{
	static const struct {
		uint16_t from, to;
	} ranges[] = {
		{ 0x20, 0x24 },	  { 0x40, 0x48 },     { 0x60, 0x72 },
		{ 0x80, 0x90 },	  { 0xa0, 0xa2 },     { 0xc0, 0xe0 },
		{ 0x2f8, 0x300 }, { 0x3f0, 0x400 },   { 0x4d0, 0x4d2 },
		{ 0x510, 0x51c }, { 0x5f8, 0x610 },   { 0x6f8, 0x720 },
		{ 0xcf8, 0xd00 }, { 0xb000, 0xb010 }, { 0xfff0, 0xffff },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++)
		if (port >= ranges[i].from && port < ranges[i].to)
			return true;
	return false;
}

void test_ports(void)
{
	struct random r = { param("seed", 11) };
	uint64_t touched = 0;

	/* Where a PC has something, each; elsewhere, one in so many. */
	for (uint32_t port = 0; port < 0x10000; port++) {
		if (port_is_exit((uint16_t)port) ||
		    (!port_known(port) && random_below(&r, 64)))
			continue;
		port_touch((uint16_t)port, &r);
		touched++;
	}
	port_strings(0x80);
	port_strings(0x1234);
	port_strings(0xcfc);
	/* The exit ports in widths, and at values, that mean nothing. */
	outw(HL_EXIT_PORT, 0x1234);
	outl(HL_EXIT_PORT, 0x12345678);
	outb(HL_POWER_PORT, 0x77);
	outb(0x64, 0xff);
	check(inb(HL_EXIT_PORT) == 0xff, "exit port reads %x",
	      (uint64_t)inb(HL_EXIT_PORT));
	check(inb(HL_POWER_PORT) == 0, "power port reads %x",
	      (uint64_t)inb(HL_POWER_PORT));
	print("  %u ports\n", touched);
}

static void mmio_touch(uint64_t addr, struct random *r)
{
	for (unsigned int width = 1; width <= 8; width *= 2) {
		mmio_read(addr, width);
		mmio_write(addr, width, random_wide(r));
	}
}

void test_mmio(void)
{
	struct random r = { param("seed", 13) };
	uint64_t n = param("n", 500);

	for (uint64_t i = 0; i < n; i++) {
		uint64_t addr =
			HL_HOLE_START + random_below(&r, 0x3ec00000) / 8 * 8;

		if (addr / 0x1000 == HL_POWER_MMIO / 0x1000 ||
		    addr / 0x1000 == HL_PVPANIC_MMIO / 0x1000)
			continue;
		if (!random_below(&r, 4))
			addr = HL_VIRTIO_MMIO + HL_VIRTIO_MMIO_STEP * nr_vdevs +
			       random_below(&r, 0x10000);
		mmio_touch(addr, &r);
	}
	/* Registers that end the machine, with values that must not. */
	mmio_write(HL_POWER_MMIO, 4, 0x77);
	mmio_write(HL_POWER_MMIO + 8, 4, HL_POWER_OFF);
	mmio_write(HL_PVPANIC_MMIO, 1, 0);
	mmio_write(HL_PVPANIC_MMIO, 1, 2);
	check(mmio_read(HL_PVPANIC_MMIO, 1) & 1, "pvpanic reads %x",
	      mmio_read(HL_PVPANIC_MMIO, 1));
	check(mmio_read(0xcf000000, 4) == 0xffffffff,
	      "nothing at 0xcf000000 reads as %x", mmio_read(0xcf000000, 4));
	for (unsigned int i = 0; i < nr_vdevs; i++)
		vdev_must_work(&vdevs[i], "accesses to device memory");
	print("  %u addresses\n", n);
}

/* Not these: they move what we run on. */
static bool msr_is_ours(uint32_t msr)
{
	return msr == 0x1b || msr == 0xc0000080 || msr == 0xc0000101 ||
	       msr == 0x10 || msr == 0x11 || msr == 0x12 || msr == 0x277 ||
	       msr == 0x830 || (msr >= 0x200 && msr < 0x300) ||
	       (msr & ~0xffu) == 0x4b564d00;
}

void test_msr(void)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
		{ 0, 0x300 },
		{ 0x400, 0x4a0 },
		{ 0x600, 0x680 },
		{ 0x800, 0x8ff },
		{ 0xda0, 0xdc0 },
		{ 0x40000000, 0x40000130 },
		{ 0xc0000080, 0xc0000110 },
		{ 0xc0010000, 0xc0010140 },
		{ 0xc0011000, 0xc0011040 },
		{ 0x12345678, 0x12345688 },
		{ 0xfffffff0, 0xffffffff },
	};
	struct random r = { param("seed", 17) };
	unsigned int trapped = 0, total = 0;
	uint64_t val;

	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++)
		for (uint32_t m = ranges[i].from; m < ranges[i].to; m++) {
			int bad = try_rdmsr(m, &val);

			trapped += bad != 0;
			total++;
			if (msr_is_ours(m))
				continue;
			try_wrmsr(m, random_wide(&r));
			if (!bad)
				try_wrmsr(m, val);
		}
	check(try_rdmsr(0x12345678, &val), "an MSR that is not there reads");
	check(trapped && trapped < total, "%u of %u MSRs trap",
	      (uint64_t)trapped, (uint64_t)total);
	print("  %u MSRs\n", (uint64_t)total);
}

static void ioapic_write(uint32_t index, uint32_t val)
{
	mmio_write(IOAPIC, 4, index);
	mmio_write(IOAPIC + IOAPIC_WINDOW, 4, val);
}

static uint32_t ioapic_read(uint32_t index)
{
	mmio_write(IOAPIC, 4, index);
	return (uint32_t)mmio_read(IOAPIC + IOAPIC_WINDOW, 4);
}

static void ioapic_mask_all(void)
{
	for (uint32_t pin = 0; pin < 24; pin++) {
		ioapic_write(0x10 + 2 * pin, RTE_MASKED);
		ioapic_write(0x11 + 2 * pin, 0);
	}
}

/* Level mode needs an acknowledgement through the local APIC to go on. */
static void ioapic_interrupts(uint32_t mode)
{
	struct vdev *d = vdev_find(VIRTIO_RNG, 0);
	uint32_t pins = (ioapic_read(1) >> 16 & 0xff) + 1;
	unsigned int before = trap_irqs;

	if (!d)
		return;
	for (uint32_t pin = 0; pin < pins; pin++) {
		ioapic_write(0x11 + 2 * pin, 0);
		ioapic_write(0x10 + 2 * pin, (0x40 + pin) | mode);
	}
	__asm__ volatile("sti");
	for (unsigned int i = 0; i < 4; i++)
		vdev_works(d);
	__asm__ volatile("cli");
	check(trap_irqs > before, "no interrupt in mode %x", (uint64_t)mode);
	ioapic_mask_all();
}

void test_ioapic(void)
{
	struct random r = { param("seed", 19) };
	uint64_t n = param("n", 1000);

	ioapic_interrupts(0);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t val = random_next(&r) << 1;

		/* INIT and SIPI to ourselves would be the end of us. */
		if ((val >> 8 & 7) == 5 || (val >> 8 & 7) == 6)
			val |= RTE_MASKED;
		if (random_below(&r, 4))
			ioapic_write(random_below(&r, 2) ? random_below(&r, 64)
							 : random_next(&r),
				     val);
		else
			mmio_write(IOAPIC + 0x20 + random_below(&r, 0xf00),
				   1u << random_below(&r, 4), random_wide(&r));
		if (!random_below(&r, 16))
			mmio_read(IOAPIC + random_below(&r, 0x40),
				  1u << random_below(&r, 4));
	}
	ioapic_mask_all();
	check((ioapic_read(1) & 0xff) == 0x11, "IOAPIC version %x",
	      (uint64_t)ioapic_read(1));
	ioapic_interrupts(0);
	ioapic_interrupts(0x8000);
	for (unsigned int i = 0; i < nr_vdevs; i++)
		vdev_must_work(&vdevs[i], "IOAPIC nonsense");
	print("  %u writes\n", n);
}
