/* SPDX-License-Identifier: GPL-2.0-only */
/* What guests talk to: servers in L1, and the taps that lead there. */
#ifndef BENCH_NETPEER_H
#define BENCH_NETPEER_H

#include <stdint.h>

#define NETPEER_PORT 7000 /* UDP: echo; TCP: after a hello, a stream */

/* The first bytes of a TCP connection. */
struct netpeer_hello {
	uint64_t to_server; /* 1: the client sends, and gets one byte at the end */
	uint64_t bytes;
};

/* Starts the servers as child processes.  0 or -errno. */
int netpeer_start(void);
void netpeer_stop(void);
/* Makes tap<n> with the address 10.9.<n>.1/24, up.  0 or -errno. */
int netpeer_make_tap(unsigned int n);

#endif
