// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traffic whose every byte is checked, between guest and host:
 *
 *   net serve PORT                    echoes TCP and UDP, for ever
 *   net tcp ADDR PORT MIB             MiB there and back at the same time
 *   net udp ADDR PORT COUNT BYTES     COUNT datagrams there and back; what
 *                                     got lost is sent again
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK	65536
#define CLIENTS 16
#define TRIES	200 /* of 100 ms */

static uint8_t out[CHUNK], in[CHUNK];

static void fail(const char *what)
{
	fprintf(stderr, "net: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1)
		fail(host);
	return sin;
}

static void pattern(uint8_t *p, uint64_t off, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t x = (off + i) * 0x9e3779b97f4a7c15ull;

		p[i] = (uint8_t)(x >> 40 ^ x >> 17);
	}
}

static int bound(int type, const char *port)
{
	struct sockaddr_in sin = address("0.0.0.0", port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		fail("bind");
	return fd;
}

static void echo_udp(int fd)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n =
		recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from, &len);

	if (n > 0)
		sendto(fd, in, (size_t)n, 0, (struct sockaddr *)&from, len);
}

/* False: the other end has closed. */
static int echo_tcp(int fd)
{
	ssize_t n = recv(fd, in, sizeof(in), 0);

	for (ssize_t at = 0; at < n;) {
		ssize_t put = send(fd, in + at, (size_t)(n - at), MSG_NOSIGNAL);

		if (put <= 0)
			return 0;
		at += put;
	}
	return n > 0;
}

static int serve(const char *port)
{
	struct pollfd p[2 + CLIENTS] = {
		{ bound(SOCK_STREAM, port), POLLIN, 0 },
		{ bound(SOCK_DGRAM, port), POLLIN, 0 },
	};
	unsigned int n = 2;

	if (listen(p[0].fd, CLIENTS))
		fail("listen");
	puts("serving");
	fflush(stdout);
	while (poll(p, n, -1) > 0) {
		if (p[1].revents)
			echo_udp(p[1].fd);
		for (unsigned int i = 2; i < n; i++)
			if (p[i].revents && !echo_tcp(p[i].fd)) {
				close(p[i].fd);
				p[i--] = p[--n];
			}
		if (p[0].revents && n < 2 + CLIENTS)
			p[n++] = (struct pollfd){ accept(p[0].fd, NULL, NULL),
						  POLLIN, 0 };
	}
	return 2;
}

/* The other end may still be on its way up. */
static int connected(const struct sockaddr_in *to)
{
	for (int try = 0; try < TRIES; try++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct pollfd p = { fd, POLLIN, 0 };
		char c;

		/* A forwarder accepts first, and closes if nobody is there. */
		if (!connect(fd, (const struct sockaddr *)to, sizeof(*to)) &&
		    (!poll(&p, 1, 300) || recv(fd, &c, 1, MSG_PEEK) > 0))
			return fd;
		close(fd);
		usleep(100000);
	}
	fail("connect");
	return -1;
}

static int check_in(uint64_t off, ssize_t n)
{
	static uint8_t want[CHUNK];

	pattern(want, off, (size_t)n);
	if (!memcmp(want, in, (size_t)n))
		return 0;
	printf("net: wrong bytes from %llu on\n", (unsigned long long)off);
	exit(1);
}

static int tcp(const char *host, const char *port, uint64_t total)
{
	struct sockaddr_in to = address(host, port);
	int fd = connected(&to);
	uint64_t sent = 0, got = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (got < total) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t n;

		if (sent < total)
			p.events |= POLLOUT;
		if (poll(&p, 1, 30000) <= 0)
			fail("no progress for 30 s");
		if (p.revents & POLLOUT) {
			size_t len = total - sent < CHUNK
					     ? (size_t)(total - sent)
					     : CHUNK;

			pattern(out, sent, len);
			n = send(fd, out, len, MSG_NOSIGNAL);
			sent += n > 0 ? (uint64_t)n : 0;
		}
		if (p.revents & ~POLLOUT) {
			n = recv(fd, in, sizeof(in), 0);
			if (n == 0 || (n < 0 && errno != EAGAIN))
				fail("the connection broke");
			if (n > 0) {
				check_in(got, n);
				got += (uint64_t)n;
			}
		}
	}
	printf("tcp: %llu bytes there and back\n", (unsigned long long)got);
	return 0;
}

static int udp(const char *host, const char *port, uint32_t count, size_t len)
{
	struct sockaddr_in to = address(host, port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned int lost = 0;

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		fail("connect");
	for (uint32_t i = 0; i < count;) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t n;

		pattern(out, (uint64_t)i * len, len);
		memcpy(out, &i, sizeof(i));
		/* ECONNREFUSED: the other end is not up yet */
		send(fd, out, len, 0);
		if (poll(&p, 1, 300) <= 0 || (n = recv(fd, in, len, 0)) < 0) {
			if (++lost > 10000)
				fail("too many datagrams got lost");
			usleep(100000);
			continue;
		}
		if (memcmp(in, &i, sizeof(i)))
			continue; /* the echo of one sent twice */
		if ((size_t)n != len || memcmp(in, out, len)) {
			printf("net: datagram %u came back wrong\n", i);
			return 1;
		}
		i++;
	}
	printf("udp: %u datagrams of %zu bytes there and back\n", count, len);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "tcp"))
		return tcp(argv[2], argv[3], strtoull(argv[4], NULL, 10) << 20);
	if (argc == 6 && !strcmp(argv[1], "udp"))
		return udp(argv[2], argv[3],
			   (uint32_t)strtoul(argv[4], NULL, 10),
			   strtoul(argv[5], NULL, 10));
	fputs("usage: see tests/linux/net.c\n", stderr);
	return 2;
}
