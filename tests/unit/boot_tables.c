// SPDX-License-Identifier: GPL-2.0-only
/* The device tree and the ACPI tables against their readers. */
#include <check.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/hotline/platform.h"
#include "lib_boot.h"
#include "tests/unit/lib_run.h"
#include "vmm/boot/aml.h"
#include "vmm/boot/boot.h"
#include "vmm/boot/layout.h"
#include "vmm/boot/parts.h"
#include "vmm/core/vm.h"

#define CAP (LAYOUT_ACPI_END - LAYOUT_ACPI)

static void *tree(const struct machine_desc *desc)
{
	size_t len = 0;
	void *fdt = fdt_build(desc, &len);

	ck_assert_ptr_nonnull(fdt);
	ck_assert_int_eq(fdt_check_full(fdt, len), 0);
	return fdt;
}

static uint32_t cell(const void *fdt, int node, const char *name, int i)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, name, &len);

	ck_assert_msg(p && len >= (i + 1) * 4, "%s", name);
	return fdt32_to_cpu(p[i]);
}

static int path(const void *fdt, const char *name)
{
	int node = fdt_path_offset(fdt, name);

	ck_assert_msg(node >= 0, "%s", name);
	return node;
}

START_TEST(fdt_has_what_linux_reads)
{
	struct machine_desc desc;
	int node;
	void *fdt;

	boot_desc(&desc, 3, 128);
	fdt = tree(&desc);
	ck_assert_int_eq(fdt_node_check_compatible(fdt, 0, "hotline,vm"), 0);
	ck_assert_str_eq(fdt_getprop(fdt, path(fdt, "/chosen"), "bootargs",
				     NULL),
			 desc.cmdline);
	ck_assert_uint_eq(cell(fdt, path(fdt, "/cpus/cpu@2"), "reg", 0), 2);
	ck_assert_int_lt(fdt_path_offset(fdt, "/cpus/cpu@3"), 0);
	node = path(fdt, "/interrupt-controller@fec00000");
	ck_assert_uint_eq(cell(fdt, node, "phandle", 0),
			  cell(fdt, 0, "interrupt-parent", 0));
	node = path(fdt, "/interrupt-controller@fee00000");
	ck_assert_ptr_nonnull(
		fdt_getprop(fdt, node, "intel,virtual-wire-mode", NULL));
	node = path(fdt, "/soc/virtio@d0011000");
	ck_assert_uint_eq(cell(fdt, node, "reg", 0), 0xd0011000);
	ck_assert_uint_eq(cell(fdt, node, "reg", 1), HL_VIRTIO_MMIO_SIZE);
	ck_assert_uint_eq(cell(fdt, node, "interrupts", 0), 6);
	ck_assert_uint_eq(cell(fdt, node, "interrupts", 1), 3);
	ck_assert_ptr_null(
		fdt_getprop(fdt, node, "hotline,doorbell-port", NULL));
	node = path(fdt, "/soc/virtio@d0010000");
	ck_assert_uint_eq(cell(fdt, node, "hotline,doorbell-port", 0),
			  HL_DOORBELL_PORT);
	ck_assert_ptr_nonnull(
		fdt_getprop(fdt, node, "hotline,sticky-status", NULL));
	node = path(fdt, "/isa@0/serial@i3f8");
	ck_assert_uint_eq(cell(fdt, node, "reg", 0), 1);
	ck_assert_uint_eq(cell(fdt, node, "reg", 1), 0x3f8);
	ck_assert_uint_eq(cell(fdt, node, "clock-frequency", 0), 1843200);
	node = path(fdt, "/soc/pvpanic@d0001000");
	ck_assert_ptr_null(fdt_getprop(fdt, node, "interrupts", NULL));
	node = path(fdt, "/soc/ptp@d0003000");
	ck_assert_int_eq(fdt_node_check_compatible(fdt, node, "amazon,vmclock"),
			 0);
	ck_assert_uint_eq(cell(fdt, node, "reg", 0), HL_CLOCK_MMIO);
	ck_assert_uint_eq(cell(fdt, node, "reg", 1), HL_CLOCK_MMIO_SIZE);
	ck_assert_uint_eq(cell(fdt, node, "interrupts", 0), 10);
	node = path(fdt, "/hypercall");
	ck_assert_uint_eq(cell(fdt, node, "hotline,ports", 0), HL_LINE_PORT);
	ck_assert_uint_eq(cell(fdt, node, "hotline,features", 0), 5);
	ck_assert_uint_eq(cell(fdt, node, "hotline,features", 1), 3);
	ck_assert_uint_eq(cell(fdt, node, "hotline,transports", 0), 2);
	ck_assert_uint_eq(cell(fdt, node, "hotline,rings", 0), 4);
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(cell(fdt, node, "interrupts", 2 * i), 9 + i);
		ck_assert_uint_eq(cell(fdt, node, "interrupts", 2 * i + 1), 3);
	}
	node = path(fdt, "/poweroff");
	ck_assert_uint_eq(cell(fdt, node, "value", 0), HL_POWER_OFF);
	ck_assert_int_eq(
		fdt_node_offset_by_phandle(fdt, cell(fdt, node, "regmap", 0)),
		path(fdt, "/soc/power@d0000000"));
	free(fdt);
}
END_TEST

static void biggest_machine(struct machine_desc *desc)
{
	boot_desc(desc, VM_MAX_CPUS, 128);
	while (desc->nr_dev < MACHINE_DEVS) {
		desc->dev[desc->nr_dev] = (struct machine_dev){
			DEV_VIRTIO_MMIO,
			HL_VIRTIO_MMIO + desc->nr_dev * HL_VIRTIO_MMIO_STEP,
			HL_VIRTIO_MMIO_SIZE, desc->nr_dev % 24, HL_DOORBELL_PORT
		};
		desc->nr_dev++;
	}
}

START_TEST(biggest_machine_fits)
{
	struct machine_desc desc;
	uint8_t *buf = malloc(CAP);
	size_t len = 0;
	void *fdt;

	biggest_machine(&desc);
	fdt = fdt_build(&desc, &len);
	ck_assert_ptr_nonnull(fdt);
	ck_assert_uint_lt(len, LAYOUT_SETUP_DATA_END - LAYOUT_SETUP_DATA - 128);
	ck_assert_uint_gt(acpi_build(&desc, LAYOUT_ACPI, buf, CAP), 0);
	free(fdt);
	free(buf);
}
END_TEST

START_TEST(unsayable_addresses_are_errors)
{
	struct machine_desc desc;
	static uint8_t buf[CAP];
	size_t len;

	boot_desc(&desc, 1, 128);
	desc.dev[0].base = 1ull << 32;
	ck_assert_ptr_null(fdt_build(&desc, &len));
	ck_assert_uint_eq(acpi_build(&desc, LAYOUT_ACPI, buf, CAP), 0);
	boot_desc(&desc, 1, 128);
	desc.dev[2].base = 0x10000; /* a port */
	ck_assert_ptr_null(fdt_build(&desc, &len));
	ck_assert_uint_eq(acpi_build(&desc, LAYOUT_ACPI, buf, CAP), 0);
}
END_TEST

static void to_file(const char *dir, const char *name, const void *p,
		    size_t len)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", dir, name);
	f = fopen(full, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(p, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(dtc_finds_nothing_wrong)
{
	char dir[] = "/tmp/hotline-test-XXXXXX", cmd[512];
	struct machine_desc desc;
	void *fdt;

	if (!boot_has_program("dtc"))
		return;
	boot_desc(&desc, 2, 128);
	fdt = tree(&desc);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	to_file(dir, "a.dtb", fdt, fdt_totalsize(fdt));
	/* dtc does not know the i... unit names of an ISA bus. */
	snprintf(cmd, sizeof(cmd),
		 "cd %s && dtc -W no-unit_address_format -I dtb -O dts a.dtb "
		 ">a.dts 2>err; rc=$?; cat err >&2; "
		 "[ $rc = 0 ] && ! [ -s err ]; rc=$?; rm -r %s; exit $rc",
		 dir, dir);
	ck_assert_int_eq(boot_shell(cmd), 0);
	free(fdt);
}
END_TEST

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s = (uint8_t)(s + *p++);
	return s;
}

/* Guest address of a table in a block that is meant for LAYOUT_ACPI. */
static const uint8_t *at(const uint8_t *block, size_t len, uint64_t addr)
{
	ck_assert_uint_ge(addr, LAYOUT_ACPI);
	ck_assert_uint_lt(addr, LAYOUT_ACPI + len);
	return block + (addr - LAYOUT_ACPI);
}

static const uint8_t *table(const uint8_t *block, size_t len, uint64_t addr,
			    const char *sig)
{
	const uint8_t *t = at(block, len, addr);

	ck_assert_mem_eq(t, sig, 4);
	ck_assert_uint_eq(sum(t, boot_get(t + 4, 4)), 0);
	return t;
}

START_TEST(acpi_tables_are_linked_and_summed)
{
	static uint8_t b[CAP];
	struct machine_desc desc;
	const uint8_t *xsdt, *fadt, *madt;
	size_t len;

	boot_desc(&desc, 4, 128);
	len = acpi_build(&desc, LAYOUT_ACPI, b, CAP);
	ck_assert_uint_gt(len, 0);
	ck_assert_mem_eq(b, "RSD PTR ", 8);
	ck_assert_uint_eq(sum(b, 20), 0);
	ck_assert_uint_eq(sum(b, 36), 0);
	xsdt = table(b, len, boot_get(b + 24, 8), "XSDT");
	fadt = table(b, len, boot_get(xsdt + 36, 8), "FACP");
	madt = table(b, len, boot_get(xsdt + 44, 8), "APIC");
	table(b, len, boot_get(fadt + 140, 8), "DSDT");
	ck_assert_uint_eq(boot_get(fadt + 4, 4), 276);
	ck_assert_uint_eq(boot_get(fadt + 109, 2), 1 << 2 | 1 << 5);
	ck_assert_uint_eq(boot_get(fadt + 112, 4),
			  1 | 1 << 4 | 1 << 5 | 1 << 10 | 1 << 20);
	ck_assert_uint_eq(boot_get(fadt + 120, 8), HL_POWER_PORT);
	ck_assert_uint_eq(boot_get(fadt + 128, 1), HL_POWER_RESET);
	ck_assert_uint_eq(boot_get(fadt + 248, 8), HL_POWER_PORT);
	ck_assert_uint_eq(boot_get(fadt + 260, 8), HL_POWER_PORT + 1);
	ck_assert_uint_eq(boot_get(madt + 4, 4), 44 + 4 * 8 + 12);
	ck_assert_uint_eq(boot_get(madt + 44 + 3 * 8 + 3, 1), 3);
	ck_assert_uint_eq(boot_get(madt + 44 + 4 * 8 + 4, 4), 0xfec00000);
	ck_assert_ptr_nonnull(memmem(b, len, "_HID\rAMZNC10C", 14));
	ck_assert_ptr_nonnull(memmem(b, len, "_CID\rVMCLOCK", 13));
}
END_TEST

START_TEST(acpi_without_power)
{
	static uint8_t b[CAP];
	struct machine_desc desc;
	const uint8_t *fadt;
	size_t len;

	boot_desc(&desc, 1, 128);
	desc.nr_dev = 2;
	len = acpi_build(&desc, LAYOUT_ACPI, b, CAP);
	fadt = at(b, len, boot_get(at(b, len, boot_get(b + 24, 8)) + 36, 8));
	ck_assert_uint_eq(boot_get(fadt + 112, 4) & 1 << 10, 0);
	ck_assert_uint_eq(boot_get(fadt + 248, 8), 0);
	ck_assert_ptr_null(memmem(b, len, "_S5_", 4));
}
END_TEST

/* ASan watches the end of the buffer. */
START_TEST(acpi_stays_in_its_buffer)
{
	struct machine_desc desc;
	size_t full, cap;

	boot_desc(&desc, 2, 128);
	for (full = 0, cap = 0; !full && cap < CAP; cap++) {
		uint8_t *b = malloc(cap ? cap : 1);

		full = acpi_build(&desc, LAYOUT_ACPI, b, cap);
		ck_assert(!full || full <= cap);
		free(b);
	}
	ck_assert_uint_gt(full, 500);
	ck_assert_uint_eq(full, cap - 1);
}
END_TEST

static void dump_tables(const char *dir, const uint8_t *b, size_t len)
{
	const uint8_t *xsdt = at(b, len, boot_get(b + 24, 8));
	const uint8_t *fadt = at(b, len, boot_get(xsdt + 36, 8));
	const uint8_t *madt = at(b, len, boot_get(xsdt + 44, 8));
	const uint8_t *dsdt = at(b, len, boot_get(fadt + 140, 8));

	to_file(dir, "xsdt.dat", xsdt, boot_get(xsdt + 4, 4));
	to_file(dir, "fadt.dat", fadt, boot_get(fadt + 4, 4));
	to_file(dir, "madt.dat", madt, boot_get(madt + 4, 4));
	to_file(dir, "dsdt.dat", dsdt, boot_get(dsdt + 4, 4));
}

/* Disassembled and compiled again, the DSDT is the same but for the header. */
START_TEST(iasl_finds_nothing_wrong)
{
	static uint8_t b[CAP];
	char dir[] = "/tmp/hotline-test-XXXXXX", cmd[1024];
	struct machine_desc desc;
	size_t len;

	if (!boot_has_program("iasl"))
		return;
	if (_i)
		biggest_machine(&desc);
	else
		boot_desc(&desc, 2, 128);
	len = acpi_build(&desc, LAYOUT_ACPI, b, CAP);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	dump_tables(dir, b, len);
	snprintf(cmd, sizeof(cmd),
		 "cd %s && { iasl -d *.dat && mkdir out && iasl -p out/dsdt "
		 "dsdt.dsl && "
		 "for t in xsdt fadt madt; do iasl -p out/$t $t.dsl || exit 1; "
		 "done; } >log 2>&1 && "
		 "! grep -iE 'error +[0-9]|warning "
		 "+[0-9]|invalid|incorrect|[1-9][0-9]* (errors|warnings)' log "
		 "&& "
		 "tail -c +37 dsdt.dat >a && tail -c +37 out/dsdt.aml >b && "
		 "cmp a b; "
		 "rc=$?; [ $rc = 0 ] || cat log >&2; rm -r %s; exit $rc",
		 dir, dir);
	ck_assert_int_eq(boot_shell(cmd), 0);
}
END_TEST

/* Around each length at which the encoding grows (ACPI 6.5, 20.2.4). */
START_TEST(aml_package_lengths)
{
	static const struct {
		size_t body;
		uint8_t enc[3];
		size_t enc_len;
	} rows[] = {
		{ 0, { 0x01 }, 1 },
		{ 62, { 0x3f }, 1 },
		{ 63, { 0x41, 0x04 }, 2 },
		{ 4093, { 0x4f, 0xff }, 2 },
		{ 4094, { 0x81, 0x00, 0x01 }, 3 },
	};
	static uint8_t buf[8192], body[8192];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct aml a = { .buf = buf, .cap = sizeof(buf) };

		aml_bytes(&a, body, rows[i].body);
		aml_close(&a, 0);
		ck_assert_uint_eq(a.len, rows[i].body + rows[i].enc_len);
		ck_assert_mem_eq(buf, rows[i].enc, rows[i].enc_len);
	}
}
END_TEST

START_TEST(aml_eisa_ids)
{
	uint8_t buf[8];
	struct aml a = { .buf = buf, .cap = sizeof(buf) };

	aml_eisaid(&a, "PNP0501"); /* ACPI 6.5, 19.3.4 */
	ck_assert_uint_eq(a.len, 5);
	ck_assert_mem_eq(buf, "\x0c\x41\xd0\x05\x01", 5);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("boot_tables");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, fdt_has_what_linux_reads);
	tcase_add_test(tc, biggest_machine_fits);
	tcase_add_test(tc, unsayable_addresses_are_errors);
	tcase_add_test(tc, dtc_finds_nothing_wrong);
	tcase_add_test(tc, acpi_tables_are_linked_and_summed);
	tcase_add_test(tc, acpi_without_power);
	tcase_add_test(tc, acpi_stays_in_its_buffer);
	tcase_add_loop_test(tc, iasl_finds_nothing_wrong, 0, 2);
	tcase_add_test(tc, aml_package_lengths);
	tcase_add_test(tc, aml_eisa_ids);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
