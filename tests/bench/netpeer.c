// SPDX-License-Identifier: GPL-2.0-only
/* Servers in L1 for the guests: one child process each, so that the kernel
 * schedules them as any server.  Taps are made by the runner itself, as root.
 */
#include "tests/bench/netpeer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 65536u

static pid_t servers[2];

static void serve_udp(int fd)
{
	static char buf[2048];

	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0,
				     (struct sockaddr *)&from, &len);

		if (n > 0)
			sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from,
			       len);
	}
}

static void serve_stream(int fd)
{
	static char buf[CHUNK];
	struct netpeer_hello hello;

	if (recv(fd, &hello, sizeof(hello), MSG_WAITALL) != sizeof(hello))
		return;
	for (uint64_t left = hello.bytes; left;) {
		size_t want = left < CHUNK ? left : CHUNK;
		ssize_t n = hello.to_server ? recv(fd, buf, want, 0)
					    : send(fd, buf, want, 0);

		if (n <= 0)
			return;
		left -= (uint64_t)n;
	}
	if (hello.to_server)
		send(fd, buf, 1, 0);
	/* Leave when the client did. */
	recv(fd, buf, 1, 0);
}

static void serve_tcp(int fd)
{
	for (;;) {
		int conn = accept(fd, NULL, NULL);

		if (conn < 0)
			continue;
		serve_stream(conn);
		close(conn);
	}
}

static int start_server(int type, void (*serve)(int fd), pid_t *pid)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(NETPEER_PORT) };
	int on = 1, fd = socket(AF_INET, type, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) ||
	    (type == SOCK_STREAM && listen(fd, 8)))
		return -errno;
	*pid = fork();
	if (!*pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		serve(fd);
	}
	close(fd);
	return *pid < 0 ? -errno : 0;
}

int netpeer_start(void)
{
	int err = start_server(SOCK_DGRAM, serve_udp, &servers[0]);

	return err ? err : start_server(SOCK_STREAM, serve_tcp, &servers[1]);
}

void netpeer_stop(void)
{
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		if (servers[i] <= 0)
			continue;
		kill(servers[i], SIGKILL);
		waitpid(servers[i], NULL, 0);
		servers[i] = 0;
	}
}

static int set_address(int fd, struct ifreq *ifr, unsigned long request,
		       const char *text)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	sin.sin_addr.s_addr = inet_addr(text);
	memcpy(&ifr->ifr_addr, &sin, sizeof(sin));
	return ioctl(fd, request, ifr);
}

int netpeer_make_tap(unsigned int n)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC), fd, err;
	char own[32];

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "tap%u", n);
	snprintf(own, sizeof(own), "10.9.%u.1", n);
	if (tun < 0 || ioctl(tun, TUNSETIFF, &ifr) ||
	    ioctl(tun, TUNSETPERSIST, 1))
		return -errno;
	close(tun);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = set_address(fd, &ifr, SIOCSIFADDR, own) ||
	      set_address(fd, &ifr, SIOCSIFNETMASK, "255.255.255.0");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	err = err || ioctl(fd, SIOCSIFFLAGS, &ifr);
	err = err ? -errno : 0;
	close(fd);
	return err;
}
