// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output.  One system call per byte would cost a serial console more than the
 * exit does, so bytes gather until the line ends, or a few milliseconds.
 */
#include "vmm/backend/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/core/log.h"
#include "vmm/core/vm.h"

#define MS	  1000000 /* ns */
#define GATHER_MS 5	  /* below what people notice */
#define RETRY_MS  20
#define LOOK_MS	  100  /* how late a waiting vCPU sees the end */
#define DIRECT	  1024 /* bytes that are not worth copying */

static void arm(struct sink *s, long ms)
{
	struct itimerspec at = { .it_value.tv_nsec = ms * MS };

	s->armed = timerfd_settime(s->timer.fd, 0, &at, NULL) == 0;
}

static void fail(struct sink *s, ssize_t err, size_t len)
{
	static struct log_limit limit;

	s->lost += len;
	s->dead = err != -ENOSPC && err != -EDQUOT && err != -EFBIG;
	warn_limited(&limit, "cannot write the console output: %s%s",
		     strerror((int)-err),
		     s->dead ? "; the rest is discarded" : "");
}

/* Bytes dealt with, as far as it goes without waiting. */
static size_t put(struct sink *s, const char *p, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = nbio_write(&s->io, p + done, len - done);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			fail(s, n, len - done);
			return len;
		}
		done += (size_t)n;
	}
	return done;
}

static bool wait_writable(struct sink *s, int ms)
{
	struct pollfd p = { .fd = s->io.fd, .events = POLLOUT };

	/* An error counts as writable: the next write tells what it is. */
	return poll(&p, 1, ms) != 0;
}

static size_t put_all(struct sink *s, const char *p, size_t len)
{
	size_t done = put(s, p, len);

	while (done < len && !vm_ended(s->vm)) {
		wait_writable(s, LOOK_MS);
		done += put(s, p + done, len - done);
	}
	return done;
}

static void consume(struct sink *s, size_t len)
{
	s->len -= len;
	memmove(s->buf, s->buf + len, s->len);
}

static void keep(struct sink *s, const char *p, size_t len)
{
	size_t room = sizeof(s->buf) - s->len;

	if (len > room) {
		s->lost += len - room;
		len = room;
	}
	memcpy(s->buf + s->len, p, len);
	s->len += len;
}

static void write_locked(struct sink *s, const char *p, size_t len)
{
	if (len >= DIRECT || len > sizeof(s->buf) - s->len) {
		consume(s, put_all(s, s->buf, s->len));
		if (!s->len) {
			size_t done = put_all(s, p, len);

			p += done;
			len -= done;
		}
	}
	keep(s, p, len);
	if (s->len && s->buf[s->len - 1] == '\n')
		consume(s, put_all(s, s->buf, s->len));
	if (s->len && !s->armed)
		arm(s, GATHER_MS);
}

void sink_write(struct sink *s, const void *buf, size_t len)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	atomic_store_explicit(&s->last_ns,
			      (uint64_t)now.tv_sec * 1000000000 +
				      (uint64_t)now.tv_nsec,
			      memory_order_relaxed);
	pthread_mutex_lock(&s->lock);
	if (s->dead)
		s->lost += len;
	else
		write_locked(s, buf, len);
	pthread_mutex_unlock(&s->lock);
}

/* The lock may be held by a vCPU that waits for the reader: do not wait. */
static void on_timer(struct event_source *src, uint32_t events)
{
	struct sink *s = (struct sink *)src;
	struct itimerspec at = { .it_value.tv_nsec = RETRY_MS * MS };

	(void)events;
	if (pthread_mutex_trylock(&s->lock)) {
		timerfd_settime(src->fd, 0, &at, NULL);
		return;
	}
	s->armed = false;
	consume(s, put(s, s->buf, s->len));
	if (s->len)
		arm(s, RETRY_MS);
	pthread_mutex_unlock(&s->lock);
}

int sink_init(struct sink *s, struct vm *vm, int fd)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->vm = vm;
	s->timer.fn = on_timer;
	s->timer.fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->timer.fd < 0)
		return -errno;
	err = event_add(vm->loop, &s->timer, EPOLLIN | EPOLLET);
	if (err) {
		close(s->timer.fd);
		return err;
	}
	pthread_mutex_init(&s->lock, NULL);
	nbio_init(&s->io, fd, O_WRONLY);
	return 0;
}

void sink_exit(struct sink *s, int patience_ms)
{
	struct sigaction old, ignore = { .sa_handler = SIG_IGN };

	/* A reader that has left must not change our exit status. */
	sigaction(SIGPIPE, &ignore, &old);
	consume(s, put(s, s->buf, s->len));
	while (s->len && wait_writable(s, patience_ms))
		consume(s, put(s, s->buf, s->len));
	s->lost += s->len;
	if (s->lost && !s->dead)
		warn("%llu bytes of console output are lost: nobody read them "
		     "in time",
		     (unsigned long long)s->lost);
	sigaction(SIGPIPE, &old, NULL);
	event_del(s->vm->loop, &s->timer);
	close(s->timer.fd);
	nbio_exit(&s->io);
	pthread_mutex_destroy(&s->lock);
}
