// SPDX-License-Identifier: GPL-2.0-only
/*
 * The composition root: builds the machine from top to bottom, runs it and
 * takes it down.  Main thread, which is the I/O thread while vCPUs run.
 */
#include "vmm/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/backend/console.h"
#include "vmm/backend/clock.h"
#include "vmm/backend/control.h"
#include "vmm/backend/pause.h"
#include "vmm/backend/signals.h"
#include "vmm/backend/watchdog.h"
#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"
#include "vmm/core/stats.h"
#include "vmm/core/vcpu.h"
#include "vmm/dev/input.h"

static const char *console_param(enum run_console console)
{
	if (console & RUN_CONSOLE_VIRTIO)
		return "hvc0";
	return console & RUN_CONSOLE_SERIAL ? "ttyS0" : NULL;
}

/*
 * A command with a terminal on both ends gets one itself, as `ssh -t` would
 * give it; else its input and output are bytes.
 */
static bool command_has_tty(const struct run_config *cfg)
{
	return cfg->command && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int make_cmdline(struct machine *m, enum boot_tables tables)
{
	const struct cmdline_options opt = {
		.console = console_param(m->cfg->console),
		.cpus = m->cfg->cpus,
		.tables = tables,
		.tty = command_has_tty(m->cfg),
		.user = m->cfg->params,
	};

	m->cmdline = m->cfg->no_default_params
			     ? strdup(m->cfg->params ? m->cfg->params : "")
			     : cmdline_build(&opt);
	m->desc.cmdline = m->cmdline;
	if (m->cmdline)
		return 0;
	error("command line: %s", strerror(errno));
	return EXIT_OSERR;
}

static int dump_dtb(struct machine *m, const char *path)
{
	size_t len;
	void *dtb = fdt_build(&m->desc, &len);
	FILE *f = dtb ? fopen(path, "we") : NULL;
	bool ok = f && fwrite(dtb, 1, len, f) == len;

	if (f && fclose(f))
		ok = false;
	if (!ok)
		error("--dump-dtb %s: %s", path, strerror(errno));
	free(dtb);
	return ok ? 0 : EXIT_OSERR;
}

static int make_console(struct machine *m)
{
	int err;

	if (m->cfg->console == RUN_CONSOLE_OFF)
		return 0;
	m->con = console_new(&m->vm, STDIN_FILENO, STDOUT_FILENO);
	if (!m->con) {
		error("console: %s", strerror(errno));
		return EXIT_OSERR;
	}
	if (!m->cfg->command || command_has_tty(m->cfg))
		return 0;
	console_hold(m->con);
	err = input_init(&m->vm, m->con);
	if (!err)
		return 0;
	error("console: %s", strerror(-err));
	return EXIT_INTERNAL;
}

/* Or when the guest was last kept from it. */
static uint64_t last_output(void *ctx)
{
	struct machine *m = ctx;
	uint64_t last = m->con ? console_last_output_ns(m->con) : 0;
	uint64_t paused = pause_last_ns(m->pause);

	return last > paused ? last : paused;
}

/* The file that has the guest kernel's symbols, if any has. */
static const char *symbols_of(const struct run_config *cfg)
{
	return cfg->vmlinux ? cfg->vmlinux : cfg->kernel;
}

static int make_pause(struct machine *m)
{
	m->pause = pause_new(&m->vm, m->clock);
	if (m->pause)
		return 0;
	error("pause: %s", strerror(errno));
	return EXIT_OSERR;
}

static int make_services(struct machine *m)
{
	const struct control_info about = {
		.name = m->cfg->name,
		.vmlinux = symbols_of(m->cfg),
		.cpus = m->cfg->cpus,
		.mem = m->cfg->mem.size,
		.pause = m->pause,
	};
	const struct watchdog_options dog = {
		.seconds = m->cfg->watchdog_s,
		.last_output_ns = last_output,
		.ctx = m,
		.symbol = symbol_lookup,
		.elf = symbols_of(m->cfg),
	};
	int err = control_new(&m->control, &m->vm, &about);

	if (err)
		return err;
	if (!dog.seconds)
		return 0;
	m->watchdog = watchdog_new(&m->vm, &dog);
	if (m->watchdog)
		return 0;
	error("--watchdog: %s", strerror(errno));
	return EXIT_OSERR;
}

static int load_guest(struct machine *m, enum boot_tables tables)
{
	struct boot_options opt = {
		.kernel = m->cfg->kernel,
		.initrd = m->cfg->initrd,
		.tables = tables,
		.pvh = m->cfg->pvh,
	};
	struct vcpu_regs regs;
	void *cpio = NULL;
	int err;

	if (m->cfg->command) {
		cpio = cpio_from_argv(m->cfg->command, &opt.cpio_len);
		if (!cpio) {
			error("command: %s", strerror(errno));
			return EXIT_OSERR;
		}
		opt.cpio = cpio;
	}
	err = boot_load(&m->vm.mem, &m->desc, &opt, &regs);
	free(cpio);
	if (err)
		return err;
	err = vcpu_set_boot_regs(&m->vm.vcpu[0], &regs);
	/* ACPI kernels expect what PC firmware leaves, which is xAPIC mode. */
	for (unsigned int i = 0; tables == BOOT_DT && i < m->vm.nr_cpus; i++)
		err = err ? err : vcpu_set_x2apic(&m->vm.vcpu[i]);
	if (!err)
		return 0;
	error("KVM refuses the processors' first state: %s", strerror(-err));
	return EXIT_UNAVAIL;
}

static int build(struct machine *m, enum boot_tables tables)
{
	const struct vm_options opt = {
		.kvm_path = m->cfg->kvm_path,
		.cpus = m->cfg->cpus,
		.pins = m->desc.ioapic_pins,
		.mem = m->cfg->mem,
	};
	int err = vm_init(&m->vm, &opt);

	if (!err)
		err = machine_line_prepare(m);
	if (!err)
		err = machine_clock_prepare(m);
	if (!err)
		err = vm_add_cpus(&m->vm, m->cfg->cpus);
	if (err)
		return err;
	m->signals = signals_new(&m->vm, console_restore);
	if (!m->signals) {
		error("signals: %s", strerror(errno));
		return EXIT_OSERR;
	}
	err = make_console(m);
	if (!err)
		err = machine_devices_init(m);
	if (!err)
		err = machine_clock_init(m);
	if (!err)
		err = machine_line_init(m);
	if (!err)
		err = load_guest(m, tables);
	if (!err)
		err = make_pause(m);
	if (!err)
		err = make_services(m);
	if (!err && m->con) {
		err = console_start(m->con);
		if (err) {
			error("console: %s", strerror(-err));
			err = EXIT_OSERR;
		}
	}
	return err;
}

static void run(struct machine *m)
{
	/* The boot processor last: its start-up IPIs find the others ready. */
	for (unsigned int i = m->vm.nr_cpus; i-- > 0;) {
		int err = vcpu_start(&m->vm.vcpu[i]);

		if (err) {
			error("--cpus: no thread for vCPU %u: %s", i,
			      strerror(-err));
			vm_end(&m->vm, EXIT_OSERR);
			break;
		}
	}
	event_run(m->vm.loop);
	for (unsigned int i = 0; i < m->vm.nr_cpus; i++)
		vcpu_join(&m->vm.vcpu[i]);
}

static int end_status(const struct machine *m)
{
	int code = atomic_load(&m->vm.end);

	if (code & VM_END_COMMAND)
		return code & 0xff;
	if (code == EXIT_STOPPED)
		info("%s", exit_code_text(code));
	else if (code != EXIT_OK)
		error("%s (exit status %d)", exit_code_text(code), code);
	else if (m->cfg->command)
		warn("the guest powered off before its command ended");
	return code;
}

/* All but the VM, whose counters and end are still wanted. */
static void tear_down(struct machine *m)
{
	watchdog_free(m->watchdog);
	control_free(m->control);
	pause_free(m->pause);
	machine_devices_exit(m);
	signals_free(m->signals);
	console_free(m->con);
}

int machine_run(const struct run_config *cfg)
{
	struct machine *m = calloc(1, sizeof(*m));
	enum boot_tables tables;
	int err;

	if (!m) {
		error("no memory for the machine: %s", strerror(errno));
		return EXIT_OSERR;
	}
	m->cfg = cfg;
	err = boot_choose_tables(cfg->kernel, cfg->tables, &tables);
	if (!err)
		err = make_cmdline(m, tables);
	if (err)
		goto out;
	machine_describe(m, tables);
	if (cfg->print_cmdline)
		printf("%s\n", m->cmdline);
	if (cfg->dump_dtb)
		err = dump_dtb(m, cfg->dump_dtb);
	if (err || cfg->print_cmdline || cfg->dump_dtb)
		goto out;

	err = build(m, tables);
	if (!err)
		run(m);
	if (m->vm.fd > 0) {
		/* The terminal is itself again before anything is printed. */
		tear_down(m);
		if (!err) {
			if (cfg->stats)
				stats_print_text(&m->vm, stderr);
			err = end_status(m);
		}
		machine_line_exit(m);
		clock_free(m->clock);
		vm_exit(&m->vm);
	}
out:
	free(m->cmdline);
	free(m);
	return err;
}
