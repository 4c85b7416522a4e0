// SPDX-License-Identifier: GPL-2.0-only
/* See tests/unit/lib_console.h. */
#include "tests/unit/lib_console.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "vmm/core/event.h"
#include "vmm/core/log.h"

void ms_sleep(long ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

/* --- who takes the input --- */

struct con_bed cb;
struct con_got got = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void take_input(void)
{
	pthread_mutex_lock(&got.lock);
	got.len += console_read(cb.con, got.buf + got.len,
				sizeof(got.buf) - got.len);
	pthread_mutex_unlock(&got.lock);
}

static void on_input(struct console_client *client)
{
	(void)client;
	atomic_fetch_add(&got.calls, 1);
	if (atomic_load(&got.takes))
		take_input();
}

static void on_resized(struct console_client *client)
{
	(void)client;
	atomic_fetch_add(&got.resizes, 1);
}

void con_expect_input(const char *want, size_t len)
{
	bool same = false;

	for (int i = 0; i < 3000 && !same; i++) {
		pthread_mutex_lock(&got.lock);
		same = got.len == len;
		pthread_mutex_unlock(&got.lock);
		if (!same)
			ms_sleep(1);
	}
	ck_assert_uint_eq(got.len, len);
	ck_assert_mem_eq(got.buf, want, len);
}

/* --- set-up --- */

static void *run_loop(void *arg)
{
	event_run(arg);
	return NULL;
}

void con_start_loop(void)
{
	pthread_create(&cb.loop, NULL, run_loop, cb.vm.loop);
	cb.looping = true;
}

void con_stop_loop(void)
{
	if (!cb.looping)
		return;
	event_stop(cb.vm.loop);
	pthread_join(cb.loop, NULL);
	cb.looping = false;
}

void con_open(int from, int to)
{
	cb.con = console_new(&cb.vm, from, to);
	ck_assert_ptr_nonnull(cb.con);
	console_attach(cb.con, &got.client);
	ck_assert_int_eq(console_start(cb.con), 0);
	con_start_loop();
}

void con_close(void)
{
	con_stop_loop();
	console_free(cb.con);
	cb.con = NULL;
}

void con_setup(void)
{
	const struct mem_options opt = { .size = 8 << 20, .backing = MEM_ANON };

	log_set_level(LOG_ERROR);
	memset(&cb.vm, 0, sizeof(cb.vm));
	cb.vm.fd = -1;
	atomic_store(&cb.vm.end, -1);
	ck_assert_int_eq(mem_init(&cb.vm.mem, &opt), 0);
	cb.vm.loop = event_new();
	ck_assert_ptr_nonnull(cb.vm.loop);
	ck_assert_int_eq(pipe2(cb.in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(cb.out, O_CLOEXEC), 0);
	got.client = (struct console_client){ on_input, on_resized };
	atomic_store(&got.takes, true);
	atomic_store(&got.calls, 0);
	atomic_store(&got.resizes, 0);
	got.len = 0;
	cb.con = NULL;
}

void con_teardown(void)
{
	con_stop_loop();
	console_free(cb.con);
	for (int i = 0; i < 2; i++) {
		close(cb.in[i]);
		close(cb.out[i]);
	}
	event_free(cb.vm.loop);
	mem_exit(&cb.vm.mem);
}

/* Reads len bytes from fd, at most 3 s; what came. */
size_t con_read_all(int fd, char *buf, size_t len)
{
	size_t n = 0;

	while (n < len) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t r;

		if (poll(&p, 1, 3000) <= 0)
			break;
		r = read(fd, buf + n, len - n);
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	return n;
}

void con_expect_output(int fd, const char *want)
{
	char buf[256] = "";

	ck_assert_uint_le(strlen(want), sizeof(buf));
	con_read_all(fd, buf, strlen(want));
	ck_assert_str_eq(buf, want);
}

bool con_silent(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/* Byte i of a long text. */
char con_byte_at(size_t i)
{
	return (char)(i % 251 ^ i / 4096);
}

void *con_write_much(void *arg)
{
	size_t n = (size_t)(uintptr_t)arg;
	char buf[3000];

	for (size_t i = 0; i < n;) {
		size_t len = 1 + i % sizeof(buf);

		len = len < n - i ? len : n - i;
		for (size_t j = 0; j < len; j++)
			buf[j] = con_byte_at(i + j);
		console_write(cb.con, buf, len);
		i += len;
	}
	return NULL;
}

void con_check_much(int fd, size_t n)
{
	char *buf = malloc(n);
	size_t i = 0;

	ck_assert_uint_eq(con_read_all(fd, buf, n), n);
	while (i < n && buf[i] == con_byte_at(i))
		i++;
	ck_assert_uint_eq(i, n);
	free(buf);
}

void *con_read_later(void *arg)
{
	ms_sleep(300);
	con_check_much(cb.out[0], (size_t)(uintptr_t)arg);
	return NULL;
}

int con_open_pty(int *slave)
{
	const struct winsize ws = { .ws_row = 24, .ws_col = 80 };
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(grantpt(fd), 0);
	ck_assert_int_eq(unlockpt(fd), 0);
	*slave = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(*slave, 0);
	ck_assert_int_eq(ioctl(fd, TIOCSWINSZ, &ws), 0);
	return fd;
}
