// SPDX-License-Identifier: GPL-2.0-only
/* What ends a machine from the I/O loop: the watchdog, signals. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/lib_run.h"
#include "vmm/backend/signals.h"
#include "vmm/backend/watchdog.h"
#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/vm.h"

static struct vm vm;

static void setup(void)
{
	memset(&vm, 0, sizeof(vm));
	vm.kvm_fd = vm.fd = vm.stats_fd = vm.mem.fd = -1;
	vm.end = -1;
	vm.loop = event_new();
	ck_assert_ptr_nonnull(vm.loop);
}

static void teardown(void)
{
	event_free(vm.loop);
}

static int status(pid_t pid)
{
	int st;

	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t last_output(void *ctx)
{
	return *(uint64_t *)ctx;
}

START_TEST(test_watchdog)
{
	uint64_t t = now_ns(), output = t + 500000000;
	const struct watchdog_options opt = {
		.seconds = 1,
		.last_output_ns = last_output,
		.ctx = &output,
	};
	struct watchdog *dog = watchdog_new(&vm, &opt);

	ck_assert_ptr_nonnull(dog);
	event_run(vm.loop);
	ck_assert_int_eq(vm.end, EXIT_WATCHDOG);
	ck_assert_uint_ge(now_ns() - t, 1500000000);
	watchdog_free(dog);
	watchdog_free(NULL);
}
END_TEST

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };

START_TEST(test_signal)
{
	struct signals *sig = signals_new(&vm, NULL);

	ck_assert_ptr_nonnull(sig);
	raise(ending[_i]);
	event_run(vm.loop);
	ck_assert_int_eq(vm.end, EXIT_STOPPED);
	signals_free(sig);
	signals_free(NULL);
}
END_TEST

static void restored(void)
{
	_exit(42);
}

/* The second one gets through even if the machine does not end. */
START_TEST(test_second_signal)
{
	pid_t pid = fork();

	if (!pid) {
		signals_new(&vm, restored);
		raise(SIGTERM);
		event_run(vm.loop);
		raise(SIGINT);
		_exit(1);
	}
	ck_assert_int_eq(status(pid), 42);
}
END_TEST

START_TEST(test_ignored_signal)
{
	struct signals *sig;

	signal(SIGHUP, SIG_IGN);
	sig = signals_new(&vm, NULL);
	raise(SIGHUP);
	raise(SIGTERM);
	event_run(vm.loop);
	ck_assert_int_eq(vm.end, EXIT_STOPPED);
	signals_free(sig);
	raise(SIGHUP);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ending");
	TCase *tc = tcase_create("ending");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_watchdog);
	tcase_add_loop_test(tc, test_signal, 0, 3);
	tcase_add_test(tc, test_second_signal);
	tcase_add_test(tc, test_ignored_signal);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
