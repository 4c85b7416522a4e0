// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control queue (virtio 1.2, 5.1.6.5).  I/O thread, dev.lock held.
 *
 * Filters are accepted and not applied: what reaches the back end is meant
 * for this guest, and the spec lets a device deliver more than was asked for.
 */
#include <endian.h>
#include <string.h>

#include "virtio/net_dev.h"

#define HDR sizeof(struct virtio_net_ctrl_hdr)

static bool set_rx_mode(struct net_dev *net, const struct chain *c)
{
	uint8_t on;

	(void)net;
	return c->out_len == HDR + 1 &&
	       iov_to_buf(c->iov, c->out, HDR, &on, 1) == 1 && on <= 1;
}

/* Two tables, unicast and multicast: a count, then the addresses. */
static bool set_mac_tables(struct net_dev *net, const struct chain *c)
{
	uint64_t off = HDR;
	uint32_t count;

	(void)net;
	for (int i = 0; i < 2; i++) {
		if (iov_to_buf(c->iov, c->out, off, &count, sizeof(count)) !=
		    sizeof(count))
			return false;
		off += sizeof(count) + (uint64_t)le32toh(count) * 6;
		if (off > c->out_len)
			return false;
	}
	return off == c->out_len;
}

static bool set_mac(struct net_dev *net, const struct chain *c)
{
	uint8_t mac[6];

	if (c->out_len != HDR + sizeof(mac) ||
	    iov_to_buf(c->iov, c->out, HDR, mac, sizeof(mac)) != sizeof(mac) ||
	    mac[0] & 1)
		return false;
	memcpy(net->config.mac, mac, sizeof(mac));
	virtio_config_changed(&net->dev);
	return true;
}

static const struct {
	uint8_t class, first, last; /* commands of that class */
	unsigned int feature;	    /* without which they don't exist */
	bool (*fn)(struct net_dev *net, const struct chain *c);
} commands[] = {
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC,
	  VIRTIO_NET_CTRL_RX_ALLMULTI, VIRTIO_NET_F_CTRL_RX, set_rx_mode },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLUNI,
	  VIRTIO_NET_CTRL_RX_NOBCAST, VIRTIO_NET_F_CTRL_RX_EXTRA, set_rx_mode },
	{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
	  VIRTIO_NET_CTRL_MAC_TABLE_SET, VIRTIO_NET_F_CTRL_RX, set_mac_tables },
	{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET,
	  VIRTIO_NET_CTRL_MAC_ADDR_SET, VIRTIO_NET_F_CTRL_MAC_ADDR, set_mac },
};

static uint8_t run_command(struct net_dev *net, const struct chain *c)
{
	struct virtio_net_ctrl_hdr hdr;

	iov_to_buf(c->iov, c->out, 0, &hdr, sizeof(hdr));
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (hdr.class == commands[i].class &&
		    hdr.cmd >= commands[i].first &&
		    hdr.cmd <= commands[i].last &&
		    virtio_has(&net->dev, commands[i].feature) &&
		    commands[i].fn(net, c))
			return VIRTIO_NET_OK;
	return VIRTIO_NET_ERR;
}

void net_ctrl_run(struct net_dev *net)
{
	struct queue *q = &net->dev.queue[NET_CTRLQ];
	struct chain *c = &net->scratch;
	unsigned int n;
	uint8_t ack;
	int got;

	for (n = 0; n < NET_BUDGET; n++) {
		got = queue_pop(q, c);
		if (!got && !queue_enable_kick(q))
			break;
		if (!got)
			continue;
		if (got < 0 || c->out_len < HDR || !c->in) {
			if (got > 0)
				queue_push(q, c->head, 0);
			virtio_broken(&net->dev, "malformed control command");
			break;
		}
		ack = run_command(net, c);
		iov_from_buf(c->iov + c->out, c->in, 0, &ack, 1);
		queue_push(q, c->head, 1);
	}
	if (n == NET_BUDGET)
		virtio_again(&net->dev, NET_CTRLQ);
	if (n)
		virtio_used(&net->dev, NET_CTRLQ);
}
