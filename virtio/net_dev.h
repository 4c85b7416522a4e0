/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of a virtio-net device: shared by net.c, net_rx.c, net_tx.c,
 * net_ctrl.c and net_vhost.c only.  All of it is under dev.lock.
 */
#ifndef VIRTIO_NET_DEV_H
#define VIRTIO_NET_DEV_H

#include <linux/virtio_net.h>

#include "virtio/net.h"
#include "virtio/net_wire.h"
#include "virtio/virtio.h"

enum { NET_RXQ, NET_TXQ, NET_CTRLQ, NET_QUEUES };

#define NET_HDR	      12u /* sizeof(struct virtio_net_hdr_v1) */
#define NET_FRAME_MIN 14u /* an Ethernet header */
#define NET_FRAME_MAX ((uint32_t)NET_WIRE_FRAME)
#define NET_SPILL     (NET_HDR + NET_FRAME_MAX)
#define NET_BUDGET    64u /* frames before other devices get their turn */

/* Room for the buffers held, one more chain, and the spill-over. */
#define NET_RX_IOV 1023u

/* A chain that was popped and waits for its frame. */
struct net_rx_buf {
	uint16_t head;
	uint16_t segs; /* entries in iov[] */
	uint32_t len;  /* bytes */
};

struct net_rx {
	bool waiting;	 /* no buffers: the guest's kick wakes us */
	bool hdr_done;	 /* first buffer: iov[] starts behind the header */
	uint32_t frame;	 /* bytes, with header, read but not placed; or 0 */
	uint32_t direct; /* of them, in buffers; the rest is in spill */
	uint32_t want;	 /* bytes of buffers worth holding for one frame */
	uint32_t bytes;	 /* in buffers held */
	unsigned int singles; /* times in a row that one frame was all */
	unsigned int buf_first, bufs;
	unsigned int iov_first, iovs;
	struct net_rx_buf buf[QUEUE_MAX_SIZE];
	struct iovec iov[NET_RX_IOV + 1];
	struct iovec hdr[NET_HDR]; /* where the first buffer's header goes */
	unsigned int hdrs;
	uint8_t *spill; /* what did not fit; NET_SPILL bytes */
};

struct net_tx {
	bool blocked; /* back end is full: chain waits for EPOLLOUT */
	bool armed;   /* timer runs */
	uint32_t quiet_frames,
		quiet_bytes; /* given back, not interrupted for */
	struct event_source timer;
	struct chain chain;
};

struct net_kernel {
	bool usable; /* the back end has it and it can do what is needed */
	bool active; /* the kernel moves the frames now */
	struct event_source err;
};

struct net_dev {
	struct virtio_dev dev;
	struct net_backend *be;
	struct event_source src; /* be->fd */
	uint32_t events;	 /* asked of src */
	bool link;		 /* be is alive, src is in the loop */
	struct virtio_net_config config;
	struct net_counters count;
	struct net_rx rx;
	struct net_tx tx;
	struct net_kernel vhost;
	struct chain scratch; /* receive and control: one call long */
};

static inline struct net_dev *net_dev(struct virtio_dev *dev)
{
	return (struct net_dev *)dev;
}

/* Tells the event loop what is awaited of the back end. */
void net_update_events(struct net_dev *net);

/* The back end is gone: takes the link down for good. */
void net_lost(struct net_dev *net);

void net_rx_start(struct net_dev *net);
void net_rx_stop(struct net_dev *net);
/* Takes frames until there are none, no buffers, or the budget is used up. */
void net_rx_run(struct net_dev *net);

int net_tx_init(struct net_dev *net); /* 0 or -errno */
void net_tx_exit(struct net_dev *net);
void net_tx_start(struct net_dev *net);
void net_tx_stop(struct net_dev *net);
void net_tx_run(struct net_dev *net);

void net_ctrl_run(struct net_dev *net);

/* 0 or -errno; then all goes without. */
int net_vhost_init(struct net_dev *net);
void net_vhost_exit(struct net_dev *net);
int net_vhost_start(struct net_dev *net);
void net_vhost_stop(struct net_dev *net);

/* Cuts the first n bytes off; entries may be left empty. */
void net_iov_skip(struct iovec *iov, unsigned int nr, size_t n);

#endif
