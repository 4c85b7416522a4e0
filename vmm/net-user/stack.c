// SPDX-License-Identifier: GPL-2.0-only
/*
 * libslirp and the event loop around it.  The guest's network is
 * 10.0.2.0/24 and fec0::/64: gateway and host .2, name server .3, guest .15.
 */
#include "vmm/net-user/stack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <time.h>

#include "virtio/net_wire.h"
#include "vmm/net-user/link.h"

struct timer {
	struct timer *next;
	SlirpTimerCb cb;
	void *opaque;
	int64_t expires; /* ms, clock_get_ns()'s clock; -1 = not armed */
};

static Slirp *slirp;
static struct timer *timers;
static struct pollfd *fds; /* [0] is the link */
static unsigned int nr_fds, max_fds;
static bool held; /* the stack's descriptors are not polled now */

static int64_t clock_ns(void *opaque)
{
	struct timespec ts;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
	(void)opaque;
	link_send(buf, len);
	return (ssize_t)len;
}

static void guest_error(const char *msg, void *opaque)
{
	(void)msg; /* the guest's own affair */
	(void)opaque;
}

static void *timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
	struct timer *t = malloc(sizeof(*t));

	(void)opaque;
	if (!t)
		abort(); /* at start only, and the library can't fail */
	*t = (struct timer){ timers, cb, cb_opaque, -1 };
	timers = t;
	return t;
}

static void timer_free(void *timer, void *opaque)
{
	(void)opaque;
	for (struct timer **p = &timers; *p; p = &(*p)->next) {
		if (*p != timer)
			continue;
		*p = (*p)->next;
		free(timer);
		return;
	}
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
	(void)opaque;
	((struct timer *)timer)->expires = expire_ms;
}

static void poll_fd_changed(int fd, void *opaque)
{
	(void)fd; /* asked for anew before each poll() */
	(void)opaque;
}

static void notify(void *opaque)
{
	(void)opaque; /* no threads here, nobody to wake */
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = poll_fd_changed,
	.unregister_poll_fd = poll_fd_changed,
	.notify = notify,
};

bool stack_init(size_t mtu, bool isolated)
{
	SlirpConfig cfg = {
		.version = 1, /* all that is used here */
		.restricted = isolated,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(0x0a000200),
		.vnetmask.s_addr = htonl(0xffffff00),
		.vhost.s_addr = htonl(0x0a000202),
		.vnameserver.s_addr = htonl(0x0a000203),
		.vdhcp_start.s_addr = htonl(0x0a00020f),
		.in6_enabled = true,
		.vprefix_len = 64,
		.if_mtu = mtu,
		.if_mru = mtu,
	};

	inet_pton(AF_INET6, "fec0::", &cfg.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &cfg.vhost6);
	inet_pton(AF_INET6, "fec0::3", &cfg.vnameserver6);
	slirp = slirp_new(&cfg, &callbacks, NULL);
	return slirp;
}

int stack_forward(bool udp, struct in_addr addr, int port, int guest_port)
{
	struct in_addr guest = { htonl(0x0a00020f) };

	errno = 0;
	if (slirp_add_hostfwd(slirp, udp, addr, port, guest, guest_port) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

static int add_poll(int fd, int events, void *opaque)
{
	short want = 0;

	(void)opaque;
	if (nr_fds == max_fds) {
		unsigned int n = max_fds ? 2 * max_fds : 64;
		struct pollfd *more = realloc(fds, n * sizeof(*fds));

		if (!more)
			return -1;
		fds = more;
		max_fds = n;
	}
	if (events & SLIRP_POLL_IN)
		want |= POLLIN;
	if (events & SLIRP_POLL_OUT)
		want |= POLLOUT;
	if (events & SLIRP_POLL_PRI)
		want |= POLLPRI;
	fds[nr_fds] = (struct pollfd){ held ? -1 : fd, want, 0 };
	return (int)nr_fds++;
}

static int get_revents(int idx, void *opaque)
{
	short got;
	int events = 0;

	(void)opaque;
	if (idx < 1 || (unsigned int)idx >= nr_fds)
		return 0;
	got = fds[idx].revents;
	if (got & POLLIN)
		events |= SLIRP_POLL_IN;
	if (got & POLLOUT)
		events |= SLIRP_POLL_OUT;
	if (got & POLLPRI)
		events |= SLIRP_POLL_PRI;
	if (got & POLLERR)
		events |= SLIRP_POLL_ERR;
	if (got & POLLHUP)
		events |= SLIRP_POLL_HUP;
	return events;
}

static void frame_in(const uint8_t *frame, size_t len)
{
	slirp_input(slirp, frame, (int)len);
}

/* Milliseconds for poll(), not beyond the next timer. */
static int limit_wait(uint32_t wait)
{
	int64_t now = clock_ns(NULL) / 1000000, left;

	for (const struct timer *t = timers; t; t = t->next) {
		left = t->expires > now ? t->expires - now : 0;
		if (t->expires >= 0 && left < wait)
			wait = (uint32_t)left;
	}
	return wait > INT_MAX ? -1 : (int)wait;
}

static void run_timers(void)
{
	int64_t now = clock_ns(NULL) / 1000000;
	struct timer *next;

	for (struct timer *t = timers; t; t = next) {
		next = t->next;
		if (t->expires < 0 || t->expires > now)
			continue;
		t->expires = -1;
		t->cb(t->opaque);
	}
}

void stack_run(void)
{
	uint32_t wait;
	int n;

	do {
		nr_fds = 0;
		held = false;
		add_poll(NET_WIRE_FD,
			 SLIRP_POLL_IN | (link_pending() ? SLIRP_POLL_OUT : 0),
			 NULL);
		held = link_congested();
		wait = UINT32_MAX;
		slirp_pollfds_fill(slirp, &wait, add_poll, NULL);
		n = poll(fds, nr_fds, limit_wait(wait));
		if (n < 0 && errno != EINTR)
			return;
		link_flush();
		if (n > 0 && fds[0].revents & (POLLIN | POLLHUP | POLLERR) &&
		    !link_receive(frame_in))
			return;
		slirp_pollfds_poll(slirp, n < 0, get_revents, NULL);
		run_timers();
	} while (true);
}
