// SPDX-License-Identifier: GPL-2.0-only
/* The console's host end: pipes, sockets and files. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/lib_console.h"
#include "tests/unit/lib_run.h"
#include "vmm/core/exitcode.h"

/* --- output --- */

START_TEST(gathers_lines)
{
	con_open(-1, cb.out[1]);
	ck_assert_uint_eq(console_last_output_ns(cb.con), 0);
	con_stop_loop(); /* so that nobody flushes by time */
	for (const char *p = "one line"; *p; p++)
		console_write(cb.con, p, 1);
	ck_assert(con_silent(cb.out[0]));
	console_write(cb.con, "\n", 1);
	ck_assert(!con_silent(cb.out[0]));
	con_expect_output(cb.out[0], "one line\n");
	console_write(cb.con, "login: ", 7);
	ck_assert(con_silent(cb.out[0]));
	con_start_loop();
	console_write(cb.con, "", 0);
	ck_assert_uint_gt(console_last_output_ns(cb.con), 0);
	con_close();
	con_expect_output(cb.out[0], "login: ");
}
END_TEST

START_TEST(prompt_comes)
{
	con_open(-1, cb.out[1]);
	console_write(cb.con, "login: ", 7);
	con_expect_output(cb.out[0], "login: ");
	console_write(cb.con, "again: ", 7);
	con_expect_output(cb.out[0], "again: ");
	ck_assert_int_eq(fcntl(cb.out[1], F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

/* The writer goes as fast as the reader, and nothing is lost or swapped. */
START_TEST(back_pressure)
{
	const size_t n = 3000000;
	pthread_t writer;

	con_open(-1, cb.out[1]);
	pthread_create(&writer, NULL, con_write_much, (void *)n);
	ms_sleep(50);
	con_check_much(cb.out[0], n);
	pthread_join(writer, NULL);
}
END_TEST

/* A writer that waits leaves when the machine ends; the rest comes out. */
START_TEST(end_while_full)
{
	const size_t n = 100000; /* more than the pipe, not our buffer */
	pthread_t writer, reader;

	con_open(-1, cb.out[1]);
	pthread_create(&writer, NULL, con_write_much, (void *)n);
	ms_sleep(100);
	vm_end(&cb.vm, EXIT_OK);
	pthread_join(writer, NULL);
	pthread_create(&reader, NULL, con_read_later, (void *)n);
	con_close();
	pthread_join(reader, NULL);
}
END_TEST

/* Stopped from outside: no waiting for a reader that does not read. */
START_TEST(stopped_while_full)
{
	const size_t n = 1000000;
	pthread_t writer;

	con_open(-1, cb.out[1]);
	pthread_create(&writer, NULL, con_write_much, (void *)n);
	ms_sleep(100);
	vm_end(&cb.vm, EXIT_STOPPED);
	pthread_join(writer, NULL);
	con_close();
}
END_TEST

START_TEST(reader_leaves)
{
	con_open(-1, cb.out[1]);
	signal(SIGPIPE, SIG_IGN);
	close(cb.out[0]);
	cb.out[0] = -1;
	con_write_much((void *)1000000);
	console_write(cb.con, "\n", 1);
	signal(SIGPIPE, SIG_DFL);
	con_close(); /* does not raise it, either */
}
END_TEST

START_TEST(reader_leaves_last)
{
	con_open(-1, cb.out[1]);
	con_stop_loop();
	console_write(cb.con, "no newline", 10);
	close(cb.out[0]);
	cb.out[0] = -1;
	con_close();
}
END_TEST

START_TEST(socket_output)
{
	const size_t n = 1000000;
	pthread_t writer;
	int s[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	con_open(-1, s[1]);
	pthread_create(&writer, NULL, con_write_much, (void *)n);
	ms_sleep(50);
	con_check_much(s[0], n);
	pthread_join(writer, NULL);
	close(s[0]);
	con_write_much((void *)5000); /* no SIGPIPE */
	con_close();
	close(s[1]);
}
END_TEST

START_TEST(full_device)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	con_open(-1, fd);
	con_write_much((void *)200000);
	con_close();
	close(fd);
}
END_TEST

/* --- input --- */

START_TEST(pipe_input)
{
	con_open(cb.in[0], cb.out[1]);
	ck_assert_int_eq(write(cb.in[1], "ab\x01x", 4), 4);
	con_expect_input("ab\x01x", 4); /* no escapes but from a terminal */
	ck_assert(!vm_ended(&cb.vm));
	close(cb.in[1]);
	cb.in[1] = -1;
	ms_sleep(20);
	ck_assert(!vm_ended(&cb.vm));
}
END_TEST

/* What the device does not take stays in the pipe, not in our memory. */
START_TEST(input_waits)
{
	char text[20000];
	int left;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = con_byte_at(i);
	atomic_store(&got.takes, false);
	con_open(cb.in[0], cb.out[1]);
	ck_assert_int_eq(write(cb.in[1], text, sizeof(text)), sizeof(text));
	ms_sleep(100);
	ck_assert_int_eq(ioctl(cb.in[0], FIONREAD, &left), 0);
	ck_assert_int_ge(left, 20000 - 8192);
	ck_assert_uint_lt(atomic_load(&got.calls), 100);
	atomic_store(&got.takes, true);
	console_input_ready(cb.con);
	con_expect_input(text, sizeof(text));
	ck_assert_int_eq(fcntl(cb.in[0], F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(file_input)
{
	FILE *f = tmpfile();
	char text[20000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = con_byte_at(i);
	fwrite(text, sizeof(text), 1, f);
	rewind(f);
	con_open(fileno(f), cb.out[1]);
	con_expect_input(text, sizeof(text));
	con_close();
	fclose(f);
}
END_TEST

START_TEST(no_input)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	con_open(fd, cb.out[1]);
	ms_sleep(20);
	ck_assert_uint_eq(atomic_load(&got.calls), 0);
	con_close();
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("console");
	TCase *t = tcase_create("console");

	tcase_add_checked_fixture(t, con_setup, con_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, gathers_lines);
	tcase_add_test(t, prompt_comes);
	tcase_add_test(t, back_pressure);
	tcase_add_test(t, end_while_full);
	tcase_add_test(t, stopped_while_full);
	tcase_add_test(t, reader_leaves);
	tcase_add_test(t, reader_leaves_last);
	tcase_add_test(t, socket_output);
	tcase_add_test(t, full_device);
	tcase_add_test(t, pipe_input);
	tcase_add_test(t, input_waits);
	tcase_add_test(t, file_input);
	tcase_add_test(t, no_input);
	suite_add_tcase(s, t);
	return unit_run(s);
}
