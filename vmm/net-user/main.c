// SPDX-License-Identifier: GPL-2.0-only
/*
 * hotline-net-user: user-mode networking for one virtual machine.  Started by
 * the VMM (virtio/net_user.c), ends with it.  One thread.  Descriptors and
 * arguments: virtio/net_wire.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "virtio/net_wire.h"
#include "vmm/core/exitcode.h"
#include "vmm/net-user/sandbox.h"
#include "vmm/net-user/stack.h"

/* A terminal's ^C and a service manager's stop are the VMM's to deal with. */
static void ignore_signals(void)
{
	static const int signals[] = {
		SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM,
	};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_IGN);
}

static int forward_error(const char *where, int port, int err)
{
	switch (err) {
	case -EADDRINUSE:
		fprintf(stderr,
			"hotline: --net user,fwd=%s: port %d of this host is "
			"in use by another program; choose another\n",
			where, port);
		return EXIT_OSERR;
	case -EACCES:
	case -EPERM:
		fprintf(stderr,
			"hotline: --net user,fwd=%s: no permission to listen "
			"on port %d; choose one from 1024 up\n",
			where, port);
		return EXIT_NOPERM;
	case -EADDRNOTAVAIL:
		fprintf(stderr,
			"hotline: --net user,fwd=%s: this host has no such "
			"address; leave it out for 127.0.0.1, or write 0.0.0.0 "
			"for all\n",
			where);
		return EXIT_USAGE;
	default:
		fprintf(stderr,
			"hotline: --net user,fwd=%s: cannot listen: %s\n",
			where, strerror(-err));
		return EXIT_OSERR;
	}
}

/* 0 or an exit code. */
static int add_forward(const char *arg)
{
	char proto[4], addr[INET_ADDRSTRLEN], where[80];
	int port, guest_port, n = 0, err;
	struct in_addr in;

	if (sscanf(arg, "%3[a-z]:%15[0-9.]:%d:%d%n", proto, addr, &port,
		   &guest_port, &n) != 4 ||
	    arg[n] || inet_pton(AF_INET, addr, &in) != 1) {
		fprintf(stderr,
			"hotline: hotline-net-user: bad argument %s; is it of "
			"another version than hotline?\n",
			arg);
		return EXIT_INTERNAL;
	}
	err = stack_forward(!strcmp(proto, "udp"), in, port, guest_port);
	if (!err)
		return 0;
	snprintf(where, sizeof(where), "%s%s:%d:%d",
		 strcmp(proto, "udp") ? "" : "udp:", addr, port, guest_port);
	return forward_error(where, port, err);
}

static int set_up(int argc, char **argv)
{
	const char *step;
	int code, err;

	if (!stack_init(strtoul(argv[1], NULL, 10),
			!strcmp(argv[2], NET_WIRE_ISOLATED))) {
		fprintf(stderr,
			"hotline: --net user: libslirp does not start\n");
		return EXIT_UNAVAIL;
	}
	for (int i = 3; i < argc; i++) {
		code = add_forward(argv[i]);
		if (code)
			return code;
	}
	err = sandbox_enter(&step);
	if (err) {
		fprintf(stderr,
			"hotline: --net user: cannot lock hotline-net-user in "
			"(%s): %s\n",
			step, strerror(-err));
		return EXIT_UNAVAIL;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int type, code;
	socklen_t len = sizeof(type);

	if (argc < 3 ||
	    getsockopt(NET_WIRE_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
		fprintf(stderr, "hotline-net-user is not started by hand: "
				"`hotline run --net user` does it\n");
		return EXIT_USAGE;
	}
	syscall(SYS_close_range, NET_WIRE_FD + 1, ~0u, 0);
	ignore_signals();
	code = set_up(argc, argv);
	if (code)
		return code;
	/* What the library has to say about frames, a guest could say for ever. */
	dup2(STDIN_FILENO, STDERR_FILENO);
	stack_run();
	return 0;
}
