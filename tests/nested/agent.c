// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of L1 once l1-init has set it up: starts CMD, carries its standard
 * streams to the host over the virtio-serial port, and sends its exit code.
 * One thread.  CMD, its arguments, environment and directory come from
 * NUL-separated lists in /.bed, which `bed` wrote into the initrd.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "frame.h"

#define LIST_MAX 4096 /* arguments or variables */

struct job {
	int port;	  /* to the host */
	int sigs;	  /* signalfd: SIGCHLD */
	int in, out, err; /* our ends of CMD's streams, -1: closed */
	bool tty;	  /* in == out == a pty's master */
	pid_t pid;
	struct frame_size size;
	struct frame pend; /* FRAME_IN on its way to CMD */
	size_t pend_at;	   /* bytes of it already written */
};

/* The list in @path as a NULL-terminated vector; lives as long as we do. */
static char **list_read(const char *path)
{
	static const size_t step = 1 << 16;
	char **vec = calloc(LIST_MAX + 1, sizeof(*vec));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0, n = 0;
	char *buf = NULL;
	ssize_t got;

	if (!vec || fd < 0)
		err(1, "%s", path);
	do {
		buf = realloc(buf, len + step);
		if (!buf)
			err(1, "%s", path);
		got = read(fd, buf + len, step);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	close(fd);
	for (size_t at = 0; at < len && n < LIST_MAX; n++) {
		vec[n] = buf + at;
		at += strlen(buf + at) + 1;
	}
	return vec;
}

static void read_all(int fd, void *buf, size_t len)
{
	for (char *at = buf; len;) {
		ssize_t got = read(fd, at, len);

		if (got <= 0)
			err(1, "the port broke");
		at += got;
		len -= (size_t)got;
	}
}

static void frame_send(int port, uint8_t type, const void *data, size_t len)
{
	struct frame frame = { .head = { .type = type, .len = (uint16_t)len } };
	const char *at = (const char *)&frame;

	if (len)
		memcpy(frame.data, data, len);
	for (len += sizeof(frame.head); len;) {
		ssize_t put = write(port, at, len);

		if (put < 0)
			err(1, "the port broke");
		at += put;
		len -= (size_t)put;
	}
}

static void frame_recv(int port, struct frame *frame)
{
	read_all(port, &frame->head, sizeof(frame->head));
	if (frame->head.len > FRAME_MAX)
		errx(1, "frame of %u bytes", frame->head.len);
	read_all(port, frame->data, frame->head.len);
}

/* The only virtio-serial port of L1; it appears a little after its bus. */
static int port_open(void)
{
	for (int tries = 0; tries < 1000; tries++) {
		DIR *dev = opendir("/dev");
		struct dirent *ent;
		int fd = -1;

		while (dev && fd < 0 && (ent = readdir(dev)))
			if (!strncmp(ent->d_name, "vport", 5))
				fd = openat(dirfd(dev), ent->d_name,
					    O_RDWR | O_CLOEXEC);
		if (dev)
			closedir(dev);
		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	errx(1, "no virtio-serial port");
}

static void size_set(struct job *job, const struct frame *frame)
{
	struct winsize ws = { 0 };

	if (frame->head.len != sizeof(job->size))
		return;
	memcpy(&job->size, frame->data, sizeof(job->size));
	ws.ws_row = job->size.rows;
	ws.ws_col = job->size.cols;
	if (job->tty && job->in >= 0)
		ioctl(job->in, TIOCSWINSZ, &ws);
}

static void pipe_make(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC))
		err(1, "pipe");
}

/* A pty whose slave is CMD's stdin and stdout. */
static int pty_open(struct job *job)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	if (master < 0 || grantpt(master) || unlockpt(master))
		err(1, "pty");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		err(1, "pty");
	job->in = master;
	job->out = master;
	return slave;
}

static void cmd_exec(char **argv, char **env, bool tty)
{
	sigset_t none;
	char *dir;
	int code;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (tty)
		ioctl(0, TIOCSCTTY, 0);
	for (; *env; env++)
		putenv(*env);
	dir = getenv("PWD");
	if (dir && chdir(dir))
		warn("%s", dir);
	execvp(argv[0], argv);
	code = errno == ENOENT ? 127 : 126;
	warn("cannot run %s in L1", argv[0]);
	_exit(code);
}

static void cmd_start(struct job *job, bool err_tty)
{
	char **argv = list_read("/.bed/argv"), **env = list_read("/.bed/env");
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, errs[2] = { -1, -1 };

	if (!argv[0])
		errx(1, "no command");
	if (job->tty) {
		in[0] = pty_open(job);
		out[1] = in[0];
	} else {
		pipe_make(in);
		pipe_make(out);
		job->in = in[1];
		job->out = out[0];
		fcntl(job->in, F_SETFL, O_NONBLOCK);
	}
	if (err_tty) {
		errs[1] = out[1];
	} else {
		pipe_make(errs);
		job->err = errs[0];
	}
	size_set(job, &job->pend);
	fcntl(job->out, F_SETFL, O_NONBLOCK);
	if (job->err >= 0)
		fcntl(job->err, F_SETFL, O_NONBLOCK);
	job->pid = fork();
	if (job->pid < 0)
		err(1, "fork");
	if (!job->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(errs[1], 2);
		cmd_exec(argv, env, job->tty);
	}
	close(in[0]);
	if (!job->tty)
		close(out[1]);
	if (!err_tty)
		close(errs[1]);
}

/* Sends what CMD wrote; false when there is nothing now or ever. */
static bool out_pump(struct job *job, int *fd, uint8_t type)
{
	char buf[FRAME_MAX];
	ssize_t got;

	if (*fd < 0)
		return false;
	got = read(*fd, buf, sizeof(buf));
	if (got > 0) {
		frame_send(job->port, type, buf, (size_t)got);
		return true;
	}
	if (got < 0 && errno == EAGAIN)
		return false;
	/* A pty's master says EIO while no one has the slave open. */
	if (!job->tty || fd == &job->err)
		close(*fd);
	*fd = -1;
	return false;
}

static void in_close(struct job *job)
{
	if (job->in >= 0 && !job->tty)
		close(job->in);
	job->in = -1;
	job->pend.head.len = 0;
}

/* Passes the pending input on; what does not fit waits for POLLOUT. */
static void in_pump(struct job *job)
{
	size_t left = job->pend.head.len - job->pend_at;
	ssize_t put = write(job->in, job->pend.data + job->pend_at, left);

	if (put < 0 && errno == EAGAIN)
		return;
	if (put < 0) {
		in_close(job);
		return;
	}
	job->pend_at += (size_t)put;
	if (job->pend_at == job->pend.head.len)
		job->pend.head.len = 0;
}

static void port_pump(struct job *job)
{
	struct frame *frame = &job->pend;

	frame_recv(job->port, frame);
	job->pend_at = 0;
	if (frame->head.type == FRAME_IN && job->in >= 0) {
		if (frame->head.len)
			in_pump(job);
		else
			in_close(job);
		return;
	}
	if (frame->head.type == FRAME_SIZE)
		size_set(job, frame);
	frame->head.len = 0;
}

/* PID 1 reaps everybody; true with the exit code when CMD was among them. */
static bool reap(struct job *job, uint32_t *code)
{
	struct signalfd_siginfo info;
	bool ended = false;
	int status;
	pid_t pid;

	if (read(job->sigs, &info, sizeof(info)) < 0 && errno != EAGAIN)
		err(1, "signalfd");
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != job->pid)
			continue;
		ended = true;
		*code = WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status)
					  : 128 + (uint32_t)WTERMSIG(status);
	}
	return ended;
}

static uint32_t job_run(struct job *job)
{
	uint32_t code = 0;

	for (;;) {
		bool pending = job->pend.head.len;
		struct pollfd fds[] = {
			{ job->sigs, POLLIN, 0 },
			{ pending ? -1 : job->port, POLLIN, 0 },
			{ pending ? job->in : -1, POLLOUT, 0 },
			{ job->out, POLLIN, 0 },
			{ job->err, POLLIN, 0 },
		};

		if (poll(fds, 5, -1) < 0 && errno != EINTR)
			err(1, "poll");
		if (fds[1].revents)
			port_pump(job);
		if (fds[2].revents)
			in_pump(job);
		if (fds[3].revents)
			out_pump(job, &job->out, FRAME_OUT);
		if (fds[4].revents)
			out_pump(job, &job->err, FRAME_ERR);
		if (fds[0].revents && reap(job, &code))
			break;
	}
	/* What CMD left in the pipes; children it left behind can't hold us. */
	while (out_pump(job, &job->out, FRAME_OUT))
		;
	while (out_pump(job, &job->err, FRAME_ERR))
		;
	return code;
}

int main(int argc, char **argv)
{
	struct job job = { .in = -1, .out = -1, .err = -1 };
	bool err_tty;
	uint32_t code;
	sigset_t mask;

	job.tty = argc > 1 && strstr(argv[1], "tty");
	err_tty = job.tty && !strstr(argv[1], "stderr");
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	job.sigs = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	job.port = port_open();
	frame_send(job.port, FRAME_HELLO, NULL, 0);
	frame_recv(job.port, &job.pend);
	cmd_start(&job, err_tty);
	job.pend.head.len = 0;
	code = job_run(&job);
	sync();
	frame_send(job.port, FRAME_EXIT, &code, sizeof(code));
	for (;;)
		pause(); /* the host takes the power away */
}
