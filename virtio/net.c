// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-net, one queue pair and a control queue (virtio 1.2, 5.1): features,
 * life and link of the device.  Frames and commands move on the I/O thread;
 * start and stop come on vCPU threads.
 */
#include "virtio/net.h"

#include <endian.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "virtio/net_dev.h"
#include "vmm/core/log.h"
#include "vmm/core/vm.h"

#define BIT(n)	   (1ull << (n))
#define QUEUE_SIZE 256
#define MTU_MIN	   68 /* virtio 1.2, 5.1.4.1 */

#define FEATURES                                                               \
	(BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS) |                    \
	 BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_CTRL_VQ) |             \
	 BIT(VIRTIO_NET_F_CTRL_RX) | BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) |         \
	 BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))

/* What a back end with virtio_net headers can do besides. */
#define OFFLOAD_FEATURES                                                       \
	(BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) |               \
	 BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) |           \
	 BIT(VIRTIO_NET_F_HOST_ECN) | BIT(VIRTIO_NET_F_GUEST_TSO4) |           \
	 BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN))

static const struct {
	unsigned int feature, tun_f;
} offloads[] = {
	{ VIRTIO_NET_F_GUEST_CSUM, TUN_F_CSUM },
	{ VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4 },
	{ VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6 },
	{ VIRTIO_NET_F_GUEST_ECN, TUN_F_TSO_ECN },
};

void net_iov_skip(struct iovec *iov, unsigned int nr, size_t n)
{
	for (; n && nr; iov++, nr--) {
		size_t len = n < iov->iov_len ? n : iov->iov_len;

		iov->iov_base = (uint8_t *)iov->iov_base + len;
		iov->iov_len -= len;
		n -= len;
	}
}

void net_update_events(struct net_dev *net)
{
	uint32_t events = 0;

	if (!net->link)
		return;
	if (virtio_running(&net->dev) && !net->vhost.active) {
		if (!net->rx.waiting)
			events |= EPOLLIN;
		if (net->tx.blocked)
			events |= EPOLLOUT;
	}
	if (events == net->events)
		return;
	net->events = events;
	event_mod(net->dev.vm->loop, &net->src, events);
}

void net_lost(struct net_dev *net)
{
	int code;

	if (!net->link)
		return;
	net->link = false;
	net_vhost_stop(net);
	event_del(net->dev.vm->loop, &net->src);
	code = net->be->ops->lost(net->be);
	if (code)
		vm_end(net->dev.vm, code);
	net->config.status = 0;
	virtio_config_changed(&net->dev);
	virtio_again(&net->dev, NET_TXQ); /* for what waits to be sent */
}

static void backend_ready(struct event_source *src, uint32_t events)
{
	struct net_dev *net = (struct net_dev *)((uint8_t *)src -
						 offsetof(struct net_dev, src));

	pthread_mutex_lock(&net->dev.lock);
	if (events & (EPOLLERR | EPOLLHUP))
		net_lost(net);
	else if (!virtio_running(&net->dev))
		net_update_events(net);
	else if ((events & EPOLLOUT) && net->tx.blocked)
		net_tx_run(net);
	if (virtio_running(&net->dev) && (events & EPOLLIN) && net->link)
		net_rx_run(net);
	pthread_mutex_unlock(&net->dev.lock);
}

/* Whatever keeps the kernel from it, we can do it ourselves. */
static bool start_vhost(struct net_dev *net)
{
	static struct log_limit limit;
	int err;

	if (!net->vhost.usable || !net->link)
		return false;
	err = net_vhost_start(net);
	if (err)
		warn_limited(&limit, "virtio-net: vhost does not start: %s",
			     strerror(-err));
	return !err;
}

static void net_start(struct virtio_dev *dev)
{
	struct net_dev *net = net_dev(dev);
	unsigned int tun_f = 0;

	for (size_t i = 0; i < sizeof(offloads) / sizeof(offloads[0]); i++)
		if (virtio_has(dev, offloads[i].feature))
			tun_f |= offloads[i].tun_f;
	net_rx_start(net);
	net_tx_start(net);
	if (net->be->ops->set_offload &&
	    net->be->ops->set_offload(net->be, tun_f)) {
		virtio_broken(dev, "the host refuses the accepted offloads");
		return;
	}
	if (!start_vhost(net))
		queue_disable_kick(&dev->queue[NET_RXQ]);
	net_update_events(net);
}

static void net_stop(struct virtio_dev *dev)
{
	struct net_dev *net = net_dev(dev);

	net_vhost_stop(net);
	net_update_events(net);
	net_rx_stop(net);
	net_tx_stop(net);
}

static void net_notify(struct virtio_dev *dev, unsigned int q)
{
	struct net_dev *net = net_dev(dev);

	/* What waits for the back end goes on when that is ready. */
	if (q != NET_CTRLQ && net->vhost.active)
		return;
	if (q == NET_RXQ && net->rx.waiting && net->link)
		net_rx_run(net);
	else if (q == NET_TXQ && (!net->tx.blocked || !net->link))
		net_tx_run(net);
	else if (q == NET_CTRLQ)
		net_ctrl_run(net);
}

static void net_free(struct virtio_dev *dev)
{
	struct net_dev *net = net_dev(dev);

	if (net->link)
		event_del(dev->vm->loop, &net->src);
	net_tx_exit(net);
	net_vhost_exit(net);
	virtio_exit(dev);
	net_backend_free(net->be);
	free(net->rx.spill);
	free(net);
}

static const struct virtio_ops net_ops = {
	.name = "net",
	.id = VIRTIO_ID_NET,
	.start = net_start,
	.stop = net_stop,
	.notify = net_notify,
	.free = net_free,
};

static uint64_t net_features(const struct net_backend *be)
{
	uint64_t features = FEATURES;

	if (be->vnet_hdr)
		features |= OFFLOAD_FEATURES;
	if (be->sums_good)
		features |= BIT(VIRTIO_NET_F_GUEST_CSUM);
	if (be->mtu >= MTU_MIN)
		features |= BIT(VIRTIO_NET_F_MTU);
	return features;
}

struct virtio_dev *virtio_net_new(struct vm *vm, struct net_backend *be,
				  const uint8_t mac[6])
{
	struct net_dev *net = calloc(1, sizeof(*net));
	uint8_t *spill = malloc(NET_SPILL);
	int err = -ENOMEM;

	if (!net || !spill)
		goto err_free;
	virtio_init(&net->dev, &net_ops, vm, NET_QUEUES, QUEUE_SIZE,
		    net_features(be), &net->config,
		    offsetof(struct virtio_net_config, speed));
	net->be = be;
	net->rx.spill = spill;
	net->link = true;
	memcpy(net->config.mac, mac, sizeof(net->config.mac));
	net->config.status = htole16(VIRTIO_NET_S_LINK_UP);
	net->config.mtu = htole16(be->mtu);
	net->src = (struct event_source){ be->fd, backend_ready };
	err = event_add(vm->loop, &net->src, 0);
	if (err)
		goto err_dev;
	err = net_tx_init(net);
	if (err)
		goto err_src;
	err = net_vhost_init(net);
	if (err)
		warn("--net: /dev/vhost-net is of no use (%s); going on "
		     "without",
		     strerror(-err));
	return &net->dev;

err_src:
	event_del(vm->loop, &net->src);
err_dev:
	virtio_exit(&net->dev);
err_free:
	free(spill);
	free(net);
	net_backend_free(be);
	errno = -err;
	return NULL;
}

const struct net_counters *virtio_net_counters(const struct virtio_dev *dev)
{
	return &((const struct net_dev *)dev)->count;
}

void net_make_mac(uint8_t mac[6], const char *name, unsigned int index)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	if (name)
		for (const char *p = name; *p; p++)
			hash = (hash ^ (uint8_t)*p) * 0x100000001b3;
	else if (getrandom(&hash, sizeof(hash), 0) < 0)
		hash ^= (uint64_t)getpid();
	hash = (hash ^ index) * 0x100000001b3;
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)(hash >> (16 + 8 * i));
	mac[0] = (mac[0] & 0xfc) | 0x02; /* unicast, locally administered */
}
