/* SPDX-License-Identifier: GPL-2.0-only */
/* The TCP/IP stack behind the guest's network: libslirp and its event loop. */
#ifndef NET_USER_STACK_H
#define NET_USER_STACK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* False if the library refuses. */
bool stack_init(size_t mtu, bool isolated);

/* Leads a port of the host to the guest's first DHCP address; 0 or -errno. */
int stack_forward(bool udp, struct in_addr addr, int port, int guest_port);

/* Until the VMM closes the link. */
void stack_run(void);

#endif
