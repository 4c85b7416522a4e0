// SPDX-License-Identifier: GPL-2.0-only
/* The command line of `hotline run`: what each option does; help texts. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/lib_cli.h"
#include "tests/unit/lib_run.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/kv.h"
#include "vmm/cli/run.h"
#include "vmm/core/exitcode.h"

START_TEST(test_defaults)
{
	char name[32];

	good("");
	ck_assert_str_eq(cfg.kernel, "/dev/null");
	ck_assert_str_eq(cfg.initrd, "/dev/zero");
	ck_assert_str_eq(cfg.kvm_path, "/dev/kvm");
	ck_assert_uint_eq(cfg.cpus, 1);
	ck_assert_uint_eq(cfg.mem.size, 256u << 20);
	ck_assert_uint_eq(cfg.nr_nets, 1);
	ck_assert_int_eq(cfg.net[0].kind, RUN_NET_USER);
	ck_assert(!cfg.net[0].has_mac && !cfg.net[0].nr_fwd);
	ck_assert_uint_eq(cfg.nr_disks, 0);
	ck_assert_int_eq(cfg.console, RUN_CONSOLE_VIRTIO);
	ck_assert_int_eq(cfg.tables, BOOT_AUTO);
	ck_assert(cfg.rng && !cfg.pvh && !cfg.stats);
	ck_assert(!cfg.command && !cfg.params && !cfg.dump_dtb);
	ck_assert_int_eq(cfg.log_level, LOG_WARN);
	snprintf(name, sizeof(name), "vm-%d", (int)getpid());
	ck_assert_str_eq(cfg.name, name);
}
END_TEST

START_TEST(test_kernel_and_initrd)
{
	good("-k a");
	ck_assert_str_eq(cfg.kernel, "a");
	ck_assert_ptr_null(cfg.initrd); /* ours goes with ours */
	good("-k a -- true");
	ck_assert_str_eq(cfg.initrd, "/dev/zero");
	good("-k a -i b -- true");
	ck_assert_str_eq(cfg.initrd, "b");
	good("-i none");
	ck_assert_ptr_null(cfg.initrd);
	setenv("HOTLINE_KERNEL", "/nonexistent", 1);
	ck_assert_int_eq(parse(""), EXIT_NOINPUT);
	ck_assert_ptr_nonnull(strstr(said, "$HOTLINE_KERNEL=/nonexistent"));
	unsetenv("HOTLINE_KERNEL");
	if (access(HL_LIBDIR "/vmlinux", F_OK) < 0) {
		ck_assert_int_eq(parse(""), EXIT_NOINPUT);
		ck_assert_ptr_nonnull(strstr(said, "-k FILE"));
	}
}
END_TEST

/* Each way to write the same. */
START_TEST(test_spellings)
{
	static const char *const same[] = {
		"-k a -m 512 -c 4",
		"-ka -m512 -c4",
		"--kernel a --mem 512 --cpus 4",
		"--kernel=a --memory=512 --smp=4",
		"-kernel a -mem 512M -smp 4",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		good(same[i]);
		ck_assert_str_eq(cfg.kernel, "a");
		ck_assert_uint_eq(cfg.mem.size, 512u << 20);
		ck_assert_uint_eq(cfg.cpus, 4);
	}
	good("-vq");
	ck_assert_int_eq(cfg.log_level, LOG_ERROR);
	good("-v");
	ck_assert_int_eq(cfg.log_level, LOG_INFO);
	good("-vv");
	ck_assert_int_eq(cfg.log_level, LOG_DEBUG);
}
END_TEST

START_TEST(test_hypercalls)
{
	good("");
	ck_assert(!cfg.line.off && !cfg.line.test && !cfg.line.said_rings);
	good("--hypercalls off");
	ck_assert(cfg.line.off);
	good("--hypercalls off --hypercalls on");
	ck_assert(!cfg.line.off);
	good("--hypercalls test");
	ck_assert(cfg.line.test && !cfg.line.off);
	good("--hypercalls on,vmcall=off,test=on,rings=0");
	ck_assert(cfg.line.test && cfg.line.said_rings && !cfg.line.rings);
	ck_assert_int_eq(cfg.line.vmcall, RUN_OFF);
	good("--hypercalls vmcall=on,rings=64,workers=64");
	ck_assert_int_eq(cfg.line.vmcall, RUN_ON);
	ck_assert_uint_eq(cfg.line.rings, 64);
	ck_assert_uint_eq(cfg.line.workers, 64);
}
END_TEST

START_TEST(test_clock)
{
	good("");
	ck_assert(!cfg.clock.off && !cfg.clock.period_ms);
	good("--clock off");
	ck_assert(cfg.clock.off);
	good("--clock off --clock on,period=1000");
	ck_assert(!cfg.clock.off);
	ck_assert_uint_eq(cfg.clock.period_ms, 1000);
	good("--clock period=1");
	ck_assert_uint_eq(cfg.clock.period_ms, 1);
}
END_TEST

START_TEST(test_params_are_joined)
{
	good("-p a=1_b --append c --cmdline=d");
	ck_assert_str_eq(cfg.params, "a=1 b c d");
	good("-p a --no-default-params");
	ck_assert_str_eq(cfg.params, "a");
	ck_assert(cfg.no_default_params);
}
END_TEST

START_TEST(test_command)
{
	good("-c 2 -- ls -l --help");
	ck_assert_str_eq(cfg.command[0], "ls");
	ck_assert_str_eq(cfg.command[2], "--help");
	ck_assert_ptr_null(cfg.command[3]);
}
END_TEST

START_TEST(test_rest)
{
	good("--name web.1 --console both --tables acpi --pvh --rng off "
	     "--watchdog 5 --vmlinux v --stats --print-cmdline "
	     "--dump-dtb d --kvm /k -n none");
	ck_assert_str_eq(cfg.name, "web.1");
	ck_assert_int_eq(cfg.console, RUN_CONSOLE_BOTH);
	ck_assert_int_eq(cfg.tables, BOOT_ACPI);
	ck_assert(cfg.pvh && !cfg.rng);
	ck_assert(cfg.stats && cfg.print_cmdline && cfg.no_net);
	ck_assert_uint_eq(cfg.watchdog_s, 5);
	ck_assert_uint_eq(cfg.nr_nets, 0);
	ck_assert_str_eq(cfg.vmlinux, "v");
	ck_assert_str_eq(cfg.dump_dtb, "d");
	ck_assert_str_eq(cfg.kvm_path, "/k");
}
END_TEST

START_TEST(test_sizes)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} sizes[] = {
		{ "16", 16ull << 20 },		{ "16384K", 16ull << 20 },
		{ "64m", 64ull << 20 },		{ "64MiB", 64ull << 20 },
		{ "64MB", 64ull << 20 },	{ "1G", 1ull << 30 },
		{ "3gib", 3ull << 30 },		{ "1T", 1ull << 40 },
		{ "4T", 4ull << 40 },		{ "16777216B", 16ull << 20 },
		{ "16388KiB", 16388ull << 10 },
	};
	char line[64];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(line, sizeof(line), "-m %s", sizes[i].text);
		good(line);
		ck_assert_uint_eq(cfg.mem.size, sizes[i].bytes);
	}
}
END_TEST

START_TEST(test_mem)
{
	good("-m size=1G,backing=memfd,thp=off,prealloc=on");
	ck_assert_uint_eq(cfg.mem.size, 1u << 30);
	ck_assert_int_eq(cfg.mem.backing, MEM_MEMFD);
	ck_assert(cfg.mem.no_thp && cfg.mem.prealloc);
	good("-m 64,thp=on,backing=anon");
	ck_assert(!cfg.mem.no_thp && !cfg.mem.prealloc);
	ck_assert_int_eq(cfg.mem.backing, MEM_ANON);
	good("-m backing=auto");
	ck_assert_uint_eq(cfg.mem.size, 256u << 20);
}
END_TEST

START_TEST(test_disk)
{
	good("-d a -d a,,b=c,ro -d path=e,overlay=tmp,format=raw,queues=4,"
	     "aio=libaio,direct=on,serial=s-1 -d a=b -d ro");
	ck_assert_uint_eq(cfg.nr_disks, 5);
	ck_assert_str_eq(cfg.disk[0].path, "a");
	ck_assert(!cfg.disk[0].ro && !cfg.disk[0].overlay);
	ck_assert(!cfg.disk[0].direct && !cfg.disk[0].queues);
	ck_assert_int_eq(cfg.disk[0].aio, RUN_AIO_AUTO);
	ck_assert_str_eq(cfg.disk[0].serial, "");
	ck_assert_str_eq(cfg.disk[1].path, "a,b=c");
	ck_assert(cfg.disk[1].ro);
	ck_assert_str_eq(cfg.disk[2].path, "e");
	ck_assert(cfg.disk[2].overlay && cfg.disk[2].direct);
	ck_assert(cfg.disk[2].raw && !cfg.disk[0].raw);
	ck_assert_uint_eq(cfg.disk[2].queues, 4);
	ck_assert_int_eq(cfg.disk[2].aio, RUN_AIO_LIBAIO);
	ck_assert_str_eq(cfg.disk[2].serial, "s-1");
	ck_assert_str_eq(cfg.disk[3].path, "a=b");
	ck_assert_str_eq(cfg.disk[4].path, "ro");
}
END_TEST

START_TEST(test_net)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 0xaB, 0xcd, 0xef };
	const struct run_fwd *fwd = cfg.net[0].fwd;

	good("-n user,fwd=2222:22,fwd=udp:53:5353,fwd=tcp:0.0.0.0:80:8080 "
	     "-n tap=tap0,vhost=on,mac=52:54:00:aB:cd:EF,mtu=9000");
	ck_assert_uint_eq(cfg.nr_nets, 2);
	ck_assert_uint_eq(cfg.net[0].nr_fwd, 3);
	ck_assert(!fwd[0].udp && fwd[1].udp && !fwd[2].udp);
	ck_assert_uint_eq(fwd[0].host_addr, htonl(INADDR_LOOPBACK));
	ck_assert_uint_eq(fwd[0].host_port, 2222);
	ck_assert_uint_eq(fwd[0].guest_port, 22);
	ck_assert_uint_eq(fwd[1].host_port, 53);
	ck_assert_uint_eq(fwd[2].host_addr, INADDR_ANY);
	ck_assert_uint_eq(fwd[2].guest_port, 8080);
	ck_assert_int_eq(cfg.net[1].kind, RUN_NET_TAP);
	ck_assert_str_eq(cfg.net[1].tap, "tap0");
	ck_assert_int_eq(cfg.net[1].vhost, RUN_ON);
	ck_assert_uint_eq(cfg.net[1].mtu, 9000);
	ck_assert(cfg.net[1].has_mac && !memcmp(cfg.net[1].mac, mac, 6));
	good("-n fwd=1:2");
	ck_assert_uint_eq(cfg.net[0].nr_fwd, 1);
}
END_TEST

/* Each help text fits a terminal and names each option. */
START_TEST(test_help)
{
	static const struct cli_cmd *const cmds[] = {
		&cli_cmd_run,  &cli_cmd_doctor, &cli_cmd_list,
		&cli_cmd_stop, &cli_cmd_stat,
	};
	const struct cli_cmd *cmd = cmds[_i];
	char *text, *save = NULL, option[40];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	cli_help(cmd, f);
	fclose(f);
	for (unsigned int i = 0; i < cmd->nr_opts; i++) {
		if (!cmd->opts[i].names[0])
			continue;
		snprintf(option, sizeof(option), "--%s", cmd->opts[i].names[0]);
		ck_assert_ptr_nonnull(strstr(text, option));
	}
	for (char *p = strtok_r(text, "\n", &save); p;
	     p = strtok_r(NULL, "\n", &save)) {
		ck_assert_msg(strlen(p) < 80, "%s", p);
		ck_assert_msg(p[strlen(p) - 1] != ' ', "%s|", p);
	}
	free(text);
}
END_TEST

START_TEST(test_help_option)
{
	char *argv[] = { "run", "-k", "a", "--help", NULL };
	int old = capture(STDOUT_FILENO), err;

	err = cli_run_parse(&cfg, 4, argv);
	release(STDOUT_FILENO, old);
	ck_assert_int_eq(err, CLI_DONE);
	ck_assert_int_eq(cli_exit(err), 0);
	ck_assert_ptr_nonnull(strstr(said, "Usage: hotline run"));
}
END_TEST

START_TEST(test_nearest)
{
	static const char *const names[] = { "run", "list", "stop", "stat" };

	ck_assert_str_eq(cli_nearest("runn", names, 4), "run");
	ck_assert_str_eq(cli_nearest("lst", names, 4), "list");
	ck_assert_str_eq(cli_nearest("sto", names, 4), "stop");
	ck_assert_ptr_null(cli_nearest("frobnicate", names, 4));
	ck_assert_ptr_null(cli_nearest("", names, 4));
}
END_TEST

static int note_item(void *ctx, const struct cli_arg *arg)
{
	char *log = ctx;

	sprintf(log + strlen(log), "[%s=%s]", arg->key,
		arg->val ? arg->val : "(none)");
	return 0;
}

START_TEST(test_kv)
{
	static const struct kv_key keys[] = {
		{ .name = "first", .set = note_item },
		{ .name = "word", .word = true, .set = note_item },
		{ .name = "many", .many = true, .set = note_item },
	};
	static const struct {
		const char *text, *items;
	} good_lists[] = {
		{ "a", "[first=a]" },
		{ "a,word", "[first=a][word=(none)]" },
		{ "a,word=", "[first=a][word=]" },
		{ ",,a,,", "[first=,a,]" },
		{ "a,,,word", "[first=a,][word=(none)]" },
		{ "word=1,first=2", "[word=1][first=2]" },
		{ "many=1,many=a=b", "[many=1][many=a=b]" },
		{ "x=y", "[first=x=y]" },
	};
	struct cli_arg arg = { .opt = "-x" };
	char log[256];

	for (size_t i = 0; i < sizeof(good_lists) / sizeof(*good_lists); i++) {
		log[0] = '\0';
		arg.whole = arg.val = good_lists[i].text;
		ck_assert_int_eq(kv_parse(&arg, keys, 3, log), 0);
		ck_assert_str_eq(log, good_lists[i].items);
	}
}
END_TEST

START_TEST(test_json_string)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	cli_json_string(f, "a\"b\\c\n\x01");
	fclose(f);
	ck_assert_str_eq(text, "\"a\\\"b\\\\c\\u000a\\u0001\"");
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli");
	TCase *tc = tcase_create("run");

	tcase_add_checked_fixture(tc, cli_setup, cli_teardown);
	tcase_add_test(tc, test_defaults);
	tcase_add_test(tc, test_kernel_and_initrd);
	tcase_add_test(tc, test_spellings);
	tcase_add_test(tc, test_params_are_joined);
	tcase_add_test(tc, test_hypercalls);
	tcase_add_test(tc, test_clock);
	tcase_add_test(tc, test_command);
	tcase_add_test(tc, test_rest);
	tcase_add_test(tc, test_sizes);
	tcase_add_test(tc, test_mem);
	tcase_add_test(tc, test_disk);
	tcase_add_test(tc, test_net);
	tcase_add_loop_test(tc, test_help, 0, 5);
	tcase_add_test(tc, test_help_option);
	tcase_add_test(tc, test_nearest);
	tcase_add_test(tc, test_kv);
	tcase_add_test(tc, test_json_string);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
