// SPDX-License-Identifier: GPL-2.0-only
/* What is measured, as a table. */
#include "tests/bench/table.h"

#include <stddef.h>

#define PEER "%s"
#define MIB  (1ull << 20)

const char *const bench_mode_names[MODE_NR] = { ICOUNT = "icount",
						WALL = "wall",
						COUNT = "count" };

static const struct bench_op blk_ops[] = {
	{ "4 KiB random read QD1",
	  "blk read 4096 1",
	  UNIT_US_PER_OP,
	  { ICOUNT = 1000, WALL = 4000, COUNT = 1000 },
	  "" },
	{ "4 KiB random read QD32",
	  "blk read 4096 32",
	  UNIT_US_PER_OP,
	  { ICOUNT = 2000, WALL = 8000, COUNT = 2000 },
	  "" },
	{ "1 MiB sequential read",
	  "blk read 1048576 1",
	  UNIT_MIB_PER_S,
	  { ICOUNT = 128, WALL = 256, COUNT = 128 },
	  "" },
	{ "4 KiB random write + flush",
	  "blk write 4096 1",
	  UNIT_US_PER_OP,
	  { ICOUNT = 500, WALL = 2000, COUNT = 500 },
	  "" },
	{ .metric = NULL },
};

static const struct bench_op net_ops[] = {
	{ "UDP 64 B round trip",
	  "udp " PEER " 64",
	  UNIT_US_PER_OP,
	  { ICOUNT = 1000, WALL = 1000, COUNT = 1000 },
	  "" },
	{ "TCP stream to the host",
	  "tcp tx " PEER,
	  UNIT_MIB_PER_S,
	  { ICOUNT = 32 * MIB, WALL = 16 * MIB, COUNT = 32 * MIB },
	  "" },
	{ "TCP stream to the guest",
	  "tcp rx " PEER,
	  UNIT_MIB_PER_S,
	  { ICOUNT = 32 * MIB, WALL = 16 * MIB, COUNT = 32 * MIB },
	  "" },
	{ .metric = NULL },
};

/* A user-mode stack copies each byte several times. */
static const struct bench_op user_net_ops[] = {
	{ "UDP 64 B round trip",
	  "udp " PEER " 64",
	  UNIT_US_PER_OP,
	  { ICOUNT = 500, WALL = 500, COUNT = 500 },
	  "" },
	{ "TCP stream to the host",
	  "tcp tx " PEER,
	  UNIT_MIB_PER_S,
	  { ICOUNT = 8 * MIB, WALL = 8 * MIB, COUNT = 8 * MIB },
	  "" },
	{ "TCP stream to the guest",
	  "tcp rx " PEER,
	  UNIT_MIB_PER_S,
	  { ICOUNT = 8 * MIB, WALL = 8 * MIB, COUNT = 8 * MIB },
	  "" },
	{ .metric = NULL },
};

static const struct bench_op console_ops[] = {
	{ "console output",
	  "console",
	  UNIT_US_PER_BYTE,
	  { ICOUNT = MIB, WALL = MIB, COUNT = MIB },
	  " 4096" },
	{ .metric = NULL },
};

/* A port takes an exit or two for each byte: no need for a MiB of them. */
static const struct bench_op serial_ops[] = {
	{ "console output",
	  "console",
	  UNIT_US_PER_BYTE,
	  { ICOUNT = 4096, WALL = 8192, COUNT = 4096 },
	  " 4096" },
	{ .metric = NULL },
};

#define READS(what, command, n)                                                \
	{                                                                      \
		what, "time " command, UNIT_US_PER_OP,                         \
			{ ICOUNT = n, WALL = (n)*4, COUNT = n }, ""            \
	}
#define READS_OF(name, source, n)                                              \
	READS(name ", vDSO", source " vdso", n),                               \
		READS(name ", system call", source " syscall", n)

static const struct bench_op clock_ops[] = {
	READS("RDTSC", "tsc counter", 100000),
	READS_OF("tsc", "tsc", 100000),
	READS_OF("kvm-clock", "kvm-clock", 100000),
	{ .metric = NULL },
};

static const struct bench_op clock_page_ops[] = {
	READS_OF("clock page", "hotline", 100000),
	{ .metric = NULL },
};

/* Each read is an exit to the VMM. */
static const struct bench_op trapped_clock_ops[] = {
	READS("HPET", "hpet syscall", 1000),
	READS("ACPI PM timer", "acpi_pm syscall", 1000),
	{ .metric = NULL },
};

/* PV: the paravirtual kernel, for those that can boot it. */
#define BOOT	    .initrd = "init.cpio", .append = "hotline.ready"
#define FULL	    .initrd = "full.cpio", .append = "hotline.ready"
#define GUEST	    .initrd = "guest.cpio", .append = "rdinit=/guest"
#define TIMER(more) .initrd = "timer.cpio", .append = "rdinit=/guest" more
#define LOAD	    .initrd = "load.cpio", .append = "rdinit=/guest"
#define PV	    .kernel = KERNEL_PV

/* The trapped timer is a peer's, with the kernel that that one can boot. */
#define HZ_ROW(name, rate, device_ops, ...)                                    \
	{                                                                      \
		.bench = "hz", .kind = KIND_OPS, .variant = name,              \
		.machine = { .hz = rate, __VA_ARGS__ }, .ops = device_ops      \
	}
#define HZ(name, rate)                                                         \
	HZ_ROW(name ", PV kernel", rate, hz_ops, PV, .line = true, TIMER("")), \
		HZ_ROW(name ", PV kernel, TSC-deadline", rate,                 \
		       hz_deadline_ops, PV, .line = true,                      \
		       TIMER(" hotline.timer=off")),                           \
		HZ_ROW(name ", PV kernel, one-shot APIC", rate,                \
		       hz_oneshot_ops, PV, .line = true,                       \
		       TIMER(" lapic=notscdeadline")),                         \
		HZ_ROW(name ", HPET", rate, hz_trapped_ops, .timers = true,    \
		       TIMER(" nolapic_timer"))

const struct bench_row bench_rows[] = {
	{ .bench = "boot", .variant = "", .machine = { BOOT } },
	{ .bench = "boot", .variant = "PV kernel", .machine = { BOOT, PV } },
	{ .bench = "boot",
	  .variant = "serial console",
	  .machine = { BOOT, .console = CONSOLE_SERIAL } },
	/* The initramfs that people get, 2 MB with a busybox. */
	{ .bench = "boot", .variant = "busybox initramfs", .machine = { FULL } },
	{ .bench = "boot",
	  .variant = "busybox initramfs, PV kernel",
	  .machine = { FULL, PV } },

	{ .bench = "blk",
	  .kind = KIND_OPS,
	  .variant = "",
	  .machine = { GUEST, .disk = true },
	  .ops = blk_ops },
	{ .bench = "blk",
	  .kind = KIND_OPS,
	  .variant = "PV kernel",
	  .machine = { GUEST, PV, .disk = true },
	  .ops = blk_ops },

	{ .bench = "net",
	  .kind = KIND_OPS,
	  .variant = "tap",
	  .machine = { GUEST, .net = NET_TAP },
	  .ops = net_ops },
	{ .bench = "net",
	  .kind = KIND_OPS,
	  .variant = "tap, PV kernel",
	  .machine = { GUEST, PV, .net = NET_TAP },
	  .ops = net_ops },
	{ .bench = "net",
	  .kind = KIND_OPS,
	  .variant = "tap with vhost",
	  .machine = { GUEST, .net = NET_TAP_VHOST },
	  .ops = net_ops },
	{ .bench = "net",
	  .kind = KIND_OPS,
	  .variant = "user mode",
	  .machine = { GUEST, .net = NET_USER },
	  .ops = user_net_ops },

	{ .bench = "console",
	  .kind = KIND_OPS,
	  .variant = "virtio",
	  .machine = { GUEST },
	  .ops = console_ops },
	{ .bench = "console",
	  .kind = KIND_OPS,
	  .variant = "virtio, PV kernel",
	  .machine = { GUEST, PV },
	  .ops = console_ops },
	{ .bench = "console",
	  .kind = KIND_OPS,
	  .variant = "serial port",
	  .machine = { GUEST, .console = CONSOLE_SERIAL },
	  .ops = serial_ops },

	{ .bench = "line",
	  .kind = KIND_OPS,
	  .variant = "",
	  .machine = { GUEST, PV, .line = true },
	  .ops = line_ops },
	{ .bench = "line",
	  .kind = KIND_OPS,
	  .variant = "",
	  .machine = { GUEST, PV, .line = true, .cpus = 2 },
	  .ops = lock_ops },

	{ .bench = "msr",
	  .kind = KIND_OPS,
	  .variant = "",
	  .machine = { .initrd = "guest.cpio",
		       .append = "rdinit=/guest hotline.msr_min=1",
		       PV,
		       .line = true },
	  .ops = msr_ops },
	{ .bench = "msr",
	  .kind = KIND_OPS,
	  .variant = "",
	  .machine = { GUEST, PV, .line = true },
	  .ops = perf_ops },
	{ .bench = "msr",
	  .kind = KIND_OPS,
	  .variant = "",
	  .machine = { GUEST " hotline.msr=off", PV, .line = true },
	  .ops = perf_off_ops,
	  .with_last = true },

	{ .bench = "clock",
	  .kind = KIND_OPS,
	  .variant = "",
	  .machine = { GUEST },
	  .ops = clock_ops },
	{ .bench = "clock",
	  .kind = KIND_OPS,
	  .variant = "PV kernel",
	  .machine = { GUEST, PV },
	  .ops = clock_ops },
	{ .bench = "clock",
	  .kind = KIND_OPS,
	  .variant = "PV kernel",
	  .machine = { GUEST, PV, .line = true },
	  .ops = clock_page_ops },
	{ .bench = "clock",
	  .kind = KIND_OPS,
	  .variant = "trapped",
	  .machine = { GUEST, .timers = true },
	  .ops = trapped_clock_ops },

	{ .bench = "timer",
	  .kind = KIND_OPS,
	  .variant = "",
	  .machine = { TIMER("") },
	  .ops = deadline_ops },
	{ .bench = "timer",
	  .kind = KIND_OPS,
	  .variant = "HPET",
	  .machine = { TIMER(" nolapic_timer"), .timers = true },
	  .ops = trapped_timer_ops,
	  .with_last = true },
	{ .bench = "timer",
	  .kind = KIND_OPS,
	  .variant = "PV kernel",
	  .machine = { TIMER(""), PV, .line = true },
	  .ops = timer_ops,
	  .with_last = true },
	{ .bench = "timer",
	  .kind = KIND_OPS,
	  .variant = "PV kernel, TSC-deadline",
	  .machine = { TIMER(" hotline.timer=off"), PV, .line = true },
	  .ops = deadline_ops,
	  .with_last = true },
	{ .bench = "timer",
	  .kind = KIND_OPS,
	  .variant = "PV kernel, one-shot APIC",
	  .machine = { TIMER(" lapic=notscdeadline"), PV, .line = true },
	  .ops = oneshot_ops,
	  .with_last = true },

	{ .bench = "timer",
	  .kind = KIND_OPS,
	  .variant = "PV kernel, halt by call",
	  .machine = { TIMER(" hotline.timer=halt"), PV, .line = true },
	  .ops = halt_ops },
	{ .bench = "timer",
	  .kind = KIND_OPS,
	  .variant = "PV kernel, halt by two exits",
	  .machine = { TIMER(" hotline.timer=nohalt"), PV, .line = true },
	  .ops = halt_ops,
	  .with_last = true },
	{ .bench = "timer",
	  .kind = KIND_OPS,
	  .variant = "PV kernel, halt with TSC-deadline",
	  .machine = { TIMER(" hotline.timer=off"), PV, .line = true },
	  .ops = halt_deadline_ops,
	  .with_last = true },

	HZ("HZ=100", 0),
	HZ("HZ=250", 250),
	HZ("HZ=1000", 1000),

	/* Two, for one has no paravirtual locks. */
	{ .bench = "lock",
	  .kind = KIND_OPS,
	  .variant = "uncontended",
	  .machine = { GUEST, PV, .line = true, .cpus = 2,
		       .waits = WAITS_AUTO },
	  .ops = uncontended_ops },

#define YIELD(name, nr, load)                                                  \
	{                                                                      \
		.bench = "yield", .kind = KIND_YIELD, .variant = name,         \
		.machine = { LOAD, PV, .line = true, .cpus = nr,               \
			     .waits = WAITS_AUTO },                            \
		.yield = &load                                                 \
	}
#define HOLDER(name, load)                                                     \
	{                                                                      \
		.bench = "yield", .kind = KIND_HOLDER, .variant = name,        \
		.machine = { GUEST, PV, .line = true, .cpus = 2,               \
			     .waits = WAITS_ALL },                             \
		.yield = &load                                                 \
	}
	HOLDER("holder off, 1 hog", yield_one_hog),
	HOLDER("holder off, 3 hogs", yield_three_hogs),
	YIELD("2:1", 4, yield_alone),
	YIELD("3:1", 6, yield_alone),
	YIELD("2:1 and hogs", 4, yield_beside_hogs),
	YIELD("3:1 and hogs", 6, yield_beside_hogs),
	YIELD("1:1", 2, yield_alone),
	YIELD("1:1 and hogs", 2, yield_beside_hogs),
	YIELD("2:1, programs", 4, yield_programs),
	{ .bench = "yield",
	  .kind = KIND_CONVOY,
	  .variant = "convoy",
	  .machine = { GUEST, PV, .line = true, .cpus = 4,
		       .waits = WAITS_AUTO },
	  .yield = &yield_convoy },

	{ .bench = "memory",
	  .kind = KIND_MEMORY,
	  .variant = "at READY",
	  .machine = { BOOT } },
	{ .bench = "memory",
	  .kind = KIND_MEMORY,
	  .variant = "at READY, PV kernel",
	  .machine = { BOOT, PV } },
	{ .bench = "memory",
	  .kind = KIND_MEMORY,
	  .variant = "after disk use",
	  .machine = { GUEST, .disk = true },
	  .ops = blk_ops },
	{ .bench = "memory",
	  .kind = KIND_MEMORY,
	  .variant = "after tap use",
	  .machine = { GUEST, .net = NET_TAP },
	  .ops = net_ops },
	{ .bench = "memory",
	  .kind = KIND_MEMORY,
	  .variant = "after user-mode network use",
	  .machine = { GUEST, .net = NET_USER },
	  .ops = user_net_ops },
};
const size_t bench_rows_count = sizeof(bench_rows) / sizeof(bench_rows[0]);
