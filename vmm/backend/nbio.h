/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads and writes that do not block, on descriptors whose O_NONBLOCK flag
 * must not be touched: it would change for all who share the open file, such
 * as the shell that started us.
 */
#ifndef BACKEND_NBIO_H
#define BACKEND_NBIO_H

#include <stddef.h>
#include <sys/types.h>

struct nbio {
	int fd; /* to use with poll(); the caller's, or opened anew */
	enum nbio_how {
		NBIO_OWN,    /* opened anew, O_NONBLOCK */
		NBIO_SOCKET, /* MSG_DONTWAIT */
		NBIO_POLLED, /* asked with poll() each time, small pieces */
		NBIO_PLAIN,  /* files, /dev/null: never blocks for long */
	} how;
};

/* flags: O_RDONLY or O_WRONLY. */
void nbio_init(struct nbio *io, int fd, int flags);
void nbio_exit(struct nbio *io);

/* Bytes done, 0 at the end of input, -EAGAIN if it would block, or -errno. */
ssize_t nbio_read(const struct nbio *io, void *buf, size_t len);
ssize_t nbio_write(const struct nbio *io, const void *buf, size_t len);

#endif
