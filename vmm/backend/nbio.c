// SPDX-License-Identifier: GPL-2.0-only
/* Non-blocking I/O without O_NONBLOCK.  No state; any thread. */
#include "vmm/backend/nbio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A second open file for the same pipe or terminal, with flags of its own. */
static int open_again(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void nbio_init(struct nbio *io, int fd, int flags)
{
	struct stat st;
	int again;

	*io = (struct nbio){ fd, NBIO_PLAIN };
	if (fstat(fd, &st) < 0)
		return;
	if (S_ISSOCK(st.st_mode)) {
		io->how = NBIO_SOCKET;
	} else if (S_ISFIFO(st.st_mode) ||
		   (S_ISCHR(st.st_mode) && isatty(fd))) {
		again = open_again(fd, flags);
		io->how = again < 0 ? NBIO_POLLED : NBIO_OWN;
		if (again >= 0)
			io->fd = again;
	}
}

void nbio_exit(struct nbio *io)
{
	if (io->how == NBIO_OWN)
		close(io->fd);
	io->fd = -1;
}

static bool may_go(const struct nbio *io, short events)
{
	struct pollfd p = { .fd = io->fd, .events = events };

	return io->how != NBIO_POLLED || poll(&p, 1, 0) > 0;
}

ssize_t nbio_read(const struct nbio *io, void *buf, size_t len)
{
	ssize_t n;

	if (!may_go(io, POLLIN))
		return -EAGAIN;
	n = io->how == NBIO_SOCKET ? recv(io->fd, buf, len, MSG_DONTWAIT)
				   : read(io->fd, buf, len);
	if (n >= 0)
		return n;
	return errno == EINTR ? -EAGAIN : -errno;
}

ssize_t nbio_write(const struct nbio *io, const void *buf, size_t len)
{
	ssize_t n;

	if (!may_go(io, POLLOUT))
		return -EAGAIN;
	/* What a pipe that polls as writable takes without blocking. */
	if (io->how == NBIO_POLLED && len > PIPE_BUF)
		len = PIPE_BUF;
	n = io->how == NBIO_SOCKET
		    ? send(io->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL)
		    : write(io->fd, buf, len);
	if (n > 0)
		return n;
	return !n || errno == EINTR ? -EAGAIN : -errno;
}
