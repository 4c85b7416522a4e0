// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest does all day, for so many milliseconds as r->ops says; the
 * others see what it takes.  Ways of guest_timer().
 */
#include "guest.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

/*
 * Of so many sockets few are active.  Each of those has its timer put off with
 * each packet, one packet in PACE_NS, as retransmission timers have.
 */
#define SOCKETS	   1000
#define ACTIVE	   8
#define PACE_NS	   50000
#define PUT_OFF_NS 1000000
#define KEPT_NS	   (100 * NS_PER_S)

#define RECEIVE_US 30000

int guest_idle(struct guest_result *r)
{
	const struct timespec t = { .tv_sec = (time_t)(r->ops / 1000),
				    .tv_nsec =
					    (long)(r->ops % 1000 * NS_PER_MS) };
	uint64_t start = guest_now();

	nanosleep(&t, NULL);
	r->ns = guest_now() - start;
	r->ops = 0;
	return 0;
}

int guest_busy(struct guest_result *r)
{
	uint64_t start = guest_now(), now = start;

	while (now - start < r->ops * NS_PER_MS)
		now = guest_now();
	r->ns = now - start;
	r->ops = 0;
	return 0;
}

static int set(int fd, uint64_t ns)
{
	const struct itimerspec t = {
		.it_value = { .tv_sec = (time_t)(ns / NS_PER_S),
			      .tv_nsec = (long)(ns % NS_PER_S) }
	};

	return timerfd_settime(fd, 0, &t, NULL);
}

static int open_timers(int *fd)
{
	const struct rlimit files = { SOCKETS + 64, SOCKETS + 64 };

	setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned int i = 0; i < SOCKETS; i++) {
		fd[i] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
		if (fd[i] < 0 || set(fd[i], KEPT_NS + i * NS_PER_MS))
			return -1;
	}
	return 0;
}

int guest_storm(struct guest_result *r)
{
	static int fd[SOCKETS];
	uint64_t start, now, n = 0;
	bool ok;

	memset(fd, -1, sizeof(fd));
	ok = !open_timers(fd);
	start = now = guest_now();
	while (ok && now - start < r->ops * NS_PER_MS) {
		uint64_t next = now + PACE_NS;

		ok = !set(fd[n++ % ACTIVE], PUT_OFF_NS);
		while (now < next)
			now = guest_now();
	}
	r->ns = now - start;
	r->ops = n;
	for (unsigned int i = 0; i < SOCKETS && fd[i] >= 0; i++)
		close(fd[i]);
	return ok ? 0 : guest_fail("timer: %s", strerror(errno));
}

/* Waits in vain r->ops times, for what the idle loop alone sees to. */
int guest_wheel(struct guest_result *r)
{
	const struct timeval t = { .tv_usec = RECEIVE_US };
	uint64_t start = guest_now();
	bool ok;
	int fd[2];
	char c;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fd))
		return guest_fail("timer: sockets: %s", strerror(errno));
	ok = !setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	for (uint64_t i = 0; ok && i < r->ops; i++)
		ok = recv(fd[0], &c, 1, 0) < 0 && errno == EAGAIN;
	r->ns = guest_now() - start;
	close(fd[0]);
	close(fd[1]);
	return ok ? 0 : guest_fail("timer: receiving: %s", strerror(errno));
}
