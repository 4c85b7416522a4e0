// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames from the guest, written straight from its memory.  I/O thread,
 * dev.lock held.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "virtio/net_dev.h"
#include "vmm/core/vm.h"

/* What may have been sent without an interrupt, and for how long. */
#define QUIET_FRAMES 32
#define QUIET_BYTES  4096
#define LATE_NS	     4000000

void net_tx_start(struct net_dev *net)
{
	net->tx.blocked = false;
	net->tx.quiet_frames = net->tx.quiet_bytes = 0;
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

static void give_back(struct net_dev *net)
{
	struct net_tx *tx = &net->tx;

	queue_fill(&net->dev.queue[NET_TXQ], tx->chain.head, 0);
	tx->quiet_frames++;
	tx->quiet_bytes += tx->chain.out_len;
}

/* Sends up to the budget; returns how many chains were looked at. */
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
		give_back(net);
		got = 0;
	}
	virtio_again(&net->dev, NET_TXQ);
	return n;
}

static void interrupt(struct net_dev *net)
{
	net->tx.quiet_frames = net->tx.quiet_bytes = 0;
	virtio_used(&net->dev, NET_TXQ);
}

/*
 * What was sent can be freed when the driver next looks, at its next frame or
 * interrupt of any kind: an interrupt of its own is rarely worth its cost.
 * It comes late for a few small frames, which are not what a sender waits for.
 * The timer is left to run out, as stopping it costs as much.
 */
static void interrupt_late(struct net_dev *net)
{
	static const struct itimerspec late = { .it_value.tv_nsec = LATE_NS };
	struct net_tx *tx = &net->tx;

	if (tx->quiet_frames >= QUIET_FRAMES ||
	    tx->quiet_bytes >= QUIET_BYTES ||
	    tx->quiet_frames > net->dev.queue[NET_TXQ].size / 4u) {
		interrupt(net);
		return;
	}
	if (tx->armed)
		return;
	tx->armed = timerfd_settime(tx->timer.fd, 0, &late, NULL) == 0;
	if (!tx->armed)
		interrupt(net);
}

static void timer_fired(struct event_source *src, uint32_t events)
{
	struct net_dev *net =
		(struct net_dev *)((uint8_t *)src -
				   offsetof(struct net_dev, tx.timer));

	(void)events;
	pthread_mutex_lock(&net->dev.lock);
	net->tx.armed = false;
	if (virtio_running(&net->dev) && net->tx.quiet_frames)
		interrupt(net);
	pthread_mutex_unlock(&net->dev.lock);
}

void net_tx_run(struct net_dev *net)
{
	struct queue *q = &net->dev.queue[NET_TXQ];

	queue_disable_kick(q);
	if (send_batch(net)) {
		queue_flush(q);
		interrupt_late(net);
	}
	net_update_events(net);
}

int net_tx_init(struct net_dev *net)
{
	struct event_source *timer = &net->tx.timer;
	int err;

	timer->fn = timer_fired;
	timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer->fd < 0)
		return -errno;
	err = event_add(net->dev.vm->loop, timer, EPOLLIN | EPOLLET);
	if (err)
		close(timer->fd);
	return err;
}

void net_tx_exit(struct net_dev *net)
{
	event_del(net->dev.vm->loop, &net->tx.timer);
	close(net->tx.timer.fd);
}
