// SPDX-License-Identifier: GPL-2.0-only
/* The console's host end on a terminal. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/unit/lib_console.h"
#include "tests/unit/lib_run.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

static bool is_raw(int fd)
{
	struct termios t;

	ck_assert_int_eq(tcgetattr(fd, &t), 0);
	return !(t.c_lflag & (ICANON | ECHO | ISIG)) && !(t.c_oflag & OPOST);
}

START_TEST(terminal)
{
	int slave, master = con_open_pty(&slave);

	ck_assert(!is_raw(slave));
	con_open(slave, slave);
	ck_assert(is_raw(slave));
	ck_assert_int_eq(write(master, "a\x03\x01\x01\x01z\r", 7), 7);
	con_expect_input("a\x03\x01\x01z\r", 6);
	console_write(cb.con, "a\nb\r\n", 5);
	con_expect_output(master, "a\nb\r\n");
	ck_assert(!vm_ended(&cb.vm));
	ck_assert_int_eq(write(master, "\x01x", 2), 2);
	pthread_join(cb.loop, NULL); /* no vCPU: the end stops the loop */
	cb.looping = false;
	ck_assert_int_eq(atomic_load(&cb.vm.end), EXIT_STOPPED);
	con_close();
	ck_assert(!is_raw(slave));
	close(slave);
	close(master);
}
END_TEST

/* The way out works when the guest does not take its input any more. */
START_TEST(stuck_guest)
{
	int slave, master = con_open_pty(&slave);
	char junk[500];

	memset(junk, 'j', sizeof(junk));
	atomic_store(&got.takes, false);
	con_open(slave, slave);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(write(master, junk, sizeof(junk)),
				 sizeof(junk));
		ms_sleep(5);
	}
	ck_assert_int_eq(write(master, "\x01x", 2), 2);
	pthread_join(cb.loop, NULL);
	cb.looping = false;
	ck_assert_int_eq(atomic_load(&cb.vm.end), EXIT_STOPPED);
	con_close();
	close(slave);
	close(master);
}
END_TEST

START_TEST(window_size)
{
	const struct winsize ws = { .ws_row = 50, .ws_col = 132 };
	int slave, master = con_open_pty(&slave);
	uint16_t cols, rows;

	con_open(slave, slave);
	ck_assert(console_size(cb.con, &cols, &rows));
	ck_assert_uint_eq(cols, 80);
	ck_assert_uint_eq(rows, 24);
	ck_assert_int_eq(ioctl(master, TIOCSWINSZ, &ws), 0);
	kill(getpid(), SIGWINCH); /* it is not our controlling terminal */
	for (int i = 0; i < 3000 && !atomic_load(&got.resizes); i++)
		ms_sleep(1);
	ck_assert_uint_eq(atomic_load(&got.resizes), 1);
	ck_assert(console_size(cb.con, &cols, &rows));
	ck_assert_uint_eq(cols, 132);
	con_close();
	ck_assert_int_eq(signal(SIGWINCH, SIG_DFL) == SIG_DFL, 1);
	close(slave);
	close(master);
	con_open(cb.in[0], cb.out[1]);
	ck_assert(!console_size(cb.con, &cols, &rows));
}
END_TEST

/* A job in the background that takes the terminal once it is given it. */
static void be_job(int slave, int go)
{
	char byte;

	setpgid(0, 0);
	con_open(slave, slave);
	console_write(cb.con, is_raw(slave) ? "raw?\n" : "cooked\n", 7);
	if (read(go, &byte, 1) != 1)
		_exit(1);
	con_expect_input("typed", 5);
	console_write(cb.con, is_raw(slave) ? "raw\n" : "no\n", 4);
	con_close();
	_exit(is_raw(slave));
}

static void be_shell(const char *path, int *go)
{
	int slave, status;
	pid_t job;

	setsid();
	slave = open(path, O_RDWR); /* which makes it our terminal */
	job = fork();
	if (!job)
		be_job(slave, go[0]);
	ms_sleep(100);
	setpgid(job, job);
	tcsetpgrp(slave, job);
	if (write(go[1], "", 1) != 1)
		_exit(1);
	waitpid(job, &status, WUNTRACED);
	_exit(!WIFEXITED(status) || WEXITSTATUS(status));
}

START_TEST(background)
{
	int slave, status, go[2], master = con_open_pty(&slave);
	pid_t shell;

	ck_assert_int_eq(pipe(go), 0);
	shell = fork();
	if (!shell)
		be_shell(ptsname(master), go);
	con_expect_output(master, "cooked\r\n");
	ms_sleep(1000); /* it looks twice a second */
	ck_assert_int_eq(write(master, "typed", 5), 5);
	con_expect_output(master, "raw\n");
	ck_assert_int_eq(waitpid(shell, &status, 0), shell);
	ck_assert_int_eq(status, 0);
	close(go[0]);
	close(go[1]);
	close(slave);
	close(master);
}
END_TEST

static void leave_by_abort(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	abort();
}

static void leave_by_die(void)
{
	die(EXIT_OSERR, "(a test of dying)");
}

static void leave_by_signal(void)
{
	console_restore();
	_exit(1);
}

/* Whatever the way out, the terminal is what it was. */
START_TEST(ways_out)
{
	static void (*const leave[])(void) = { leave_by_abort, leave_by_die,
					       leave_by_signal };
	int slave, status, master = con_open_pty(&slave);
	pid_t child = fork();

	if (!child) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		con_open(slave, slave);
		console_write(cb.con, is_raw(slave) ? "raw\n" : "no\n", 4);
		leave[_i]();
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_ne(status, 0);
	con_expect_output(master, "raw\n");
	ck_assert(!is_raw(slave));
	close(slave);
	close(master);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("console_tty");
	TCase *t = tcase_create("console_tty");

	tcase_add_checked_fixture(t, con_setup, con_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, terminal);
	tcase_add_test(t, stuck_guest);
	tcase_add_test(t, window_size);
	tcase_add_test(t, background);
	tcase_add_loop_test(t, ways_out, 0, 3);
	suite_add_tcase(s, t);
	return unit_run(s);
}
