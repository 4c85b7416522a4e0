// SPDX-License-Identifier: GPL-2.0-only
/* Each wrong option of `hotline run` is refused with a message that helps. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/lib_cli.h"
#include "tests/unit/lib_run.h"
#include "vmm/cli/run.h"
#include "vmm/core/exitcode.h"

/* What is refused, and a piece of what is said about it. */
static const struct {
	const char *line, *says;
} refused[] = {
	{ "-m 12Q", "-m 12Q: not a size" },
	{ "-m x", "-m x: not a size" },
	{ "-m -5", "-m -5: not a size" },
	{ "-m 1.5G", "not a size" },
	{ "-m 12KK", "not a size" },
	{ "-m 0", "-m 0: too small; write a size from 16M to 4T" },
	{ "--mem=15", "--mem 15: too small" },
	{ "-m 5T", "too large" },
	{ "-m 18446744073709551616", "too large" },
	{ "-m 18014398509481984K", "too large" },
	{ "-m 16385K",
	  "not a multiple of the page size; write a multiple of 4K" },
	{ "-m 16777217B", "not a multiple of the page size" },
	{ "-m", "-m: needs a value; write -m SIZE" },
	{ "--mem=", "--mem \"\": empty value" },
	{ "-m 64,", "empty item" },
	{ "-m 64,thp", "\"thp\" needs a value" },
	{ "-m 64,thp=yes", "thp=yes: no such choice; write off or on" },
	{ "-m 64,thp=on,thp=on", "\"thp\" is there twice" },
	{ "-m 64,size=65", "\"size\" is there twice" },
	{ "-m 64,baking=anon", "did you mean \"backing\"?" },
	{ "-m 64,zzz=1", "known are size, backing, thp, prealloc" },
	{ "-m 64,backing=file", "write auto, anon or memfd" },
	{ "-c 0", "-c 0: too small; write a number from 1 to 254" },
	{ "-c 255", "too large" },
	{ "-c 99999999999999999999", "too large" },
	{ "-c two", "not a whole number" },
	{ "-c 2x", "not a whole number" },
	{ "-c -1", "not a whole number" },
	{ "--smp=", "not a whole number" },
	{ "--hypercalls maybe", "write on, off, or KEY=VALUE" },
	{ "--hypercalls", "needs a value" },
	{ "--hypercalls off,test", "off takes nothing else" },
	{ "--hypercalls off,rings=0", "off takes nothing else" },
	{ "--hypercalls vmcall=2", "vmcall=2: no such choice" },
	{ "--hypercalls rings=65", "rings=65: too large" },
	{ "--hypercalls rings=-1", "not a whole number" },
	{ "--hypercalls workers=0", "workers=0: too small" },
	{ "--hypercalls rings=0,workers=2", "drop it or rings=0" },
	{ "--hypercalls on,ring=2", "did you mean \"rings\"?" },
	{ "--hypercalls test=maybe", "test=maybe: no such choice" },
	{ "--clock maybe", "--clock maybe: no such choice" },
	{ "--clock", "needs a value" },
	{ "--clock on,period=0", "period=0: too small" },
	{ "--clock period=1001", "period=1001: too large" },
	{ "--clock period", "no such choice" },
	{ "--clock off,period=10", "off takes nothing else" },
	{ "--clock on,tick=1", "known are mode, period" },
	{ "--timer maybe", "maybe: no such choice" },
	{ "--timer halt=hlt", "write auto, call or exits" },
	{ "--timer off,halt=call", "drop it or off" },
	{ "--yield on",
	  "on: no such choice; write auto, kvm, pull, lease or off" },
	{ "--yield rate=0", "rate=0: too small; write a number from 1 to" },
	{ "--yield off,rate=9", "drop it, or write auto, pull or lease" },
	{ "--yield kvm,rate=9", "drop it, or write auto, pull or lease" },
	{ "-k", "-k: needs a value; write -k FILE" },
	{ "--kernel=", "names no file" },
	{ "-d ,ro", "empty item" },
	{ "-d queues=2", "names no file" },
	{ "-d a,path=b", "\"path\" is there twice" },
	{ "-d a,queues=9", "-d a,queues=9: queues=9: too large" },
	{ "-d a,queues=0", "too small" },
	{ "-d a,ro=maybe", "no such choice" },
	{ "-d a,ro,overlay=tmp", "exclude each other" },
	{ "-d a,overlay=b", "write off or tmp" },
	{ "-d a,overlay", "needs a value; write overlay=..." },
	{ "-d a,aio=threads", "write auto, io_uring or libaio" },
	{ "-d a,serial=123456789012345678901", "too long" },
	{ "-d a,serial=", "empty" },
	{ "-d a,serial=a_b", "visible ASCII" },
	{ "-d a,b", "a comma in a file name is written twice" },
	{ "-d 1 -d 2 -d 3 -d 4 -d 5 -d 6 -d 7 -d 8 -d 9", "at most 8" },
	{ "-n foo", "write user, tap=NAME or none" },
	{ "-n tap", "write user, tap=NAME or none" },
	{ "-n tap=", "not an interface name" },
	{ "-n tap=abcdefghijklmnop", "not an interface name" },
	{ "-n tap=a/b", "not an interface name" },
	{ "-n tap=t,fwd=1:2", "fwd= is for user networks" },
	{ "-n user,tap=t", "both user and tap" },
	{ "-n user,vhost=on", "vhost= is for tap" },
	{ "-n user,mtu=1500", "mtu= is for tap" },
	{ "-n tap=t,mtu=67", "too small" },
	{ "-n tap=t,mtu=65536", "too large" },
	{ "-n none,mac=52:54:00:12:34:56", "none takes nothing else" },
	{ "-n none -n user", "stands beside another --net" },
	{ "-n user -n none", "stands beside another --net" },
	{ "-n user -n user -n user -n user -n user", "at most 4" },
	{ "-n user,mac=52:54:00:12:34", "not a MAC address" },
	{ "-n user,mac=52:54:00:12:34:56:78", "not a MAC address" },
	{ "-n user,mac=52-54-00-12-34-56", "not a MAC address" },
	{ "-n user,mac=", "not a MAC address" },
	{ "-n user,mac=01:00:00:00:00:00", "not the address of one card" },
	{ "-n user,mac=00:00:00:00:00:00", "not the address of one card" },
	{ "-n user,fwd=22", "not a forwarding" },
	{ "-n user,fwd=0:22", "not a forwarding" },
	{ "-n user,fwd=1:65536", "not a forwarding" },
	{ "-n user,fwd=1:", "not a forwarding" },
	{ "-n user,fwd=1:+2", "not a forwarding" },
	{ "-n user,fwd=1.2.3:1:2", "not a forwarding" },
	{ "-n user,fwd=sctp:1:2", "not a forwarding" },
	{ "-n user,fwd=1:2,fwd=1:3", "host port 1 is forwarded already" },
	{ "--console vga", "write off, virtio, serial or both" },
	{ "--tables mp", "write auto, dt or acpi" },
	{ "--rng yes", "write off or on" },
	{ "--watchdog 86401", "too large" },
	{ "--watchdog 5 --console off", "there is no output to watch" },
	{ "--name a/b", "--name a/b: not a name" },
	{ "--name -a", "not a name" },
	{ "--name .", "not a name" },
	{ "--name=", "not a name" },
	{ "--name aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeee",
	  "write 1 to 47" },
	{ "--stats=yes", "--stats yes: takes no value" },
	{ "--memroy 5", "--memroy: unknown option; did you mean --memory?" },
	{ "--initrd-file x", "--initrd-file: unknown option" },
	{ "--kern x", "did you mean --kernel?" },
	{ "--xyzzy", "\"hotline help run\" lists them all" },
	{ "-z", "-z: unknown option" },
	{ "-vz", "-z: unknown option" },
	{ "vmlinux",
	  "vmlinux: unexpected argument; a kernel is given with -k" },
	{ "-", "unexpected argument" },
	{ "-c 1 --", "no command behind it" },
};

START_TEST(test_refused)
{
	const char *line = refused[_i].line;
	int err = parse(line);

	ck_assert_msg(err == EXIT_USAGE, "%s: %d %s", line, err, said);
	ck_assert_msg(strstr(said, refused[_i].says), "%s: %s", line, said);
	ck_assert(!strncmp(said, "hotline: ", 9));
	ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}
END_TEST

/* Values of any length are refused, never overrun anything. */
START_TEST(test_long_values)
{
	static const char *const opts[] = {
		"-m", "-d", "-n", "-c", "--name", "--console", "-p", "--rng",
	};
	static char value[9000];
	char *argv[] = { "run", NULL, value, NULL };
	static const char *const heads[] = {
		"", "a,", "tap=", "user,fwd=", "user,mac=", "a,serial=", "1,",
	};

	for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
		for (size_t j = 0; j < sizeof(heads) / sizeof(heads[0]); j++) {
			int old = capture(STDERR_FILENO);

			memset(value, '7', sizeof(value) - 1);
			memcpy(value, heads[j], strlen(heads[j]));
			argv[1] = (char *)opts[i];
			run_config_exit(&cfg);
			run_config_init(&cfg);
			cli_run_parse(&cfg, 3, argv);
			release(STDERR_FILENO, old);
			ck_assert_uint_lt(strlen(said), 1100);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli_refused");
	TCase *tc = tcase_create("run");

	tcase_add_checked_fixture(tc, cli_setup, cli_teardown);
	tcase_add_loop_test(tc, test_refused, 0,
			    (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_test(tc, test_long_values);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
