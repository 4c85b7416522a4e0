// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command lines of the VMMs.  The peers' are as lean as they boot this kernel:
 * no firmware beyond the loader, no device that the measurement does not need,
 * and of several ways the one that was measured to be the fastest.
 */
#include "tests/bench/vmms.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define QEMU "/usr/bin/qemu-system-x86_64"

/* What hotline gives its guests by default, and so the peers' get it too. */
#define PARAMS "quiet panic=-1 reboot=k tsc=reliable noreplace-smp"

void vmms_arg(struct vmms_args *a, const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	if (vasprintf(&s, format, ap) < 0 || a->n + 1 >= BENCH_ARGS)
		abort();
	va_end(ap);
	a->v[a->n++] = s;
	a->v[a->n] = NULL;
}

const char *vmms_dir(void)
{
	const char *dir = getenv("BENCH_DIR");

	return dir ? dir : "/bench";
}

void vmms_kernel_name(const struct vmms_machine *m, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s",
			 m->kernel == KERNEL_PV ? "pv" : "common");

	if (m->hz)
		snprintf(buf + n, size - (size_t)n, "-hz%u", m->hz);
}

static void add_kernel(struct vmms_args *a, const struct vmms_machine *m)
{
	char name[32];

	vmms_kernel_name(m, name, sizeof(name));
	vmms_arg(a, "%s/%s/vmlinux", vmms_dir(), name);
}

static unsigned int cpus(const struct vmms_machine *m)
{
	return m->cpus ? m->cpus : 1;
}

static void words(struct vmms_args *a, const char *const list[])
{
	for (; *list; list++)
		vmms_arg(a, "%s", *list);
}

static void our_args(const struct vmms_machine *m, struct vmms_args *a)
{
	vmms_arg(a, "%s/hotline", vmms_dir());
	vmms_arg(a, "run");
	vmms_arg(a, "-k");
	add_kernel(a, m);
	vmms_arg(a, "-i");
	vmms_arg(a, "%s/%s", vmms_dir(), m->initrd);
	vmms_arg(a, "-m");
	vmms_arg(a, "%d", BENCH_RAM_MIB);
	vmms_arg(a, "-p");
	vmms_arg(a, "%s", m->append);
	vmms_arg(a, "--cpus=%u", cpus(m));
	words(a, (const char *const[]){ "--rng", "off", NULL });
	if (m->console == CONSOLE_SERIAL)
		words(a, (const char *const[]){ "--console", "serial", NULL });
	if (m->line)
		vmms_arg(a, "--hypercalls=test");
	if (m->disk)
		vmms_arg(a, "--disk=" BENCH_DISK, m->place);
	if (m->net == NET_NONE)
		vmms_arg(a, "--net=none");
	else if (m->net == NET_USER)
		vmms_arg(a, "--net=user");
	else
		vmms_arg(a, "--net=tap=tap%u,vhost=%s", m->place,
			 m->net == NET_TAP_VHOST ? "on" : "off");
}

/* As our_args(), but how the guest waits for locks is not the default. */
static bool waiting_args(const struct vmms_machine *m, struct vmms_args *a,
			 const char *yield, const char *params)
{
	our_args(m, a);
	vmms_arg(a, "--yield=%s", yield);
	vmms_arg(a, "-p");
	vmms_arg(a, "%s", params);
	return true;
}

/* With both ways of ours to be seen, the first one is this. */
static bool hotline_args(const struct vmms_machine *m, struct vmms_args *a)
{
	if (m->timers)
		return false;
	if (m->waits == WAITS_ALL)
		return waiting_args(m, a, "pull", "");
	our_args(m, a);
	return true;
}

static bool lease_args(const struct vmms_machine *m, struct vmms_args *a)
{
	return m->waits == WAITS_ALL && waiting_args(m, a, "lease", "");
}

static bool kvm_args(const struct vmms_machine *m, struct vmms_args *a)
{
	return m->waits && waiting_args(m, a, "kvm", "");
}

static bool pv_spin_args(const struct vmms_machine *m, struct vmms_args *a)
{
	return m->waits && waiting_args(m, a, "off", "hotline.yield=off");
}

static bool no_pv_args(const struct vmms_machine *m, struct vmms_args *a)
{
	return m->waits &&
	       waiting_args(m, a, "off", "hotline.yield=off nopvspin");
}

/* What both kinds of QEMU get; bus is how its virtio devices are named. */
static void qemu_args(const struct vmms_machine *m, struct vmms_args *a,
		      const char *bus)
{
	bool hvc = m->console == CONSOLE_VIRTIO;

	vmms_arg(a, "-smp");
	vmms_arg(a, "%u", cpus(m));
	words(a, (const char *const[]){
			 "-accel", "kvm", "-cpu", "host", "-nodefaults",
			 "-no-user-config", "-display", "none", "-no-reboot",
			 "-chardev", "stdio,id=con,signal=off", NULL });
	vmms_arg(a, "-m");
	vmms_arg(a, "%d", BENCH_RAM_MIB);
	vmms_arg(a, "-kernel");
	add_kernel(a, m);
	vmms_arg(a, "-initrd");
	vmms_arg(a, "%s/%s", vmms_dir(), m->initrd);
	vmms_arg(a, "-append");
	vmms_arg(a, "console=%s " PARAMS " %s", hvc ? "hvc0" : "ttyS0",
		 m->append);
	if (hvc) {
		vmms_arg(a, "-device");
		vmms_arg(a, "virtio-serial-%s,max_ports=1", bus);
		words(a, (const char *const[]){
				 "-device", "virtconsole,chardev=con", NULL });
	} else {
		words(a,
		      (const char *const[]){ "-serial", "chardev:con", NULL });
	}
}

/*
 * Of threads, io_uring and native AIO, with the page cache and without, the
 * last: the image lies in memory, so that O_DIRECT skips nothing but work.
 */
static void qemu_disk(const struct vmms_machine *m, struct vmms_args *a,
		      const char *bus, const char *more)
{
	if (!m->disk)
		return;
	vmms_arg(a, "-drive");
	vmms_arg(a,
		 "if=none,id=disk,format=raw,aio=native,cache.direct=on,"
		 "file=" BENCH_DISK,
		 m->place);
	vmms_arg(a, "-device");
	vmms_arg(a, "virtio-blk-%s,drive=disk%s", bus, more);
}

static void qemu_net(const struct vmms_machine *m, struct vmms_args *a,
		     const char *bus, const char *more)
{
	if (m->net == NET_NONE)
		return;
	vmms_arg(a, "-netdev");
	if (m->net == NET_USER)
		vmms_arg(a, "user,id=net");
	else
		vmms_arg(a,
			 "tap,id=net,ifname=tap%u,script=no,downscript=no,"
			 "vhost=%s",
			 m->place, m->net == NET_TAP_VHOST ? "on" : "off");
	vmms_arg(a, "-device");
	vmms_arg(a, "virtio-net-%s,netdev=net%s", bus, more);
}

/*
 * No ACPI: the kernel then finds its processors in the MP table, which is
 * quicker.  Our kernel has no MP table either, and finds its interrupts only
 * through a PIC.
 */
static bool microvm_args(const struct vmms_machine *m, struct vmms_args *a)
{
	if (m->line || m->timers || m->waits)
		return false;
	vmms_arg(a, "%s", QEMU);
	vmms_arg(a, "-M");
	vmms_arg(a,
		 "microvm,x-option-roms=off,acpi=off,pit=off,rtc=off,"
		 "auto-kernel-cmdline=on,pic=%s,isa-serial=%s",
		 m->kernel == KERNEL_PV ? "on" : "off",
		 m->console == CONSOLE_SERIAL ? "on" : "off");
	qemu_args(m, a, "device");
	qemu_disk(m, a, "device", "");
	qemu_net(m, a, "device", "");
	return true;
}

/*
 * With qboot in the place of SeaBIOS, and without ACPI as above.  Our kernel
 * has no PCI.
 */
static bool q35_args(const struct vmms_machine *m, struct vmms_args *a)
{
	if (m->line || m->waits || m->kernel == KERNEL_PV)
		return false;
	vmms_arg(a, "%s", QEMU);
	vmms_arg(a, "-M");
	vmms_arg(a,
		 "q35,acpi=%s,sata=off,smbus=off,usb=off,vmport=off,"
		 "i8042=off,hpet=%s,pit=off",
		 m->timers ? "on" : "off", m->timers ? "on" : "off");
	vmms_arg(a, "-bios");
	vmms_arg(a, "/usr/share/qemu/qboot.rom");
	qemu_args(m, a, "pci");
	if (m->disk)
		words(a, (const char *const[]){ "-object",
						"iothread,id=io,poll-max-ns=0",
						NULL });
	qemu_disk(m, a, "pci", ",iothread=io");
	qemu_net(m, a, "pci", ",romfile=");
	return true;
}

const struct vmms_vmm vmms[] = {
	{ "hotline", hotline_args }, { "qemu-microvm", microvm_args },
	{ "qemu-q35", q35_args },    { "lease", lease_args },
	{ "kvm-yield", kvm_args },   { "pv-spin", pv_spin_args },
	{ "no-pv", no_pv_args },
};
const size_t vmms_count = sizeof(vmms) / sizeof(vmms[0]);
