/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine described once, as data.  The composition root fills it; the
 * device tree, the ACPI tables and the boot parameters are written from it.
 */
#ifndef CORE_MACHINE_H
#define CORE_MACHINE_H

#include <stdint.h>

enum machine_dev_kind {
	DEV_VIRTIO_MMIO,
	DEV_SERIAL, /* 16550 */
	DEV_POWER,  /* include/hotline/platform.h */
	DEV_PVPANIC,
	DEV_CLOCK, /* include/hotline/clock.h */
};

#define MACHINE_NO_IRQ 0xffffffff

struct machine_dev {
	enum machine_dev_kind kind;
	uint64_t base;	   /* MMIO address, or port for SERIAL */
	uint64_t size;	   /* bytes or ports */
	uint32_t irq;	   /* GSI, edge, active high; or MACHINE_NO_IRQ */
	uint16_t doorbell; /* VIRTIO_MMIO: port for kicks; 0 = none */
};

#define MACHINE_DEVS  24

#define MACHINE_RINGS 64

struct machine_line {	     /* include/hotline/hypercall.h */
	uint32_t transports; /* HL_TRANSPORT_*; 0: there is none */
	uint16_t port;
	uint64_t features; /* HL_FEATURE_* */
	uint32_t advice;   /* HL_ADVICE_* */
	uint32_t rings;	   /* up to MACHINE_RINGS */
	uint32_t irq; /* GSI of ring 0, the others follow; or MACHINE_NO_IRQ */
};

struct machine_range {
	uint64_t base, size;
};

struct machine_desc {
	unsigned int cpus; /* APIC ids 0..cpus-1 */
	struct machine_range ram[2];
	unsigned int nr_ram;
	uint64_t lapic_base;  /* 0xfee00000 */
	uint64_t ioapic_base; /* 0xfec00000 */
	unsigned int ioapic_id;
	unsigned int ioapic_pins;
	struct machine_dev dev[MACHINE_DEVS];
	unsigned int nr_dev;
	struct machine_line line;
	const char *cmdline; /* also /chosen bootargs */
};

#endif
