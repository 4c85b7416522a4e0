// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames from the guest, written straight from its memory.  I/O thread,
 * dev.lock held.
 */
#include <errno.h>
#include <sys/uio.h>

#include "virtio/net_dev.h"

void net_tx_start(struct net_dev *net)
{
	net->tx.blocked = false;
}

/* Gives the chain that waits back, unsent. */
void net_tx_stop(struct net_dev *net)
{
	if (net->tx.blocked)
		queue_push(&net->dev.queue[NET_TXQ], net->tx.chain.head, 0);
	net->tx.blocked = false;
}

/*
 * Sends or drops the chain at hand; false if the back end is full.
 *
 * The header goes to a tap as it is: the kernel copies it once and checks it.
 */
static bool send_frame(struct net_dev *net)
{
	struct chain *c = &net->tx.chain;
	ssize_t n;

	if (!net->link || c->out_len < NET_HDR + NET_FRAME_MIN ||
	    c->out_len > NET_HDR + NET_FRAME_MAX) {
		net->count.tx_dropped++;
		return true;
	}
	n = writev(net->be->fd, c->iov, c->out);
	if (n >= 0) {
		net->count.tx_frames++;
		return true;
	}
	if (errno == EAGAIN)
		return false;
	net->count.tx_dropped++;
	if (errno == EPIPE || errno == ECONNRESET || errno == ECONNREFUSED ||
	    errno == ENOTCONN || errno == EBADFD)
		net_lost(net);
	return true;
}

/* The next chain: 1, 0 if there is none, -EPROTO if the queue is broken. */
static int next_chain(struct net_dev *net)
{
	struct queue *q = &net->dev.queue[NET_TXQ];
	struct chain *c = &net->tx.chain;
	int n = queue_pop(q, c);

	if (!n)
		return 0;
	if (n < 0) {
		virtio_broken(&net->dev, "transmit queue is malformed");
		return -EPROTO;
	}
	if (c->in || c->out_len < NET_HDR) {
		queue_push(q, c->head, 0);
		virtio_broken(&net->dev,
			      "frame to send is writable or lacks its header");
		return -EPROTO;
	}
	if (!net->be->vnet_hdr)
		net_iov_skip(c->iov, c->out, NET_HDR);
	return 1;
}

/* Sends up to the budget; returns how many chains were filled. */
static unsigned int send_batch(struct net_dev *net)
{
	struct queue *q = &net->dev.queue[NET_TXQ];
	struct net_tx *tx = &net->tx;
	unsigned int n;
	int got = tx->blocked;

	tx->blocked = false;
	for (n = 0; n < NET_BUDGET; n++) {
		if (!got)
			got = next_chain(net);
		if (got < 0)
			return n;
		if (!got && !queue_enable_kick(q))
			return n;
		if (!got) {
			queue_disable_kick(q);
			continue;
		}
		if (!send_frame(net)) {
			tx->blocked = true;
			return n;
		}
		queue_fill(q, tx->chain.head, 0);
		got = 0;
	}
	virtio_again(&net->dev, NET_TXQ);
	return n;
}

void net_tx_run(struct net_dev *net)
{
	struct queue *q = &net->dev.queue[NET_TXQ];

	queue_disable_kick(q);
	if (send_batch(net)) {
		queue_flush(q);
		virtio_used(&net->dev, NET_TXQ);
	}
	net_update_events(net);
}
