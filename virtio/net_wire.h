/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between virtio/net_user.c and its helper program, vmm/net-user/.
 *
 * The helper finds a SOCK_SEQPACKET socket at NET_WIRE_FD, one Ethernet frame
 * per message, and ends when it is closed.  If it cannot start it says why on
 * stderr and ends with an enum exit_code; later it has no exit code but 0.
 *
 * argv[1] is the MTU, argv[2] NET_WIRE_ISOLATED or something else, and each
 * further one a forwarded port: PROTO:ADDR:HOSTPORT:GUESTPORT.
 */
#ifndef VIRTIO_NET_WIRE_H
#define VIRTIO_NET_WIRE_H

#define NET_WIRE_PROGRAM  "hotline-net-user"
#define NET_WIRE_FD	  3
#define NET_WIRE_FRAME	  (65535 + 14 + 4) /* largest IP packet, VLAN tag */
#define NET_WIRE_ISOLATED "isolated"

#endif
