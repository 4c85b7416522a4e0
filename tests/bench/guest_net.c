// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network operations on eth0 with the runner's servers (netpeer.c).
 *
 *   net ADDRESS GATEWAY        sets eth0 up, /24
 *   udp SERVER SIZE N          N datagrams, each answered before the next
 *   tcp tx|rx SERVER BYTES     a stream to the server or from it
 */
#include "guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "netpeer.h"

#define CHUNK 65536u

static struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(port) };

	sin.sin_addr.s_addr = inet_addr(text);
	return sin;
}

static int set_up(int fd, const char *own)
{
	struct ifreq ifr = { .ifr_name = "eth0" };
	struct sockaddr_in sin = address(own, 0);

	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
	if (ioctl(fd, SIOCSIFADDR, &ifr))
		return -1;
	sin = address("255.255.255.0", 0);
	memcpy(&ifr.ifr_netmask, &sin, sizeof(sin));
	if (ioctl(fd, SIOCSIFNETMASK, &ifr) || ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -1;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &ifr);
}

static int set_gateway(int fd, const char *gateway)
{
	struct rtentry rt = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in gw = address(gateway, 0),
			   any = address("0.0.0.0", 0);

	memcpy(&rt.rt_gateway, &gw, sizeof(gw));
	memcpy(&rt.rt_dst, &any, sizeof(any));
	memcpy(&rt.rt_genmask, &any, sizeof(any));
	return ioctl(fd, SIOCADDRT, &rt);
}

int guest_net_up(char *argv[], unsigned int argc, struct guest_result *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)argc;
	(void)r;
	if (fd < 0 || set_up(fd, argv[0]) || set_gateway(fd, argv[1]))
		return guest_fail("eth0: %s", strerror(errno));
	close(fd);
	return 0;
}

static int connected(int type, const char *server)
{
	struct sockaddr_in sin = address(server, NETPEER_PORT);
	struct timeval patience = { .tv_sec = 5 };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
		return fd;
	return guest_fail("%s: %s", server, strerror(errno));
}

int guest_udp(char *argv[], unsigned int argc, struct guest_result *r)
{
	size_t size = strtoul(argv[1], NULL, 10);
	uint64_t n = strtoull(argv[2], NULL, 10), start;
	char out[2048] = { 0 }, in[2048];
	int fd = connected(SOCK_DGRAM, argv[0]);

	(void)argc;
	if (fd < 0 || size < sizeof(n) || size > sizeof(out))
		return -1;
	start = guest_now();
	for (uint64_t i = 0; i < n; i++) {
		memcpy(out, &i, sizeof(i));
		if (send(fd, out, size, 0) != (ssize_t)size ||
		    recv(fd, in, sizeof(in), 0) != (ssize_t)size)
			return guest_fail("udp, datagram %llu: %s",
					  (unsigned long long)i,
					  strerror(errno));
		if (memcmp(in, out, size))
			return guest_fail("udp: a wrong answer");
	}
	r->ns = guest_now() - start;
	r->ops = n;
	r->bytes = n * size * 2;
	close(fd);
	return 0;
}

/* All of it out, and the server's word that all of it came in. */
static int stream_out(int fd, char *buf, uint64_t bytes)
{
	for (uint64_t left = bytes; left;) {
		ssize_t n = send(fd, buf, left < CHUNK ? left : CHUNK, 0);

		if (n <= 0)
			return -1;
		left -= (uint64_t)n;
	}
	return recv(fd, buf, 1, 0) == 1 ? 0 : -1;
}

static int stream_in(int fd, char *buf, uint64_t bytes)
{
	for (uint64_t left = bytes; left;) {
		ssize_t n = recv(fd, buf, CHUNK, 0);

		if (n <= 0)
			return -1;
		left -= (uint64_t)n;
	}
	return 0;
}

int guest_tcp(char *argv[], unsigned int argc, struct guest_result *r)
{
	static char *buf;
	uint64_t bytes = strtoull(argv[2], NULL, 10), start;
	bool out = !strcmp(argv[0], "tx");
	struct netpeer_hello hello = { .to_server = out, .bytes = bytes };
	int fd = connected(SOCK_STREAM, argv[1]), err;

	(void)argc;
	if (!buf)
		buf = guest_buffer(CHUNK);
	if (fd < 0 || !buf)
		return -1;
	start = guest_now();
	err = send(fd, &hello, sizeof(hello), 0) != sizeof(hello);
	if (!err)
		err = out ? stream_out(fd, buf, bytes)
			  : stream_in(fd, buf, bytes);
	r->ns = guest_now() - start;
	r->ops = 1;
	r->bytes = bytes;
	if (err)
		guest_fail("tcp: %s", strerror(errno));
	close(fd);
	return err ? -1 : 0;
}
