/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio-net device with a socket pair as back end, a driver made of plain
 * writes to the rings, and net_turn() in the place of the event loop.
 */
#ifndef UNIT_LIB_NET_H
#define UNIT_LIB_NET_H

#include <check.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/net_dev.h"

#define NET_RING      256
#define NET_BUF(i)    (0x100000u + (i)*0x1000u) /* guest-physical, a page each */
#define FRAME	      60u
#define FEATURE(name) (1ull << VIRTIO_NET_F_##name)

struct net_part {
	uint64_t addr;
	uint32_t len;
	bool write;
};

extern struct net_backend net_be;
extern struct net_dev *net;
extern int net_peer; /* the other end of the back end */
extern bool net_offloads_set, net_be_lost;
extern int net_again[NET_QUEUES], net_used[NET_QUEUES];
extern int net_config_changes, net_broken;

/* Check fixtures: a back end without virtio_net headers, or with them. */
void net_make_plain(void);
void net_make_offload(void);
void net_destroy(void);

/* What the transport does at DRIVER_OK, with all rings empty, and at reset. */
void net_begin(uint64_t features);
void net_end(void);

/* Host address of guest memory. */
void *net_at(uint64_t addr);
struct vring_used *net_used_ring(int q);

void net_add(int q, const struct net_part *p, int n);
/* A header and a frame of len bytes of the value i, in buffer i. */
void net_add_frame(unsigned int i, uint32_t len);
void net_add_buffer(unsigned int i, uint32_t len);
/* The frame in buffer i. */
const uint8_t *net_frame(unsigned int i);
void net_kick(int q);

/* What the loop would do now; false if nothing is due. */
bool net_turn(void);
void net_turns(void);

/* From the peer: a frame of len bytes of that value. */
void net_peer_send(uint8_t value, size_t len);
/* Throws away what the peer has sent. */
void net_drain(void);

#endif
