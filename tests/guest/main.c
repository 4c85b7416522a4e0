// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest of a few KiB that misbehaves on purpose.  What it does comes from
 * the command line:  t=NAME[,NAME...] seed=N n=N code=N.  It prints what it
 * did and ends by the exit port with 0 if all was as it should be, 1 if not.
 */
#include "virtio.h"

#include "include/hotline/platform.h"

/* struct boot_params (Linux, Documentation/arch/x86/zero-page.rst) */
#define E820_ENTRIES 0x1e8
#define CMD_LINE_PTR 0x228
#define E820_TABLE   0x2d0
#define E820_RAM     1

extern char cmdline[2048];
void guest_main(const uint8_t *params);

static void test_exit(void)
{
	finish((uint8_t)param("code", 0));
}

static void test_power(void)
{
	outb(HL_POWER_PORT, HL_POWER_OFF);
}

static void test_power_mmio(void)
{
	mmio_write(HL_POWER_MMIO, 4, HL_POWER_OFF);
}

static void test_reboot(void)
{
	outb(HL_POWER_PORT, HL_POWER_RESET);
}

static void test_panic(void)
{
	mmio_write(HL_PVPANIC_MMIO, 1, 1);
}

/* Where the watchdog shall find us, by name. */
static __attribute__((noinline)) void spin_here(void)
{
	for (;;)
		relax();
}

static void test_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void test_flood(void)
{
	for (;;)
		print("0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghij\n");
}

/* n=N lines, one every one to four seconds. */
static void test_chatter(void)
{
	for (uint64_t n = param("n", 1); n; n--) {
		struct deadline second = deadline_in(1);

		while (!deadline_over(&second))
			;
		print("  chatter %u\n", n);
	}
}

static const struct test {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "exit", test_exit },
	{ "power", test_power },
	{ "power-mmio", test_power_mmio },
	{ "reboot", test_reboot },
	{ "panic", test_panic },
	{ "triple", triple_fault },
	{ "spin", spin_here },
	{ "halt", test_halt },
	{ "flood", test_flood },
	{ "chatter", test_chatter },
	{ "chains", test_chains },
	{ "registers", test_registers },
	{ "blk", test_blk },
	{ "net", test_net },
	{ "console", test_console },
	{ "reset", test_reset },
	{ "fuzz", test_fuzz },
	{ "race", test_race },
	{ "ports", test_ports },
	{ "mmio", test_mmio },
	{ "msr", test_msr },
	{ "ioapic", test_ioapic },
	{ "line", test_line },
	{ "clock", test_clock },
	{ "noclock", test_noclock },
	{ "msrlist", test_msr_list },
	{ "timer", test_timer },
	{ "timer-halt", test_timer_halt },
};

static void take_params(const uint8_t *params)
{
	const char *from = (const char *)(uintptr_t) *
			   (const uint32_t *)(params + CMD_LINE_PTR);
	const uint8_t *e = params + E820_TABLE;

	for (unsigned int i = 0; from && i + 1 < sizeof(cmdline) && from[i];
	     i++)
		cmdline[i] = from[i];
	for (unsigned int i = 0; i < params[E820_ENTRIES]; i++, e += 20) {
		uint64_t addr, size;
		uint32_t type;

		memcpy(&addr, e, 8);
		memcpy(&size, e + 8, 8);
		memcpy(&type, e + 16, 4);
		if (type == E820_RAM && addr < 0x100000000 &&
		    addr + size > ram_end)
			ram_end = addr + size;
	}
}

static bool run(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		unsigned int before = failures;

		if (!text_is(name, tests[i].name))
			continue;
		tests[i].run();
		print("%s %s\n", failures == before ? "ok" : "FAIL",
		      tests[i].name);
		return true;
	}
	return false;
}

void guest_main(const uint8_t *params)
{
	const char *name;

	take_params(params);
	cpu_init();
	vdev_scan();
	name = param_text("t");
	while (*name && *name != ' ') {
		if (!run(name))
			fail("no test %s", name);
		while (*name && *name != ' ' && *name != ',')
			name++;
		name += *name == ',';
	}
	print("done: %u failures\n", (uint64_t)failures);
	finish(failures ? 1 : 0);
}
