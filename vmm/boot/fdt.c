// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine as a device tree, in the form that Linux reads on x86
 * (arch/x86/kernel/devicetree.c).  Memory, initrd and seed are not in it:
 * x86 takes them from struct boot_params, and a seed left in the tree would
 * stay readable under /proc.
 */
#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/hotline/platform.h"
#include "vmm/boot/boot.h"

/* Phandles. */
#define PH_IOAPIC   1
#define PH_POWER    2

#define EDGE_RISING 3	    /* devicetree.c: of_ioapic_type[] */
#define ISA_IO	    1	    /* first address cell on an ISA bus */
#define UART_CLOCK  1843200 /* Hz */

/* Bytes, generous; the block is packed by what is used of it. */
#define ROOM_FIXED 4096
#define ROOM_CPU   192
#define ROOM_DEV   512

struct tree {
	void *fdt;
	int err; /* first libfdt error, or 0 */
};

static void note(struct tree *t, int err)
{
	if (!t->err)
		t->err = err;
}

static void open_node(struct tree *t, const char *name)
{
	note(t, fdt_begin_node(t->fdt, name));
}

static void open_node_at(struct tree *t, const char *name, uint64_t addr)
{
	char full[48];

	snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)addr);
	open_node(t, full);
}

static void close_node(struct tree *t)
{
	note(t, fdt_end_node(t->fdt));
}

static void put_string(struct tree *t, const char *name, const char *s)
{
	note(t, fdt_property_string(t->fdt, name, s));
}

static void put_u32(struct tree *t, const char *name, uint32_t v)
{
	note(t, fdt_property_u32(t->fdt, name, v));
}

static void put_empty(struct tree *t, const char *name)
{
	note(t, fdt_property(t->fdt, name, NULL, 0));
}

#define CELLS_MAX (2 * MACHINE_RINGS)

static void put_cells(struct tree *t, const char *name, unsigned int nr,
		      const uint32_t *v)
{
	fdt32_t cell[CELLS_MAX];

	for (unsigned int i = 0; i < nr; i++)
		cell[i] = cpu_to_fdt32(v[i]);
	note(t, fdt_property(t->fdt, name, cell, (int)(nr * sizeof(cell[0]))));
}

#define CELLS(t, name, ...)                                                    \
	put_cells(t, name,                                                     \
		  sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t),      \
		  (const uint32_t[]){ __VA_ARGS__ })

/* #address-cells of 1: everything the tree names lies below 4 GiB. */
static void put_reg(struct tree *t, uint64_t base, uint64_t size)
{
	if (base > UINT32_MAX || size > UINT32_MAX)
		note(t, -FDT_ERR_BADVALUE);
	CELLS(t, "reg", (uint32_t)base, (uint32_t)size);
}

static void put_cpus(struct tree *t, const struct machine_desc *desc)
{
	open_node(t, "cpus");
	put_u32(t, "#address-cells", 1);
	put_u32(t, "#size-cells", 0);
	for (unsigned int id = 0; id < desc->cpus; id++) {
		open_node_at(t, "cpu", id);
		put_string(t, "device_type", "cpu");
		put_string(t, "compatible", "x86");
		put_u32(t, "reg", id); /* APIC id */
		close_node(t);
	}
	close_node(t);
}

static void put_apics(struct tree *t, const struct machine_desc *desc)
{
	open_node_at(t, "interrupt-controller", desc->lapic_base);
	put_string(t, "compatible", "intel,ce4100-lapic");
	put_reg(t, desc->lapic_base, 0x1000);
	put_empty(t, "intel,virtual-wire-mode"); /* there is no PIC */
	close_node(t);

	open_node_at(t, "interrupt-controller", desc->ioapic_base);
	put_string(t, "compatible", "intel,ce4100-ioapic");
	put_reg(t, desc->ioapic_base, 0x1000);
	put_empty(t, "interrupt-controller");
	put_u32(t, "#address-cells", 0);
	put_u32(t, "#interrupt-cells", 2);
	put_u32(t, "phandle", PH_IOAPIC);
	close_node(t);
}

static void put_irq(struct tree *t, const struct machine_dev *dev)
{
	if (dev->irq != MACHINE_NO_IRQ)
		CELLS(t, "interrupts", dev->irq, EDGE_RISING);
}

static void put_virtio(struct tree *t, const struct machine_dev *dev)
{
	open_node_at(t, "virtio", dev->base);
	put_string(t, "compatible", "virtio,mmio");
	put_reg(t, dev->base, dev->size);
	put_irq(t, dev);
	/* Our guest kernel's additions to the binding (its patch 12). */
	if (dev->doorbell)
		CELLS(t, "hotline,doorbell-port", dev->doorbell);
	put_empty(t, "hotline,sticky-status");
	close_node(t);
}

static void put_pvpanic(struct tree *t, const struct machine_dev *dev)
{
	open_node_at(t, "pvpanic", dev->base);
	put_string(t, "compatible", "qemu,pvpanic-mmio");
	put_reg(t, dev->base, dev->size);
	close_node(t);
}

static void put_clock(struct tree *t, const struct machine_dev *dev)
{
	open_node_at(t, "ptp", dev->base);
	put_string(t, "compatible", "amazon,vmclock");
	put_reg(t, dev->base, dev->size);
	put_irq(t, dev);
	close_node(t);
}

static void put_power(struct tree *t, const struct machine_dev *dev)
{
	open_node_at(t, "power", dev->base);
	put_string(t, "compatible", "syscon");
	put_reg(t, dev->base, dev->size);
	put_u32(t, "reg-io-width", 4);
	put_u32(t, "phandle", PH_POWER);
	close_node(t);
}

/* What the power register does; under the root, as the bindings want it. */
static void put_power_action(struct tree *t, const char *name,
			     const char *compatible, uint32_t value)
{
	open_node(t, name);
	put_string(t, "compatible", compatible);
	put_u32(t, "regmap", PH_POWER);
	put_u32(t, "offset", 0);
	put_u32(t, "value", value);
	close_node(t);
}

static void put_serial(struct tree *t, const struct machine_dev *dev)
{
	char name[32];

	if (dev->base > 0xffff || dev->size > 0x10000 - dev->base)
		note(t, -FDT_ERR_BADVALUE);
	snprintf(name, sizeof(name), "serial@i%x", (unsigned int)dev->base);
	open_node(t, name);
	put_string(t, "compatible", "ns16550a");
	CELLS(t, "reg", ISA_IO, (uint32_t)dev->base, (uint32_t)dev->size);
	put_irq(t, dev);
	put_u32(t, "clock-frequency", UART_CLOCK);
	close_node(t);
}

enum parent { ON_SOC, ON_ISA };

static const struct {
	enum parent parent;
	void (*put)(struct tree *t, const struct machine_dev *dev);
} kinds[] = {
	[DEV_VIRTIO_MMIO] = { ON_SOC, put_virtio },
	[DEV_SERIAL] = { ON_ISA, put_serial },
	[DEV_POWER] = { ON_SOC, put_power },
	[DEV_PVPANIC] = { ON_SOC, put_pvpanic },
	[DEV_CLOCK] = { ON_SOC, put_clock },
};

static void open_soc(struct tree *t)
{
	open_node(t, "soc");
	put_string(t, "compatible", "simple-bus");
	put_u32(t, "#address-cells", 1);
	put_u32(t, "#size-cells", 1);
	put_empty(t, "ranges");
}

/*
 * Linux knows an ISA bus by the node's name.  An empty ranges would carry the
 * "I/O" cell into the address, so say that ports map 1:1.
 */
static void open_isa(struct tree *t)
{
	open_node(t, "isa@0");
	put_string(t, "compatible", "isa");
	put_u32(t, "#address-cells", 2);
	put_u32(t, "#size-cells", 1);
	CELLS(t, "ranges", ISA_IO, 0, 0, 0x10000);
}

/* The bus and what is on it; no bus without devices. */
static void put_bus(struct tree *t, const struct machine_desc *desc,
		    enum parent parent, void (*open_bus)(struct tree *t))
{
	bool any = false;

	for (unsigned int i = 0; i < desc->nr_dev; i++) {
		const struct machine_dev *dev = &desc->dev[i];

		if (kinds[dev->kind].parent != parent)
			continue;
		if (!any)
			open_bus(t);
		any = true;
		kinds[dev->kind].put(t, dev);
	}
	if (any)
		close_node(t);
}

static void put_ring_irqs(struct tree *t, const struct machine_line *line)
{
	uint32_t cells[2 * MACHINE_RINGS];

	for (uint32_t i = 0; i < line->rings; i++) {
		cells[2 * i] = line->irq + i;
		cells[2 * i + 1] = EDGE_RISING;
	}
	put_cells(t, "interrupts", 2 * line->rings, cells);
}

static void put_line(struct tree *t, const struct machine_line *line)
{
	if (!line->transports)
		return;
	open_node(t, "hypercall");
	put_string(t, "compatible", "hotline,hypercall-1");
	put_u32(t, "hotline,ports", line->port);
	CELLS(t, "hotline,features", (uint32_t)(line->features >> 32),
	      (uint32_t)line->features);
	put_u32(t, "hotline,advice", line->advice);
	put_u32(t, "hotline,transports", line->transports);
	put_u32(t, "hotline,rings", line->rings);
	if (line->irq != MACHINE_NO_IRQ)
		put_ring_irqs(t, line);
	close_node(t);
}

static void put_root(struct tree *t, const struct machine_desc *desc)
{
	open_node(t, "");
	/* Linux takes a tree for empty without this property. */
	put_string(t, "compatible", "hotline,vm");
	put_string(t, "model", "hotline");
	put_u32(t, "#address-cells", 1);
	put_u32(t, "#size-cells", 1);
	put_u32(t, "interrupt-parent", PH_IOAPIC);
	open_node(t, "chosen");
	put_string(t, "bootargs", desc->cmdline);
	close_node(t);
	put_cpus(t, desc);
	put_apics(t, desc);
	put_bus(t, desc, ON_SOC, open_soc);
	put_bus(t, desc, ON_ISA, open_isa);
	put_line(t, &desc->line);
	for (unsigned int i = 0; i < desc->nr_dev; i++) {
		if (desc->dev[i].kind != DEV_POWER)
			continue;
		put_power_action(t, "poweroff", "syscon-poweroff",
				 HL_POWER_OFF);
		put_power_action(t, "reboot", "syscon-reboot", HL_POWER_RESET);
	}
	close_node(t);
}

void *fdt_build(const struct machine_desc *desc, size_t *len)
{
	size_t room = ROOM_FIXED + strlen(desc->cmdline) +
		      (size_t)desc->cpus * ROOM_CPU +
		      (size_t)desc->nr_dev * ROOM_DEV;
	struct tree t = { .fdt = malloc(room) };

	if (!t.fdt)
		return NULL;
	/* Looking for equal names costs more than storing them twice. */
	note(&t, fdt_create_with_flags(t.fdt, (int)room,
				       FDT_CREATE_FLAG_NO_NAME_DEDUP));
	note(&t, fdt_finish_reservemap(t.fdt));
	put_root(&t, desc);
	note(&t, fdt_finish(t.fdt));
	if (t.err) {
		free(t.fdt);
		errno = t.err == -FDT_ERR_NOSPACE ? ENOSPC : EINVAL;
		return NULL;
	}
	*len = fdt_totalsize(t.fdt);
	return t.fdt;
}
