// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine as ACPI tables, hardware-reduced (ACPI 6.5, 4.1): no PIC, no PIT,
 * no PM timer, no SCI.  In one block: RSDP, XSDT, FADT, MADT, DSDT.
 */
#include <stdio.h>
#include <string.h>

#include "include/hotline/platform.h"
#include "vmm/boot/aml.h"
#include "vmm/boot/parts.h"
#include "vmm/core/machine.h"

#define OEM_ID		   "HOTLIN"   /* 6 */
#define OEM_TABLE_ID	   "HOTLINE " /* 8 */
#define CREATOR_ID	   "HOTL"     /* 4 */

#define HEADER_LEN	   36
#define HEADER_SUM	   9 /* offset of the checksum */
#define HEADER_SIZE	   4 /* offset of the length */

#define RSDP_LEN	   36
#define RSDP_V1_LEN	   20 /* what the first checksum covers */

#define FADT_LEN	   276
#define FADT_MINOR	   5 /* of ACPI 6.5 */
#define FADT_WBINVD	   (1u << 0)
#define FADT_PWR_BUTTON	   (1u << 4) /* no fixed power button */
#define FADT_SLP_BUTTON	   (1u << 5) /* no fixed sleep button */
#define FADT_RESET_REG_SUP (1u << 10)
#define FADT_HW_REDUCED	   (1u << 20)
#define FADT_NO_VGA	   (1u << 2)
#define FADT_NO_RTC	   (1u << 5)

#define MADT_LAPIC	   0
#define MADT_IOAPIC	   1
#define MADT_ENABLED	   1

#define SPACE_IO	   1 /* generic address structure: system I/O */
#define ACCESS_BYTE	   1

static void put_pad(struct aml *a, size_t upto)
{
	while (!a->full && a->len < upto)
		aml_raw(a, 0, 1);
}

static void set_checksum(uint8_t *table, size_t len, size_t at)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + table[i]);
	table[at] = (uint8_t)(table[at] - sum);
}

static size_t open_table(struct aml *a, const char *sig, uint8_t revision)
{
	size_t start;

	put_pad(a, (a->len + 15) & ~(size_t)15);
	start = a->len;
	aml_bytes(a, sig, 4);
	aml_raw(a, 0, 4); /* length */
	aml_raw(a, revision, 1);
	aml_raw(a, 0, 1); /* checksum */
	aml_bytes(a, OEM_ID, 6);
	aml_bytes(a, OEM_TABLE_ID, 8);
	aml_raw(a, 1, 4);
	aml_bytes(a, CREATOR_ID, 4);
	aml_raw(a, 1, 4);
	return start;
}

static void close_table(struct aml *a, size_t start)
{
	uint32_t len = (uint32_t)(a->len - start);

	if (a->full)
		return;
	memcpy(a->buf + start + HEADER_SIZE, &len, sizeof(len));
	set_checksum(a->buf + start, len, HEADER_SUM);
}

static bool has_dev(const struct machine_desc *desc, enum machine_dev_kind kind)
{
	for (unsigned int i = 0; i < desc->nr_dev; i++)
		if (desc->dev[i].kind == kind)
			return true;
	return false;
}

/* A byte-wide port as a generic address structure (ACPI 6.5, 5.2.3.2). */
static void put_port(struct aml *a, uint16_t port)
{
	aml_raw(a, SPACE_IO, 1);
	aml_raw(a, 8, 1); /* bits */
	aml_raw(a, 0, 1); /* bit offset */
	aml_raw(a, ACCESS_BYTE, 1);
	aml_raw(a, port, 8);
}

/* ACPI 6.5, 5.2.9; what is not written is zero, i.e. absent. */
static size_t put_fadt(struct aml *a, const struct machine_desc *desc,
		       uint64_t dsdt)
{
	size_t start = open_table(a, "FACP", 6);
	bool power = has_dev(desc, DEV_POWER);
	uint32_t flags = FADT_WBINVD | FADT_PWR_BUTTON | FADT_SLP_BUTTON |
			 FADT_HW_REDUCED | (power ? FADT_RESET_REG_SUP : 0);

	put_pad(a, start + 109);
	aml_raw(a, FADT_NO_VGA | FADT_NO_RTC, 2);
	aml_raw(a, 0, 1);
	aml_raw(a, flags, 4);
	if (power) {
		put_port(a, HL_POWER_PORT);
		aml_raw(a, HL_POWER_RESET, 1);
	}
	put_pad(a, start + 131);
	aml_raw(a, FADT_MINOR, 1);
	put_pad(a, start + 140);
	aml_raw(a, dsdt, 8); /* X_DSDT */
	put_pad(a, start + 244);
	if (power) {
		put_port(a, HL_POWER_PORT);	/* sleep control */
		put_port(a, HL_POWER_PORT + 1); /* sleep status */
	}
	put_pad(a, start + FADT_LEN);
	close_table(a, start);
	return start;
}

/* ACPI 6.5, 5.2.12.  No override: without a PIC, GSIs are just GSIs. */
static size_t put_madt(struct aml *a, const struct machine_desc *desc)
{
	size_t start = open_table(a, "APIC", 6);

	aml_raw(a, desc->lapic_base, 4);
	aml_raw(a, 0, 4); /* no PC-AT PICs */
	for (unsigned int id = 0; id < desc->cpus; id++) {
		aml_raw(a, MADT_LAPIC, 1);
		aml_raw(a, 8, 1);
		aml_raw(a, id, 1); /* processor uid */
		aml_raw(a, id, 1); /* APIC id */
		aml_raw(a, MADT_ENABLED, 4);
	}
	aml_raw(a, MADT_IOAPIC, 1);
	aml_raw(a, 12, 1);
	aml_raw(a, desc->ioapic_id, 1);
	aml_raw(a, 0, 1);
	aml_raw(a, desc->ioapic_base, 4);
	aml_raw(a, 0, 4); /* first GSI */
	close_table(a, start);
	return start;
}

/* How each kind of device is called; {} = it is described elsewhere. */
static const struct {
	const char *prefix;    /* of the four-letter name */
	const char *hid, *cid; /* cid: or NULL */
	bool pnp;	       /* hid is an EISA id */
	bool io;	       /* base is a port */
} kinds[] = {
	[DEV_VIRTIO_MMIO] = { .prefix = "VR", .hid = "LNRO0005" },
	[DEV_SERIAL] = { .prefix = "UR",
			 .hid = "PNP0501",
			 .pnp = true,
			 .io = true },
	[DEV_POWER] = {}, /* the FADT has it */
	[DEV_PVPANIC] = { .prefix = "PV", .hid = "QEMU0001" },
	[DEV_CLOCK] = { .prefix = "CK", .hid = "AMZNC10C", .cid = "VMCLOCK" },
};

static bool sayable(const struct machine_dev *dev)
{
	if (kinds[dev->kind].io)
		return dev->base <= UINT16_MAX && dev->size <= UINT8_MAX;
	return dev->base <= UINT32_MAX && dev->size <= UINT32_MAX;
}

static void put_dev(struct aml *a, const struct machine_dev *dev,
		    unsigned int uid)
{
	struct aml_template crs;
	size_t mark;
	char name[8];

	if (!sayable(dev)) {
		a->full = true;
		return;
	}
	snprintf(name, sizeof(name), "%s%02X", kinds[dev->kind].prefix,
		 uid & 0xff);
	mark = aml_open_device(a, name);
	aml_name(a, "_HID");
	if (kinds[dev->kind].pnp)
		aml_eisaid(a, kinds[dev->kind].hid);
	else
		aml_string(a, kinds[dev->kind].hid);
	if (kinds[dev->kind].cid) {
		aml_name(a, "_CID");
		aml_string(a, kinds[dev->kind].cid);
	}
	aml_name(a, "_UID");
	aml_int(a, uid);
	aml_name(a, "_CRS");
	crs = aml_open_template(a);
	if (kinds[dev->kind].io)
		aml_io(a, (uint16_t)dev->base, (uint8_t)dev->size);
	else
		aml_memory32(a, (uint32_t)dev->base, (uint32_t)dev->size);
	if (dev->irq != MACHINE_NO_IRQ)
		aml_interrupt(a, dev->irq);
	aml_close_template(a, crs);
	aml_close(a, mark);
}

/* \_S5: the sleep type that turns HL_POWER_PORT's value into "off". */
static void put_s5(struct aml *a)
{
	size_t mark;

	aml_name(a, "_S5_");
	mark = aml_open_package(a, 4);
	aml_int(a, HL_POWER_OFF >> 2 & 7);
	for (int i = 1; i < 4; i++)
		aml_int(a, 0);
	aml_close(a, mark);
}

static size_t put_dsdt(struct aml *a, const struct machine_desc *desc)
{
	size_t start = open_table(a, "DSDT", 2);
	size_t mark = aml_open_scope(a, "_SB_");

	for (unsigned int i = 0; i < desc->nr_dev; i++)
		if (kinds[desc->dev[i].kind].hid)
			put_dev(a, &desc->dev[i], i);
	aml_close(a, mark);
	if (has_dev(desc, DEV_POWER))
		put_s5(a);
	close_table(a, start);
	return start;
}

/* ACPI 6.5, 5.2.5.3 */
static void put_rsdp(struct aml *a, uint64_t xsdt)
{
	if (a->cap < RSDP_LEN) {
		a->full = true;
		return;
	}
	a->len = 0;
	aml_bytes(a, "RSD PTR ", 8);
	aml_raw(a, 0, 1); /* checksum of version 1 */
	aml_bytes(a, OEM_ID, 6);
	aml_raw(a, 2, 1);
	aml_raw(a, 0, 4); /* no RSDT */
	aml_raw(a, RSDP_LEN, 4);
	aml_raw(a, xsdt, 8);
	aml_raw(a, 0, 1); /* checksum of all */
	aml_raw(a, 0, 3);
	set_checksum(a->buf, RSDP_V1_LEN, 8);
	set_checksum(a->buf, RSDP_LEN, 32);
}

size_t acpi_build(const struct machine_desc *desc, uint64_t base, void *buf,
		  size_t cap)
{
	struct aml a = { .buf = buf, .cap = cap };
	size_t dsdt, fadt, madt, xsdt, len;

	if (desc->lapic_base > UINT32_MAX || desc->ioapic_base > UINT32_MAX)
		return 0;
	put_pad(&a, RSDP_LEN);
	dsdt = put_dsdt(&a, desc);
	fadt = put_fadt(&a, desc, base + dsdt);
	madt = put_madt(&a, desc);
	xsdt = open_table(&a, "XSDT", 1);
	aml_raw(&a, base + fadt, 8);
	aml_raw(&a, base + madt, 8);
	close_table(&a, xsdt);
	len = a.len;
	put_rsdp(&a, base + xsdt);
	return a.full ? 0 : len;
}
