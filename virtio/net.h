/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio-net (virtio 1.2, 5.1) and what carries its frames: a back end is a
 * file descriptor with one Ethernet frame per read or write.
 */
#ifndef VIRTIO_NET_H
#define VIRTIO_NET_H

#include <stdbool.h>
#include <stdint.h>

struct net_backend;
struct virtio_dev;
struct vm;

enum net_kind { NET_NONE, NET_USER, NET_TAP };
enum net_vhost { NET_VHOST_AUTO, NET_VHOST_ON, NET_VHOST_OFF };

struct net_fwd {	    /* a host port that leads into the guest */
	bool udp;	    /* else TCP */
	uint32_t host_addr; /* IPv4, network byte order; 0 = any */
	uint16_t host_port, guest_port; /* host byte order */
};

struct net_options {
	enum net_kind kind;
	const char *tap; /* NET_TAP: interface name, or NULL: fd */
	int fd; /* NET_TAP without a name: an open tap, ours from then on */
	enum net_vhost vhost;	   /* NET_TAP; auto = if the host has it */
	uint16_t mtu;		   /* 0 = the back end's own */
	bool isolated;		   /* NET_USER: forwarded ports and DHCP only */
	const struct net_fwd *fwd; /* NET_USER */
	unsigned int nr_fwd;
};

struct net_backend_ops {
	const char *name;
	/* What the driver takes: TUN_F_*; 0 or -errno.  NULL: nothing to set. */
	int (*set_offload)(struct net_backend *be, unsigned int tun_f);
	/*
	 * The descriptor reported an error or its end.  Returns 0 (the link
	 * goes down; it has warned) or, after an error(), the exit_code with
	 * which the machine has to end.
	 */
	int (*lost)(struct net_backend *be);
	void (*free)(struct net_backend *be);
};

/* First member of each back end's own struct. */
struct net_backend {
	const struct net_backend_ops *ops;
	int fd;		/* frames; non-blocking, close-on-exec */
	int vhost_fd;	/* /dev/vhost-net, or -1 */
	bool vnet_hdr;	/* a struct virtio_net_hdr_v1 precedes each frame */
	bool sums_good; /* checksums of what comes in are known to be right */
	uint16_t mtu;
};

/*
 * 0, or an enum exit_code after an error().  *be is NULL for NET_NONE.
 * Main thread, which must outlive the back end.
 */
int net_backend_open(struct net_backend **be, const struct net_options *opt);
void net_backend_free(struct net_backend *be);

int net_tap_open(struct net_backend **be, const struct net_options *opt);
int net_user_open(struct net_backend **be, const struct net_options *opt);

/*
 * A locally administered address: always the same for the index'th interface
 * of a VM of that name, or random if name is NULL.
 */
void net_make_mac(uint8_t mac[6], const char *name, unsigned int index);

/* Owns be from then on, also in failure: NULL with errno set. */
struct virtio_dev *virtio_net_new(struct vm *vm, struct net_backend *be,
				  const uint8_t mac[6]);

struct net_counters {
	uint64_t rx_frames, tx_frames;
	uint64_t rx_dropped, tx_dropped; /* too short, too long, refused */
};

/* Consistent only on the I/O thread. */
const struct net_counters *virtio_net_counters(const struct virtio_dev *dev);

#endif
