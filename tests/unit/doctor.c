// SPDX-License-Identifier: GPL-2.0-only
/*
 * `hotline doctor` on things that are no KVM: it names what is wrong and never
 * hangs.  And on this machine's, of which only the form is known.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/lib_cli.h"
#include "tests/unit/lib_run.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/probe.h"
#include "vmm/core/exitcode.h"

static int doctor(const char *kvm, char *option)
{
	char *argv[] = { "doctor", "--kvm", (char *)kvm, option, NULL };
	int old, code;

	fflush(stdout);
	old = capture(STDOUT_FILENO);
	code = cli_cmd_doctor.run(option ? 4 : 3, argv);
	release(STDOUT_FILENO, old);
	return code;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

START_TEST(test_absent)
{
	ck_assert_int_eq(doctor("/nonexistent", NULL), EXIT_UNAVAIL);
	ck_assert_ptr_nonnull(strstr(said, "FAIL  device"));
	ck_assert_ptr_nonnull(strstr(said, "No such file"));
	ck_assert_ptr_nonnull(strstr(said, "Fix: "));
	ck_assert_ptr_nonnull(strstr(said, "cannot run guests here"));
}
END_TEST

START_TEST(test_not_kvm)
{
	ck_assert_int_eq(doctor("/dev/null", NULL), EXIT_UNAVAIL);
	ck_assert_ptr_nonnull(strstr(said, "is not a KVM device"));
}
END_TEST

START_TEST(test_directory)
{
	char path[] = "/tmp/hotline-test-XXXXXX";
	double t = now();
	struct probe_result res;

	ck_assert_ptr_nonnull(mkdtemp(path));
	ck_assert_int_eq(doctor(path, NULL), EXIT_UNAVAIL);
	probe_speed(path, &res);
	ck_assert(!res.timed_out && res.err && res.step == PROBE_OPEN);
	ck_assert(now() - t < 3);
	rmdir(path);
}
END_TEST

START_TEST(test_json)
{
	ck_assert_int_eq(doctor("/dev/\"x", "--json"), EXIT_UNAVAIL);
	ck_assert_ptr_nonnull(
		strstr(said, "{\"kvm\":\"/dev/\\\"x\",\"usable\":false,"));
	ck_assert_ptr_nonnull(strstr(said, "\"verdict\":\"fail\""));
	ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}
END_TEST

START_TEST(test_here)
{
	double t = now();
	int code = doctor("/dev/kvm", NULL);

	ck_assert(code == EXIT_OK || code == EXIT_UNAVAIL);
	ck_assert(now() - t < 3.5);
	ck_assert_ptr_nonnull(strstr(said, code ? "FAIL" : "is usable"));
}
END_TEST

/* One line, for scripts. */
START_TEST(test_brief)
{
	ck_assert_int_eq(doctor("/nonexistent", "--brief"), EXIT_UNAVAIL);
	ck_assert_ptr_nonnull(strstr(said, "/nonexistent: No such file"));
	ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}
END_TEST

START_TEST(test_mips)
{
	struct probe_result res = { .instructions = 3000000, .ns = 1000000 };

	ck_assert(probe_mips(&res) == 3000);
	res.ns = 0;
	ck_assert(probe_mips(&res) == 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("doctor");
	TCase *tc = tcase_create("doctor");

	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, test_absent);
	tcase_add_test(tc, test_not_kvm);
	tcase_add_test(tc, test_directory);
	tcase_add_test(tc, test_json);
	tcase_add_test(tc, test_here);
	tcase_add_test(tc, test_brief);
	tcase_add_test(tc, test_mips);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
