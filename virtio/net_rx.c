// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames for the guest.  I/O thread, dev.lock held.
 *
 * A frame is read straight into guest buffers.  Its length is not known
 * before, so buffers for frames like the last ones are held ready and a
 * private spill area catches the rest, which is then copied.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>

#include "virtio/net_dev.h"

#define SINGLES 32

void net_rx_start(struct net_dev *net)
{
	struct net_rx *rx = &net->rx;

	rx->waiting = rx->hdr_done = false;
	rx->frame = rx->direct = rx->bytes = 0;
	rx->buf_first = rx->bufs = rx->iov_first = rx->iovs = 0;
	rx->want = 1;
	rx->singles = 0;
}

/* Gives back what is held, as empty. */
void net_rx_stop(struct net_dev *net)
{
	struct queue *q = &net->dev.queue[NET_RXQ];
	struct net_rx *rx = &net->rx;

	if (!rx->bufs)
		return;
	for (unsigned int i = 0; i < rx->bufs; i++)
		queue_fill(q, rx->buf[rx->buf_first + i].head, 0);
	queue_flush(q);
	rx->bufs = 0;
}

static void make_room(struct net_rx *rx)
{
	memmove(rx->buf, rx->buf + rx->buf_first,
		rx->bufs * sizeof(rx->buf[0]));
	memmove(rx->iov, rx->iov + rx->iov_first,
		rx->iovs * sizeof(rx->iov[0]));
	rx->buf_first = rx->iov_first = 0;
}

static bool has_room(const struct net_rx *rx)
{
	return rx->buf_first + rx->bufs < QUEUE_MAX_SIZE &&
	       rx->iov_first + rx->iovs + QUEUE_MAX_SEGS <= NET_RX_IOV;
}

/*
 * Takes one more buffer from the guest: 1, 0 if it has none, -ENOSPC if more
 * cannot be held, -EPROTO if the queue is broken.
 */
static int hold_buffer(struct net_dev *net)
{
	struct queue *q = &net->dev.queue[NET_RXQ];
	struct net_rx *rx = &net->rx;
	struct chain *c = &net->scratch;
	int n;

	if (!has_room(rx)) {
		make_room(rx);
		if (!has_room(rx))
			return -ENOSPC;
	}
	n = queue_pop(q, c);
	if (!n)
		return 0;
	if (n < 0) {
		virtio_broken(&net->dev, "receive queue is malformed");
		return -EPROTO;
	}
	if (c->out || c->in_len < NET_HDR) {
		queue_push(q, c->head, 0);
		virtio_broken(&net->dev, "receive buffer is readable or has no "
					 "room for a header");
		return -EPROTO;
	}
	rx->buf[rx->buf_first + rx->bufs++] = (struct net_rx_buf){
		.head = c->head, .segs = c->in, .len = c->in_len
	};
	memcpy(rx->iov + rx->iov_first + rx->iovs, c->iov,
	       c->in * sizeof(c->iov[0]));
	rx->iovs += c->in;
	rx->bytes += c->in_len;
	return 1;
}

/*
 * Holds what a usual frame takes, at least one buffer.  False if there is
 * none: then the guest's next one wakes us.
 */
static bool hold_buffers(struct net_dev *net)
{
	struct queue *q = &net->dev.queue[NET_RXQ];
	struct net_rx *rx = &net->rx;
	int n;

	while (rx->bytes < rx->want) {
		n = hold_buffer(net);
		if (n == -EPROTO)
			return false;
		if (n == 1)
			continue;
		if (rx->bufs)
			break;
		if (!queue_enable_kick(q)) {
			rx->waiting = true;
			return false;
		}
		queue_disable_kick(q);
	}
	return true;
}

/* Remembers where the first buffer's header goes. */
static void split_header(struct net_dev *net)
{
	struct net_rx *rx = &net->rx;
	struct iovec *iov = rx->iov + rx->iov_first;
	unsigned int segs = rx->buf[rx->buf_first].segs;

	if (rx->hdr_done)
		return;
	rx->hdr_done = true;
	rx->hdrs = iov->iov_len >= NET_HDR ? 1
		   : segs < NET_HDR	   ? segs
					   : NET_HDR;
	memcpy(rx->hdr, iov, rx->hdrs * sizeof(*iov));
	if (!net->be->vnet_hdr)
		net_iov_skip(iov, segs, NET_HDR);
}

/* Reads one frame: sets rx.frame and returns true, or false if there is none. */
static bool read_frame(struct net_dev *net)
{
	struct net_rx *rx = &net->rx;
	uint32_t hdr = net->be->vnet_hdr ? 0 : NET_HDR;
	struct iovec *iov;
	ssize_t n;

	if (!hold_buffers(net))
		return false;
	split_header(net);
	iov = rx->iov + rx->iov_first;
	iov[rx->iovs] = (struct iovec){ rx->spill, NET_SPILL };
	n = readv(net->be->fd, iov, (int)rx->iovs + 1);
	if (n <= 0) {
		if (!n || (errno != EAGAIN && errno != EINTR))
			net_lost(net);
		return false;
	}
	rx->frame = (uint32_t)n + hdr;
	rx->direct = rx->frame < rx->bytes ? rx->frame : rx->bytes;
	return true;
}

/* Makes room for the frame that was read; see hold_buffer(). */
static int cover_frame(struct net_dev *net)
{
	struct net_rx *rx = &net->rx;
	int n;

	if (rx->frame < NET_HDR + NET_FRAME_MIN)
		return -EMSGSIZE;
	if (!virtio_has(&net->dev, VIRTIO_NET_F_MRG_RXBUF))
		return rx->frame <= rx->buf[rx->buf_first].len ? 1 : -EMSGSIZE;
	while (rx->bytes < rx->frame) {
		n = hold_buffer(net);
		if (n != 1)
			return n;
	}
	return 1;
}

static void write_header(struct net_dev *net, uint16_t buffers)
{
	struct net_rx *rx = &net->rx;
	struct virtio_net_hdr_v1 hdr = { .num_buffers = buffers };
	size_t off = offsetof(struct virtio_net_hdr_v1, num_buffers);

	if (!net->be->vnet_hdr) {
		off = 0;
		if (net->be->sums_good &&
		    virtio_has(&net->dev, VIRTIO_NET_F_GUEST_CSUM))
			hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	iov_from_buf(rx->hdr, rx->hdrs, off, (uint8_t *)&hdr + off,
		     NET_HDR - off);
}

/*
 * Gives the buffers that the frame fills back.  All of them must become
 * visible at once (virtio 1.2, 5.1.6.4): by the caller's queue_flush().
 */
static uint16_t fill_buffers(struct net_dev *net)
{
	struct net_rx *rx = &net->rx;
	uint32_t left = rx->frame, len;
	uint16_t n = 0;

	for (; left; left -= len, n++) {
		const struct net_rx_buf *buf = &rx->buf[rx->buf_first++];

		len = left < buf->len ? left : buf->len;
		queue_fill(&net->dev.queue[NET_RXQ], buf->head, len);
		rx->bytes -= buf->len;
		rx->iov_first += buf->segs;
		rx->iovs -= buf->segs;
	}
	rx->bufs -= n;
	if (!rx->bufs)
		rx->buf_first = rx->iov_first = 0;
	rx->hdr_done = false;
	return n;
}

static void deliver_frame(struct net_dev *net)
{
	struct net_rx *rx = &net->rx;
	uint32_t hdr = net->be->vnet_hdr ? 0 : NET_HDR;

	if (rx->frame > rx->direct)
		iov_from_buf(rx->iov + rx->iov_first, rx->iovs,
			     rx->direct - hdr, rx->spill,
			     rx->frame - rx->direct);
	write_header(net, fill_buffers(net));
	queue_flush(&net->dev.queue[NET_RXQ]);
	net->count.rx_frames++;
	if (rx->frame > rx->want)
		rx->want = rx->frame;
	else
		rx->want -= (rx->want - rx->frame) / 8;
}

/* False if the frame has to wait, or the queue is broken. */
static bool place_frame(struct net_dev *net)
{
	struct queue *q = &net->dev.queue[NET_RXQ];
	struct net_rx *rx = &net->rx;
	int n;

	do {
		n = cover_frame(net);
		if (n)
			break;
		rx->waiting = !queue_enable_kick(q);
		if (rx->waiting)
			return false;
		queue_disable_kick(q);
	} while (true);
	if (n == -EPROTO)
		return false;
	if (n == 1)
		deliver_frame(net);
	else
		net->count.rx_dropped++;
	rx->frame = 0;
	return true;
}

/*
 * After many single frames, as in a dialogue, the next is likely to be one,
 * too, and the read() that would only find nothing is left out.  Now and then
 * it is tried, so that a stream of frames gets its batches again.
 */
static unsigned int batch_limit(const struct net_rx *rx)
{
	bool alone = rx->singles >= SINGLES && rx->singles % SINGLES;

	return alone ? 1 : NET_BUDGET;
}

void net_rx_run(struct net_dev *net)
{
	struct net_rx *rx = &net->rx;
	unsigned int limit = batch_limit(rx), n;

	if (rx->waiting) {
		rx->waiting = false;
		queue_disable_kick(&net->dev.queue[NET_RXQ]);
	}
	for (n = 0; n < limit; n++) {
		if (!rx->frame && !read_frame(net))
			break;
		if (!place_frame(net))
			break;
	}
	if (n == 1)
		rx->singles++;
	else if (n)
		rx->singles = 0;
	if (n)
		virtio_used(&net->dev, NET_RXQ);
	net_update_events(net);
}
