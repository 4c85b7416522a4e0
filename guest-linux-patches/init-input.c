// SPDX-License-Identifier: GPL-2.0-only
/*
 * A command's standard input, from the console into a pipe: any byte can go
 * through that, and it has an end.  A process of its own.
 */
#include "init.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/io.h>
#include <unistd.h>

#include <hotline/platform.h>

/* Passes on what came, without its escapes; false at the end of the input. */
static bool feed_some(int to, const unsigned char *buf, ssize_t n,
		      bool *escaped)
{
	unsigned char out[512];
	size_t len = 0;

	for (ssize_t i = 0; i < n; i++) {
		if (!*escaped && buf[i] == HL_INPUT_ESCAPE) {
			*escaped = true;
			continue;
		}
		if (*escaped && buf[i] == HL_INPUT_END)
			n = 0;
		else
			out[len++] = buf[i];
		*escaped = false;
	}
	for (size_t at = 0; at < len;) {
		ssize_t put = write(to, out + at, len - at);

		if (put < 0)
			return false;
		at += put;
	}
	return n > 0;
}

static void feed(int to)
{
	unsigned char buf[512];
	bool escaped = false;
	ssize_t n;

	if (!ioperm(HL_INPUT_PORT, 1, 1))
		outb(1, HL_INPUT_PORT);
	do {
		n = read(0, buf, sizeof(buf));
	} while (n > 0 && feed_some(to, buf, n, &escaped));
	_exit(0);
}

int input_start(void)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return 0;
	pid = fork();
	if (!pid) {
		close(fds[0]);
		feed(fds[1]);
	}
	close(fds[1]);
	return fds[0];
}
