// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host end of the bed's wire: starts QEMU, carries our standard streams to
 * agent.c in L1 and back, and writes how the run ended to a status file.  One
 * thread.  QEMU never outlives this process, and this process never outlives
 * the script that started it.
 *
 * relay [-t] [-b BOOT_SECS] [-l LIMIT_SECS] -s STATUS -q QEMU_LOG -- QEMU...
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

#define QEMU_FD 3    /* -chardev socket,fd=3 */
#define ESCAPE	0x1d /* Ctrl-] */
#define ESCAPES 3    /* so often in a second: give up on L1 */

struct relay {
	const char *status, *log; /* files */
	bool tty;
	long boot_ms, limit_ms; /* 0: no limit */
	pid_t qemu;
	int port;	   /* non-blocking */
	bool began;	   /* CMD was started */
	bool dirty;	   /* ... and took input or gave output */
	bool in_open;	   /* our stdin has more */
	int64_t deadline;  /* ms, monotonic; 0: none */
	int64_t escape_ms; /* when the first escape was typed */
	int escapes;
	struct frame in; /* from L1, partly received */
	size_t in_len;
	struct frame out; /* to L1, partly sent */
	size_t out_at, out_len;
};

static struct termios tty_saved;
static bool tty_raw;
static int wake[2]; /* signal handlers to the loop */
static volatile sig_atomic_t sig_stop, sig_winch;

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void on_signal(int sig)
{
	int saved = errno;

	if (sig == SIGWINCH)
		sig_winch = 1;
	else
		sig_stop = sig;
	(void)!write(wake[1], "", 1);
	errno = saved;
}

static void signals_init(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
				    SIGWINCH };
	struct sigaction act = { .sa_handler = on_signal };

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK))
		err(1, "pipe");
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaction(sigs[i], &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static void tty_enter(void)
{
	struct termios raw;

	if (tcgetattr(0, &tty_saved))
		err(1, "stdin is no terminal");
	raw = tty_saved;
	cfmakeraw(&raw);
	tcsetattr(0, TCSANOW, &raw);
	tty_raw = true;
}

/* The one way out: power off L1, give the terminal back, say how it ended. */
static void __attribute__((noreturn, format(printf, 2, 3)))
finish(struct relay *r, const char *fmt, ...)
{
	va_list args;
	FILE *file;

	if (tty_raw)
		tcsetattr(0, TCSADRAIN, &tty_saved);
	/* CMD's writes are in the image files: agent.c syncs before it ends. */
	kill(r->qemu, SIGKILL);
	waitpid(r->qemu, NULL, 0);
	file = fopen(r->status, "w");
	if (!file)
		err(1, "%s", r->status);
	va_start(args, fmt);
	vfprintf(file, fmt, args);
	va_end(args);
	fputc('\n', file);
	fclose(file);
	exit(0);
}

static void __attribute__((noreturn)) lost(struct relay *r)
{
	finish(r, "lost %s", !r->began ? "boot" : r->dirty ? "dirty" : "clean");
}

static void qemu_start(struct relay *r, char **argv)
{
	pid_t self = getpid();
	int sv[2], log;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		err(1, "socketpair");
	r->qemu = fork();
	if (r->qemu < 0)
		err(1, "fork");
	if (r->qemu) {
		close(sv[1]);
		r->port = sv[0];
		fcntl(r->port, F_SETFL, O_NONBLOCK);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != self)
		_exit(1);
	setsid(); /* the terminal's Ctrl-C is for us */
	log = open(r->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		err(1, "%s", r->log);
	close(0);
	if (open("/dev/null", O_RDONLY) != 0)
		err(1, "/dev/null");
	if (sv[1] == QEMU_FD)
		fcntl(sv[1], F_SETFD, 0);
	else if (dup2(sv[1], QEMU_FD) < 0)
		err(1, "dup2");
	execvp(argv[0], argv);
	err(1, "%s", argv[0]);
}

static void port_flush(struct relay *r)
{
	while (r->out_len) {
		ssize_t put =
			write(r->port, (char *)&r->out + r->out_at, r->out_len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			return;
		if (put < 0)
			lost(r);
		r->out_at += (size_t)put;
		r->out_len -= (size_t)put;
	}
}

/* Only with nothing pending: r->out is the one frame on its way. */
static void frame_send(struct relay *r, uint8_t type, size_t len)
{
	r->out.head = (struct frame_head){ .type = type, .len = (uint16_t)len };
	r->out_at = 0;
	r->out_len = sizeof(r->out.head) + len;
	port_flush(r);
}

static void size_send(struct relay *r, uint8_t type)
{
	struct frame_size size = { 0 };
	struct winsize ws;

	if (r->tty && !ioctl(0, TIOCGWINSZ, &ws)) {
		size.rows = ws.ws_row;
		size.cols = ws.ws_col;
	}
	memcpy(r->out.data, &size, sizeof(size));
	frame_send(r, type, sizeof(size));
}

/* True when Ctrl-] came three times within a second. */
static bool escaped(struct relay *r, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (r->out.data[i] != ESCAPE)
			r->escapes = 0;
		else if (!r->escapes++)
			r->escape_ms = now_ms();
		else if (now_ms() - r->escape_ms > 1000)
			r->escapes = 1, r->escape_ms = now_ms();
	}
	return r->escapes >= ESCAPES;
}

static void stdin_pump(struct relay *r)
{
	ssize_t got = read(0, r->out.data, FRAME_MAX);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		r->in_open = false;
		got = 0;
	}
	r->dirty |= got > 0;
	if (r->tty && escaped(r, (size_t)got))
		finish(r, "escape");
	frame_send(r, FRAME_IN, (size_t)got);
}

/* Blocks while our reader does; a signal ends that. */
static void put_all(struct relay *r, int fd, const uint8_t *at, size_t len)
{
	while (len && !sig_stop) {
		ssize_t put = write(fd, at, len);

		if (put < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, -1);
		else if (put < 0 && errno != EINTR)
			finish(r, "output %s", strerror(errno));
		if (put > 0) {
			at += put;
			len -= (size_t)put;
		}
	}
}

static void cmd_begin(struct relay *r)
{
	if (r->tty) {
		tty_enter();
		fputs("bed: Ctrl-] three times ends L1\r\n", stderr);
	}
	r->began = true;
	r->in_open = true;
	r->deadline = r->limit_ms ? now_ms() + r->limit_ms : 0;
	size_send(r, FRAME_GO);
}

static void frame_handle(struct relay *r)
{
	struct frame *f = &r->in;
	uint32_t code;

	switch (f->head.type) {
	case FRAME_HELLO:
		if (!r->began)
			cmd_begin(r);
		return;
	case FRAME_OUT:
	case FRAME_ERR:
		r->dirty = true;
		put_all(r, f->head.type == FRAME_OUT ? 1 : 2, f->data,
			f->head.len);
		return;
	case FRAME_EXIT:
		memcpy(&code, f->data, sizeof(code));
		finish(r, "exit %u", code & 0xff);
	default:
		lost(r);
	}
}

static void port_pump(struct relay *r)
{
	size_t head = sizeof(r->in.head);
	size_t want = r->in_len < head ? head : head + r->in.head.len;
	ssize_t got;

	got = read(r->port, (char *)&r->in + r->in_len, want - r->in_len);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		lost(r);
	r->in_len += (size_t)got;
	if (r->in_len < head)
		return;
	if (r->in.head.len > FRAME_MAX)
		lost(r);
	if (r->in_len == head + r->in.head.len) {
		r->in_len = 0;
		frame_handle(r);
	}
}

static void wake_drain(struct relay *r)
{
	char buf[64];

	while (read(wake[0], buf, sizeof(buf)) > 0)
		;
	if (sig_stop)
		finish(r, "signal %d", (int)sig_stop);
}

static int time_left(const struct relay *r)
{
	int64_t left;

	if (!r->deadline)
		return -1;
	left = r->deadline - now_ms();
	return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

static void __attribute__((noreturn)) relay_loop(struct relay *r)
{
	for (;;) {
		bool idle = r->began && !r->out_len;
		struct pollfd fds[] = {
			{ wake[0], POLLIN, 0 },
			{ r->port, r->out_len ? POLLIN | POLLOUT : POLLIN, 0 },
			{ idle && r->in_open ? 0 : -1, POLLIN, 0 },
		};

		poll(fds, 3, time_left(r));
		wake_drain(r);
		if (r->deadline && !time_left(r))
			finish(r, r->began ? "timeout" : "lost boot");
		if (fds[1].revents & POLLOUT)
			port_flush(r);
		if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
			port_pump(r);
		if (r->began && !r->out_len && sig_winch) {
			sig_winch = 0;
			size_send(r, FRAME_SIZE);
		} else if (!r->out_len && fds[2].revents) {
			stdin_pump(r);
		}
	}
}

int main(int argc, char **argv)
{
	struct relay r = { .boot_ms = 120000 };
	int opt;

	while ((opt = getopt(argc, argv, "+tb:l:s:q:")) > 0) {
		switch (opt) {
		case 't':
			r.tty = true;
			break;
		case 'b':
			r.boot_ms = atol(optarg) * 1000;
			break;
		case 'l':
			r.limit_ms = atol(optarg) * 1000;
			break;
		case 's':
			r.status = optarg;
			break;
		case 'q':
			r.log = optarg;
			break;
		default:
			return 2;
		}
	}
	if (optind == argc || !r.status || !r.log)
		errx(2, "what to run?");
	signals_init();
	qemu_start(&r, argv + optind);
	r.deadline = r.boot_ms ? now_ms() + r.boot_ms : 0;
	relay_loop(&r);
}
