// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network back ends: what they say when they cannot start, and that the
 * helper process answers, ends with us and is missed when it dies.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lib_run.h"
#include "virtio/net.h"
#include "vmm/core/exitcode.h"

static char said[4096]; /* on stderr */
static int real_stderr;
static FILE *capture;

static void listen_in(void)
{
	capture = tmpfile();
	real_stderr = dup(2);
	dup2(fileno(capture), 2);
}

static void read_said(void)
{
	size_t n;

	rewind(capture);
	n = fread(said, 1, sizeof(said) - 1, capture);
	said[n] = '\0';
	dup2(real_stderr, 2);
	close(real_stderr);
	fclose(capture);
}

/* Opens and hears what is said about it. */
static int open_backend(struct net_backend **be, const struct net_options *opt)
{
	int code;

	listen_in();
	code = net_backend_open(be, opt);
	read_said();
	return code;
}

#define ck_said(what)                                                          \
	ck_assert_msg(strstr(said, what), "not said: %s; but: %s", what, said)

START_TEST(none)
{
	struct net_backend *be = (void *)said;

	ck_assert_int_eq(
		open_backend(&be, &(struct net_options){ .kind = NET_NONE }),
		0);
	ck_assert_ptr_null(be);
	net_backend_free(be);
}
END_TEST

/* --- tap --- */

START_TEST(tap_bad_names)
{
	static const char *const bad[] = { "",	    "a-name-of-sixteen",
					   "a/b",   "a b",
					   "tap%d", "a:b" };
	struct net_options opt = { .kind = NET_TAP };
	struct net_backend *be;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		opt.tap = bad[i];
		ck_assert_int_eq(open_backend(&be, &opt), EXIT_USAGE);
		ck_said(bad[i]);
		ck_said("1 to 15 characters");
	}
}
END_TEST

START_TEST(tap_bad_descriptors)
{
	struct net_options opt = { .kind = NET_TAP, .fd = 99 };
	struct net_backend *be;

	ck_assert_int_eq(open_backend(&be, &opt), EXIT_USAGE);
	ck_said("fd=99");
	opt.fd = open("/dev/null", O_RDWR);
	ck_assert_int_eq(open_backend(&be, &opt), EXIT_USAGE);
	ck_said("IFF_VNET_HDR");
}
END_TEST

/* The rest only where this user may make taps. */
static bool make_tap(struct net_backend **be, const char *name)
{
	struct net_options opt = { .kind = NET_TAP,
				   .tap = name,
				   .vhost = NET_VHOST_OFF };
	int code = open_backend(be, &opt);

	if (!code)
		return true;
	ck_assert(code == EXIT_NOPERM || code == EXIT_UNAVAIL);
	ck_said(name);
	return false;
}

START_TEST(tap_works)
{
	struct net_backend *be, *other;
	struct net_options opt = { .kind = NET_TAP, .tap = "hlunit0" };
	struct ifreq ifr = { 0 };
	char frame[2000];

	if (!make_tap(&be, opt.tap))
		return;
	ck_assert(be->vnet_hdr);
	ck_assert_uint_eq(be->mtu, 1500);
	ck_assert_int_eq(be->ops->set_offload(be, TUN_F_CSUM | TUN_F_TSO4), 0);
	ck_assert_int_eq(be->ops->set_offload(be, 0), 0);
	ck_assert(fcntl(be->fd, F_GETFL) & O_NONBLOCK);
	ck_assert_int_eq(ioctl(be->fd, TUNGETIFF, &ifr), 0);
	ck_assert_str_eq(ifr.ifr_name, opt.tap);
	while (read(be->fd, frame, sizeof(frame)) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);

	ck_assert_int_eq(open_backend(&other, &opt), EXIT_OSERR);
	ck_said("in use");
	net_backend_free(be);
}
END_TEST

START_TEST(tap_by_descriptor)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	struct net_options opt = { .kind = NET_TAP,
				   .mtu = 1400,
				   .vhost = NET_VHOST_OFF };
	struct net_backend *be;

	opt.fd = open("/dev/net/tun", O_RDWR);
	strcpy(ifr.ifr_name, "hlunit1");
	if (opt.fd < 0 || ioctl(opt.fd, TUNSETIFF, &ifr) < 0)
		return;
	ck_assert_int_eq(open_backend(&be, &opt), 0);
	ck_assert_uint_eq(be->mtu, 1400);
	ck_assert(fcntl(be->fd, F_GETFD) & FD_CLOEXEC);
	net_backend_free(be);
}
END_TEST

/* --- user --- */

static int wait_readable(struct net_backend *be)
{
	struct pollfd p = { .fd = be->fd, .events = POLLIN };

	return poll(&p, 1, 10000);
}

/* Who has 10.0.2.2?  Tell 10.0.2.15. */
static const uint8_t arp[42] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 0x08, 0x06,
	0,    1,    0x08, 0,	6,    4,    0, 1, 2, 0, 0,  0, 0,    1,
	10,   0,    2,	  15,	0,    0,    0, 0, 0, 0, 10, 0, 2,    2,
};

static void check_answer(struct net_backend *be)
{
	uint8_t frame[2000];
	ssize_t n;

	ck_assert_int_eq(write(be->fd, arp, sizeof(arp)), sizeof(arp));
	do {
		ck_assert_int_eq(wait_readable(be), 1);
		n = read(be->fd, frame, sizeof(frame));
		ck_assert_int_ge(n, 14);
	} while (frame[12] != 0x08 || frame[13] != 0x06);
	ck_assert_int_ge(n, 42);
	ck_assert_uint_eq(frame[21], 2); /* a reply */
	ck_assert_mem_eq(frame + 28, arp + 38, 4);
}

START_TEST(user_answers)
{
	static const struct net_options opt = { .kind = NET_USER };
	struct net_backend *be;

	ck_assert_int_eq(open_backend(&be, &opt), 0);
	ck_assert_str_eq(said, "");
	check_answer(be);
	net_backend_free(be);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* reaped */
}
END_TEST

START_TEST(user_dies)
{
	static const struct net_options opt = { .kind = NET_USER };
	struct net_backend *be;
	siginfo_t info;
	char path[64], pid[32];
	FILE *children;

	ck_assert_int_eq(open_backend(&be, &opt), 0);
	check_answer(be);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	children = fopen(path, "r");
	ck_assert_ptr_nonnull(children);
	ck_assert_ptr_nonnull(fgets(pid, sizeof(pid), children));
	fclose(children);
	ck_assert_int_eq(kill((pid_t)strtol(pid, NULL, 10), SIGKILL), 0);
	waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
	while (read(be->fd, path, sizeof(path)) > 0)
		;
	listen_in();
	ck_assert_int_eq(be->ops->lost(be), 0);
	read_said();
	ck_said("died (Killed)");
	ck_assert_int_eq(write(be->fd, arp, sizeof(arp)), -1);
	net_backend_free(be);
}
END_TEST

/* A listening socket; its port in *port. */
static int occupy(int type, uint16_t *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, type, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, len), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&sin, &len);
	*port = ntohs(sin.sin_port);
	return fd;
}

static void check_refused(const struct net_fwd *fwd, int want)
{
	struct net_options opt = { .kind = NET_USER, .fwd = fwd, .nr_fwd = 1 };
	struct net_backend *be;
	char option[64], addr[INET_ADDRSTRLEN] = "";
	int code;

	listen_in();
	code = net_backend_open(&be, &opt);
	if (!code && wait_readable(be) == 1 && read(be->fd, option, 1) == 0)
		code = be->ops->lost(be);
	read_said();
	net_backend_free(be);
	inet_ntop(AF_INET, &fwd->host_addr, addr, sizeof(addr));
	snprintf(option, sizeof(option), "fwd=%s%s:%u:%u",
		 fwd->udp ? "udp:" : "", addr, fwd->host_port, fwd->guest_port);
	ck_said(option);
	ck_assert_int_eq(code, want);
}

START_TEST(user_port_in_use)
{
	struct net_fwd fwd = { .guest_port = 22 };
	int fd;

	fwd.host_addr = htonl(INADDR_LOOPBACK);
	fd = occupy(SOCK_STREAM, &fwd.host_port);
	check_refused(&fwd, EXIT_OSERR);
	ck_said("in use");
	close(fd);
	fwd.udp = true;
	fd = occupy(SOCK_DGRAM, &fwd.host_port);
	check_refused(&fwd, EXIT_OSERR);
	ck_said("in use");
	close(fd);
}
END_TEST

START_TEST(user_foreign_address)
{
	struct net_fwd fwd = { .host_port = 40000, .guest_port = 22 };

	inet_pton(AF_INET, "192.0.2.1", &fwd.host_addr);
	check_refused(&fwd, EXIT_USAGE);
	ck_said("no such address");
}
END_TEST

START_TEST(user_no_helper)
{
	static const struct net_options opt = { .kind = NET_USER };
	struct net_backend *be;

	setenv("HOTLINE_NET_USER", "/nowhere/helper", 1);
	ck_assert_int_eq(open_backend(&be, &opt), EXIT_UNAVAIL);
	ck_said("HOTLINE_NET_USER=/nowhere/helper");
}
END_TEST

/* The helper is built beside build/unit. */
static void find_helper(void)
{
	char self[4000], path[4100];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n < 0 ? 0 : n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	snprintf(path, sizeof(path), "%s/../hotline-net-user", self);
	setenv("HOTLINE_NET_USER", path, 0);
}

int main(void)
{
	Suite *s = suite_create("net_backend");
	TCase *tc = tcase_create("open");

	find_helper();
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, none);
	tcase_add_test(tc, tap_bad_names);
	tcase_add_test(tc, tap_bad_descriptors);
	tcase_add_test(tc, tap_works);
	tcase_add_test(tc, tap_by_descriptor);
	tcase_add_test(tc, user_answers);
	tcase_add_test(tc, user_dies);
	tcase_add_test(tc, user_port_in_use);
	tcase_add_test(tc, user_foreign_address);
	tcase_add_test(tc, user_no_helper);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
