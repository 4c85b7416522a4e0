// SPDX-License-Identifier: GPL-2.0-only
/* `hotline run`: its options, their help, and the way to the machine. */
#include "vmm/cli/run.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/backend/control_dir.h"
#include "vmm/cli/cli.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/vm.h"
#include "vmm/run_config.h"

static int opt_params(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;
	char *joined;

	if (!cfg->params) {
		cfg->params = arg->val;
		return 0;
	}
	if (asprintf(&joined, "%s %s", cfg->params, arg->val) < 0)
		joined = NULL;
	cfg->params = run_config_own(cfg, joined);
	return 0;
}

static int opt_cpus(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;
	uint64_t n;
	int err = cli_uint(arg, 1, VM_MAX_CPUS, &n);

	if (!err)
		cfg->cpus = (unsigned int)n;
	return err;
}

static int opt_tables(void *ctx, const struct cli_arg *arg)
{
	static const char *const names[] = {
		[BOOT_AUTO] = "auto", [BOOT_DT] = "dt", [BOOT_ACPI] = "acpi", NULL
	};
	struct run_config *cfg = ctx;
	unsigned int i;
	int err = cli_choice(arg, names, &i);

	if (!err)
		cfg->tables = i;
	return err;
}

static int opt_console(void *ctx, const struct cli_arg *arg)
{
	static const char *const names[] = { [RUN_CONSOLE_OFF] = "off",
					     [RUN_CONSOLE_VIRTIO] = "virtio",
					     [RUN_CONSOLE_SERIAL] = "serial",
					     [RUN_CONSOLE_BOTH] = "both",
					     NULL };
	struct run_config *cfg = ctx;
	unsigned int i;
	int err = cli_choice(arg, names, &i);

	if (!err)
		cfg->console = i;
	return err;
}

static int opt_name(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;

	if (!control_name_ok(arg->val))
		return cli_bad(
			arg,
			"not a name; write 1 to %d letters, digits, dots, "
			"dashes or underscores, the first a letter or digit",
			RUN_NAME_LEN - 1);
	strcpy(cfg->name, arg->val);
	return 0;
}

static int opt_watchdog(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;
	uint64_t n;
	int err = cli_uint(arg, 0, 86400, &n);

	if (!err)
		cfg->watchdog_s = (unsigned int)n;
	return err;
}

static int opt_verbose(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;

	(void)arg;
	cfg->log_level = cfg->log_level < LOG_INFO ? LOG_INFO : LOG_DEBUG;
	return 0;
}

static int opt_quiet(void *ctx, const struct cli_arg *arg)
{
	(void)arg;
	((struct run_config *)ctx)->log_level = LOG_ERROR;
	return 0;
}

_Static_assert(RUN_NAME_LEN == CONTROL_NAME_MAX + 1, "one limit for names");

#define AT(field) offsetof(struct run_config, field)

static const struct cli_opt options[] = {
	{ .help = "What to boot" },
	{ .names = { "kernel" },
	  .letter = 'k',
	  .metavar = "FILE",
	  .help = "Linux kernel, an ELF vmlinux or a bzImage (default: "
		  "$HOTLINE_KERNEL, or the installed one)",
	  .parse = cli_set_path,
	  .at = AT(kernel) },
	{ .names = { "initrd" },
	  .letter = 'i',
	  .metavar = "FILE",
	  .help = "Initial RAM disk, or none (default with the default kernel "
		  "or a COMMAND: $HOTLINE_INITRD, or the installed one)",
	  .parse = cli_set_path,
	  .at = AT(initrd) },
	{ .names = { "params", "append", "cmdline" },
	  .letter = 'p',
	  .metavar = "STRING",
	  .help = "Append to the kernel's command line; may be repeated",
	  .parse = opt_params },
	{ .names = { "no-default-params" },
	  .help = "Let -p be the whole command line",
	  .parse = cli_set_true,
	  .at = AT(no_default_params) },
	{ .names = { "pvh" },
	  .help = "Prefer an ELF kernel's PVH entry to its 64-bit one",
	  .parse = cli_set_true,
	  .at = AT(pvh) },

	{ .help = "The machine" },
	{ .names = { "cpus", "smp" },
	  .letter = 'c',
	  .metavar = "N",
	  .help = "Virtual CPUs, 1 to 254 (default: 1)",
	  .parse = opt_cpus },
	{ .names = { "mem", "memory" },
	  .letter = 'm',
	  .metavar = "SIZE[,KEY=VALUE]...",
	  .help = "Memory (default: 256M, at least 16M). A bare number means "
		  "MiB; K, M, G and T are powers of 1024.\n"
		  "  backing=auto|anon|memfd  what it is made of\n"
		  "  thp=on|off  ask for huge pages (default: on)\n"
		  "  prealloc=on|off  claim all of it now (default: off)",
	  .parse = cli_run_mem },
	{ .names = { "disk" },
	  .letter = 'd',
	  .metavar = "FILE[,KEY=VALUE]...",
	  .help = "Raw disk image or block device as the next /dev/vdX; up to "
		  "8. A comma in FILE is written twice.\n"
		  "  ro  the guest may only read it\n"
		  "  overlay=tmp  writes last until the machine ends\n"
		  "  format=raw  even if it looks like qcow2 or gzip\n"
		  "  queues=N  virtqueues, 1 to 8\n"
		  "  aio=auto|io_uring|libaio  how the host does it\n"
		  "  direct=on|off  bypass the page cache (default: off)\n"
		  "  serial=S  what the guest sees, up to 20 characters",
	  .parse = cli_run_disk },
	{ .names = { "net" },
	  .letter = 'n',
	  .metavar = "NET[,KEY=VALUE]...",
	  .help = "A network card; up to 4 (default: user). NET is\n"
		  "  user  shares the host's network; needs no privilege\n"
		  "  tap=NAME  an existing tap interface\n"
		  "  none  no network at all\n"
		  "With user, may be repeated:\n"
		  "  fwd=[udp:][ADDR:]HOSTPORT:GUESTPORT\n"
		  "        from ADDR (default: 127.0.0.1) of the host\n"
		  "With tap:\n"
		  "  vhost=on|off  let the kernel move the packets\n"
		  "  mtu=N  tell the guest\n"
		  "With both:\n"
		  "  mac=XX:XX:XX:XX:XX:XX",
	  .parse = cli_run_net },
	{ .names = { "console" },
	  .metavar = "KIND",
	  .help = "virtio (hvc0, the default), serial (ttyS0), both or off",
	  .parse = opt_console },
	{ .names = { "rng" },
	  .metavar = "on|off",
	  .help = "A source of random numbers (default: on)",
	  .parse = cli_set_onoff,
	  .at = AT(rng) },
	{ .names = { "hypercalls" },
	  .metavar = "on|off|KEY=VALUE[,...]",
	  .help = "How the guest kernel calls hotline (default: on)\n"
		  "  vmcall=on|off  by VMCALL, else by port only (default: "
		  "what the host can)\n"
		  "  rings=N  rings for calls that may take long, 0 to 64 "
		  "(default: one per CPU, up to 8)\n"
		  "  workers=N  such calls at a time, 1 to 64 (default: 4)\n"
		  "  test  also calls and registers to test and to measure by",
	  .parse = cli_run_calls },
	{ .names = { "clock" },
	  .metavar = "on|off[,period=MS]",
	  .help = "A page from which the guest reads the host's time without "
		  "an exit (default: on)\n"
		  "  period=MS  how often it is set right, 1 to 1000 (default: "
		  "10)",
	  .parse = cli_run_clock },
	{ .names = { "timer" },
	  .metavar = "on|off[,halt=HOW]",
	  .help = "Deadlines that the guest kernel need not set one by one, "
		  "by hypercalls (default: on)\n"
		  "  halt=auto|call|exits  arm and halt by one call, or by "
		  "two exits that KVM handles (default: auto, call if this "
		  "machine is itself virtual)",
	  .parse = cli_run_timer },
	{ .names = { "yield" },
	  .metavar = "HOW[,rate=N]",
	  .help = "How a CPU that waits for a lock has its holder run, by "
		  "hypercalls (default: auto)\n"
		  "  auto  pull, lease or KVM's own call, as the load says\n"
		  "  pull  the holder moves to the processor of who waits\n"
		  "  lease  it gets real-time priority, 0.2 ms at most; needs "
		  "CAP_SYS_NICE\n"
		  "  kvm  KVM's own call alone\n"
		  "  off  not at all\n"
		  "  rate=N  so many a second for each CPU, 1 to 1000000 "
		  "(default: 4000)",
	  .parse = cli_run_yield },
	{ .names = { "tables" },
	  .metavar = "KIND",
	  .help = "What describes the machine to the kernel: dt (device tree) "
		  "or acpi; default: auto, what the kernel was built for",
	  .parse = opt_tables },

	{ .help = "Running" },
	{ .names = { "name" },
	  .metavar = "NAME",
	  .help = "What list, stop and stat call it (default: vm-PID)",
	  .parse = opt_name },
	{ .names = { "watchdog" },
	  .metavar = "SECS",
	  .help = "Stop when the console was silent that long, and say where "
		  "each CPU was (default: 0, never)",
	  .parse = opt_watchdog },
	{ .names = { "vmlinux" },
	  .metavar = "FILE",
	  .help = "Kernel with symbols, to put names to addresses (default: "
		  "the kernel)",
	  .parse = cli_set_path,
	  .at = AT(vmlinux) },
	{ .names = { "stats" },
	  .help = "Print counters on stderr at the end",
	  .parse = cli_set_true,
	  .at = AT(stats) },
	{ .names = { "print-cmdline" },
	  .help = "Print the kernel's command line and exit",
	  .parse = cli_set_true,
	  .at = AT(print_cmdline) },
	{ .names = { "dump-dtb" },
	  .metavar = "FILE",
	  .help = "Write the device tree to FILE and exit",
	  .parse = cli_set_path,
	  .at = AT(dump_dtb) },
	{ .names = { "kvm" },
	  .metavar = "PATH",
	  .help = "The KVM device (default: /dev/kvm)",
	  .parse = cli_set_path,
	  .at = AT(kvm_path) },
	{ .names = { "verbose" },
	  .letter = 'v',
	  .help = "Say more on stderr; twice: for debugging",
	  .parse = opt_verbose },
	{ .names = { "quiet" },
	  .letter = 'q',
	  .help = "Only errors on stderr",
	  .parse = opt_quiet },
};

static void help_exit_codes(FILE *out)
{
	fprintf(out, "\nKeys: Ctrl-a x stops the machine, Ctrl-a Ctrl-a sends "
		     "one Ctrl-a.\n"
		     "\nExit status (COMMAND's own, if it ended):\n");
	for (int code = 0; code < 256; code++)
		if (exit_code_text(code))
			fprintf(out, "  %3d  %s\n", code, exit_code_text(code));
}

const struct cli_cmd cli_cmd_run = {
	.name = "run",
	.usage = "[OPTION]... [-- COMMAND [ARG]...]",
	.summary = "Start a virtual machine, or a command in one",
	.about = "Boots a kernel in a new virtual machine with its console on "
		 "this terminal, and ends with it. With COMMAND, runs that in "
		 "the guest and exits with its status. Long options may be "
		 "written with one dash (-kernel).",
	.opts = options,
	.nr_opts = sizeof(options) / sizeof(options[0]),
	.takes_command = true,
	.operand_hint =
		"a kernel is given with -k FILE, a guest command behind --",
	.help_more = help_exit_codes,
	.examples = "  hotline run -- uname -a\n"
		    "  hotline run -k bzImage -d disk.img,overlay=tmp -p "
		    "root=/dev/vda1 -m 1G -c 2\n"
		    "  hotline run -n user,fwd=2222:22 -n tap=tap0 --name web "
		    "--watchdog 30\n",
	.run = cli_run,
};

int cli_run_parse(struct run_config *cfg, int argc, char **argv)
{
	char **command;
	int err = cli_parse(&cli_cmd_run, argc, argv, cfg, &command);

	if (err)
		return err;
	cfg->command = command;
	log_set_level(cfg->log_level);
	return cli_run_defaults(cfg);
}

int cli_run(int argc, char **argv)
{
	struct run_config cfg;
	int err;

	run_config_init(&cfg);
	err = cli_run_parse(&cfg, argc, argv);
	err = err ? cli_exit(err) : machine_run(&cfg);
	run_config_exit(&cfg);
	return err;
}
