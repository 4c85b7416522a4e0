// SPDX-License-Identifier: GPL-2.0-only
/* A VMM as a child process.  The runner's only thread. */
#include "tests/bench/vmproc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* In the child. */
static void become(char *const argv[], const char *preload, const char *errors,
		   int in, int out)
{
	int err = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (preload)
		setenv("LD_PRELOAD", preload, 1);
	execv(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int vmproc_start(struct vmproc *p, char *const argv[], const char *preload,
		 const char *errors)
{
	int in[2], out[2];

	memset(p, 0, offsetof(struct vmproc, buf));
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return -errno;
	p->started = now_ns();
	p->pid = vfork();
	if (!p->pid)
		become(argv, preload, errors, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	p->in = in[1];
	p->out = out[0];
	if (p->pid < 0)
		return -errno;
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	return p->pidfd < 0 ? -errno : 0;
}

void vmproc_stop(struct vmproc *p)
{
	if (p->pid <= 0)
		return;
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	close(p->pidfd);
	close(p->in);
	close(p->out);
	p->pid = 0;
}

static int fill(struct vmproc *p, uint64_t deadline)
{
	struct pollfd fd = { .fd = p->out, .events = POLLIN };
	uint64_t now = now_ns();
	ssize_t n;

	if (now >= deadline)
		return -ETIMEDOUT;
	memmove(p->buf, p->buf + p->from, p->to - p->from);
	p->to -= p->from;
	p->from = 0;
	if (poll(&fd, 1, (int)((deadline - now) / 1000000) + 1) == 0)
		return -ETIMEDOUT;
	n = read(p->out, p->buf + p->to, VMPROC_BUF - p->to);
	if (n <= 0)
		return -EPIPE;
	p->to += (size_t)n;
	p->received += (uint64_t)n;
	return 0;
}

static void take(struct vmproc *p, size_t len, char *line, size_t size)
{
	size_t n = len < size ? len : size - 1;

	memcpy(line, p->buf + p->from, n);
	while (n && line[n - 1] == '\r')
		n--;
	line[n] = '\0';
	p->from += len;
}

int vmproc_line(struct vmproc *p, char *line, size_t size, uint64_t deadline)
{
	size_t seen = 0;

	for (;;) {
		size_t have = p->to - p->from;
		char *at = p->buf + p->from;
		char *end = memchr(at + seen, '\n', have - seen);
		int err;

		if (end) {
			take(p, (size_t)(end - at), line, size);
			p->from++;
			return 0;
		}
		if (have == VMPROC_BUF) {
			take(p, have, line, size);
			return 0;
		}
		seen = have;
		err = fill(p, deadline);
		if (err)
			return err;
	}
}

int vmproc_expect(struct vmproc *p, const char *start, char *line, size_t size,
		  uint64_t deadline)
{
	int err;

	do
		err = vmproc_line(p, line, size, deadline);
	while (!err && strncmp(line, start, strlen(start)));
	return err;
}

int vmproc_say(struct vmproc *p, const char *line)
{
	size_t len = strlen(line);

	return write(p->in, line, len) == (ssize_t)len ? 0 : -EPIPE;
}
