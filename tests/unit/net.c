// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-net against a socket pair as back end and a driver made of plain
 * writes to the rings.  The event loop is played by turn().
 */
#include <check.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/net_dev.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/vm.h"

#define RING 256
#define RING_GPA(q) (0x10000u + (q) * 0x10000u)	/* desc, avail, used */
#define BUF_GPA(i) (0x100000u + (i) * 0x1000u)
#define FRAME 60u

struct part {
	uint64_t addr;
	uint32_t len;
	bool write;
};

static struct vm vm;
static struct net_backend be;
static struct net_dev *net;
static int peer;		/* the other end of the back end */
static bool offloads_set, be_freed, be_lost;
static int again[NET_QUEUES], used[NET_QUEUES], config_changes, broken;
static uint16_t next_desc[NET_QUEUES];

/* --- what surrounds the device --- */

static void on_used(struct virtio_transport *t, unsigned int q)
{
	(void)t;
	used[q]++;
}

static void on_again(struct virtio_transport *t, unsigned int q)
{
	(void)t;
	again[q]++;
}

static void on_config(struct virtio_transport *t)
{
	(void)t;
	config_changes++;
}

static void on_broken(struct virtio_transport *t)
{
	(void)t;
	broken++;
}

static struct virtio_transport transport = {
	.used = on_used, .again = on_again, .config_changed = on_config,
	.broken = on_broken,
};

static int be_offload(struct net_backend *b, unsigned int tun_f)
{
	(void)b;
	(void)tun_f;
	offloads_set = true;
	return 0;
}

static int be_lose(struct net_backend *b)
{
	(void)b;
	be_lost = true;
	return 0;
}

static void be_free(struct net_backend *b)
{
	close(b->fd);
	be_freed = true;
}

static const struct net_backend_ops be_ops = {
	.name = "test", .set_offload = be_offload, .lost = be_lose,
	.free = be_free,
};

static void *at(uint64_t addr)
{
	return mem_ptr(&vm.mem, gpa(addr), 1);
}

static struct vring_desc *desc(int q) { return at(RING_GPA(q)); }
static struct vring_avail *avail(int q) { return at(RING_GPA(q) + 0x4000); }
static struct vring_used *used_ring(int q) { return at(RING_GPA(q) + 0x8000); }

static void start(uint64_t features)
{
	for (int i = 0; i < NET_QUEUES; i++) {
		struct queue *q = &net->dev.queue[i];

		memset(at(RING_GPA(i)), 0, 0x10000);
		next_desc[i] = 0;
		queue_reset(q);
		q->size = RING;
		q->desc_gpa = RING_GPA(i);
		q->avail_gpa = RING_GPA(i) + 0x4000;
		q->used_gpa = RING_GPA(i) + 0x8000;
		ck_assert_int_eq(queue_start(q), 0);
		used[i] = again[i] = 0;
	}
	broken = config_changes = 0;
	net->dev.acked = features;
	net->dev.started = true;
	net->dev.broken = false;
	pthread_mutex_lock(&net->dev.lock);
	net->dev.ops->start(&net->dev);
	pthread_mutex_unlock(&net->dev.lock);
}

static void stop(void)
{
	pthread_mutex_lock(&net->dev.lock);
	net->dev.started = false;
	net->dev.ops->stop(&net->dev);
	pthread_mutex_unlock(&net->dev.lock);
}

static void make(bool vnet_hdr)
{
	static const struct mem_options opt = { .size = 4 << 20,
						.backing = MEM_ANON };
	static const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 };
	int sock[2];

	ck_assert_int_eq(mem_init(&vm.mem, &opt), 0);
	vm.loop = event_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
				    sock), 0);
	be = (struct net_backend){ .ops = &be_ops, .fd = sock[0],
		.vhost_fd = -1, .vnet_hdr = vnet_hdr, .sums_good = !vnet_hdr,
		.mtu = 1500 };
	peer = sock[1];
	be_lost = be_freed = offloads_set = false;
	net = (struct net_dev *)virtio_net_new(&vm, &be, mac);
	ck_assert_ptr_nonnull(net);
	net->dev.transport = &transport;
}

static void make_user(void) { make(false); }
static void make_tap(void) { make(true); }

static void destroy(void)
{
	if (net->dev.started)
		stop();
	for (int q = 0; q < NET_QUEUES; q++)
		ck_assert_uint_eq(net->dev.queue[q].in_flight, 0);
	net->dev.ops->free(&net->dev);
	ck_assert(be_freed);
	event_free(vm.loop);
	mem_exit(&vm.mem);
	close(peer);
}

/* --- the driver --- */

static uint16_t add(int q, const struct part *p, int n)
{
	uint16_t head = next_desc[q] % RING;
	struct vring_avail *a = avail(q);

	for (int i = 0; i < n; i++) {
		struct vring_desc *d = &desc(q)[next_desc[q]++ % RING];

		d->addr = p[i].addr;
		d->len = p[i].len;
		d->flags = (p[i].write ? VRING_DESC_F_WRITE : 0) |
			   (i < n - 1 ? VRING_DESC_F_NEXT : 0);
		d->next = next_desc[q] % RING;
	}
	a->ring[a->idx % RING] = head;
	a->idx++;
	return head;
}

static void kick(int q)
{
	if (!virtio_running(&net->dev))
		return;
	pthread_mutex_lock(&net->dev.lock);
	net->dev.ops->notify(&net->dev, q);
	pthread_mutex_unlock(&net->dev.lock);
}

/* A header and a frame of len bytes of the value i, in buffer i. */
static void add_frame(unsigned int i, uint32_t len)
{
	memset(at(BUF_GPA(i)), 0, NET_HDR);
	memset((uint8_t *)at(BUF_GPA(i)) + NET_HDR, (int)i, len);
	add(NET_TXQ, &(struct part){ BUF_GPA(i), NET_HDR + len, false }, 1);
}

static void add_buffer(unsigned int i, uint32_t len)
{
	memset(at(BUF_GPA(i)), 0xee, len);
	add(NET_RXQ, &(struct part){ BUF_GPA(i), len, true }, 1);
}

/* What the loop would do now; false if nothing is due. */
static bool turn(void)
{
	struct pollfd p = { .fd = be.fd };

	p.events = (short)net->events;	/* POLLIN == EPOLLIN and so on */
	if (!net->link || poll(&p, 1, 0) <= 0)
		return false;
	net->src.fn(&net->src, (uint32_t)p.revents);
	return true;
}

static void send_frame(uint8_t value, size_t len)
{
	static uint8_t buf[70000];

	memset(buf, value, len);
	ck_assert_int_eq(send(peer, buf, len, 0), (ssize_t)len);
}

static const uint8_t *frame_at(unsigned int i)
{
	return (uint8_t *)at(BUF_GPA(i)) + NET_HDR;
}

#define FEATURE(name) (1ull << VIRTIO_NET_F_##name)

/* --- sending --- */

START_TEST(tx_strips_header)
{
	uint8_t buf[2000];

	start(0);
	add_frame(1, FRAME);
	add_frame(2, 1514);
	kick(NET_TXQ);
	ck_assert_int_eq(recv(peer, buf, sizeof(buf), 0), FRAME);
	ck_assert_uint_eq(buf[0], 1);
	ck_assert_int_eq(recv(peer, buf, sizeof(buf), 0), 1514);
	ck_assert_uint_eq(used_ring(NET_TXQ)->idx, 2);
	ck_assert_uint_eq(used_ring(NET_TXQ)->ring[1].len, 0);
	ck_assert_int_eq(used[NET_TXQ], 1);
	ck_assert_uint_eq(virtio_net_counters(&net->dev)->tx_frames, 2);
}
END_TEST

START_TEST(tx_keeps_header)
{
	uint8_t buf[2000];

	start(FEATURE(CSUM));
	ck_assert(offloads_set);
	add_frame(1, FRAME);
	((uint8_t *)at(BUF_GPA(1)))[0] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	kick(NET_TXQ);
	ck_assert_int_eq(recv(peer, buf, sizeof(buf), 0), NET_HDR + FRAME);
	ck_assert_uint_eq(buf[0], VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(buf[NET_HDR], 1);
}
END_TEST

START_TEST(tx_header_in_pieces)
{
	const struct part p[] = {
		{ BUF_GPA(1), 5, false }, { BUF_GPA(2), 6, false },
		{ BUF_GPA(3), FRAME + 1, false },
	};
	uint8_t buf[2000];

	start(0);
	memset(at(BUF_GPA(3)), 7, FRAME + 1);
	add(NET_TXQ, p, 3);
	kick(NET_TXQ);
	ck_assert_int_eq(recv(peer, buf, sizeof(buf), 0), FRAME);
	ck_assert_uint_eq(buf[0], 7);
}
END_TEST

START_TEST(tx_drops_odd_sizes)
{
	const struct part huge[] = { { BUF_GPA(1), NET_HDR, false },
				     { BUF_GPA(2), NET_FRAME_MAX + 1, false } };

	start(0);
	add_frame(1, 0);
	add_frame(2, NET_FRAME_MIN - 1);
	add(NET_TXQ, huge, 2);
	kick(NET_TXQ);
	ck_assert_uint_eq(used_ring(NET_TXQ)->idx, 3);
	ck_assert_uint_eq(virtio_net_counters(&net->dev)->tx_dropped, 3);
	ck_assert_int_eq(broken, 0);
	ck_assert_int_lt(recv(peer, &(char){ 0 }, 1, 0), 0);
}
END_TEST

START_TEST(tx_waits_for_room)
{
	uint8_t buf[2000];
	unsigned int got = 0;

	start(0);
	for (unsigned int i = 0; i < 250; i++)
		add_frame(i, 1514);
	kick(NET_TXQ);
	while (again[NET_TXQ] && !net->tx.blocked) {
		again[NET_TXQ] = 0;
		kick(NET_TXQ);
	}
	for (;;) {
		while (recv(peer, buf, sizeof(buf), 0) > 0)
			ck_assert_uint_eq(buf[0], got++ % 256);
		if (again[NET_TXQ]) {
			again[NET_TXQ] = 0;
			kick(NET_TXQ);
		} else if (!turn()) {
			break;
		}
	}
	ck_assert_uint_eq(got, 250);
	ck_assert_uint_eq(net->events, EPOLLIN);
}
END_TEST

START_TEST(tx_leaves_room_for_others)
{
	start(0);
	for (unsigned int i = 0; i < NET_BUDGET + 2; i++)
		add_frame(i, FRAME);
	kick(NET_TXQ);
	ck_assert_uint_eq(used_ring(NET_TXQ)->idx, NET_BUDGET);
	ck_assert_int_eq(again[NET_TXQ], 1);
	kick(NET_TXQ);
	ck_assert_uint_eq(used_ring(NET_TXQ)->idx, NET_BUDGET + 2);
	ck_assert_int_eq(again[NET_TXQ], 1);
}
END_TEST

/* --- receiving --- */

START_TEST(rx_one_buffer)
{
	struct virtio_net_hdr_v1 *hdr = at(BUF_GPA(1));

	start(FEATURE(MRG_RXBUF) | FEATURE(GUEST_CSUM));
	add_buffer(1, 2048);
	add_buffer(2, 2048);
	send_frame(5, FRAME);
	while (turn())
		;
	ck_assert_uint_eq(used_ring(NET_RXQ)->idx, 1);
	ck_assert_uint_eq(used_ring(NET_RXQ)->ring[0].len, NET_HDR + FRAME);
	ck_assert_uint_eq(hdr->num_buffers, 1);
	ck_assert_uint_eq(hdr->flags, VIRTIO_NET_HDR_F_DATA_VALID);
	ck_assert_uint_eq(hdr->gso_type, VIRTIO_NET_HDR_GSO_NONE);
	ck_assert_uint_eq(frame_at(1)[0], 5);
	ck_assert_uint_eq(frame_at(1)[FRAME - 1], 5);
	ck_assert_uint_eq(frame_at(1)[FRAME], 0xee);
	ck_assert_int_eq(used[NET_RXQ], 1);
}
END_TEST

START_TEST(rx_one_interrupt_for_many)
{
	start(0);
	for (unsigned int i = 0; i < 8; i++) {
		add_buffer(i, 2048);
		send_frame((uint8_t)i, FRAME);
	}
	while (turn())
		;
	ck_assert_uint_eq(used_ring(NET_RXQ)->idx, 8);
	ck_assert_int_eq(used[NET_RXQ], 1);
	ck_assert_uint_eq(frame_at(7)[0], 7);
	ck_assert_uint_eq(*frame_at(0), 0);
}
END_TEST

/* First through the spill area, then, as such frames are expected, directly. */
START_TEST(rx_merges_buffers)
{
	const struct virtio_net_hdr_v1 *hdr;
	uint32_t last = NET_HDR + 2500 - 2000;

	start(FEATURE(MRG_RXBUF));
	for (unsigned int i = 0; i < 12; i++)
		add_buffer(i, 1000);
	for (unsigned int n = 0; n < 3; n++) {
		send_frame((uint8_t)n, 2500);
		while (turn())
			;
		hdr = at(BUF_GPA(3 * n));
		ck_assert_uint_eq(used_ring(NET_RXQ)->idx, 3 * (n + 1));
		ck_assert_uint_eq(hdr->num_buffers, 3);
		ck_assert_uint_eq(used_ring(NET_RXQ)->ring[3 * n].len, 1000);
		ck_assert_uint_eq(used_ring(NET_RXQ)->ring[3 * n + 2].len, last);
		ck_assert_uint_eq(frame_at(3 * n)[987], n);
		ck_assert_uint_eq(*(uint8_t *)at(BUF_GPA(3 * n + 2)), n);
		ck_assert_uint_eq(((uint8_t *)at(BUF_GPA(3 * n + 2)))[last - 1], n);
		ck_assert_uint_eq(((uint8_t *)at(BUF_GPA(3 * n + 2)))[last], 0xee);
	}
	ck_assert_uint_ge(net->rx.want, NET_HDR + 2500 - 8);
}
END_TEST

START_TEST(rx_frame_waits_for_buffers)
{
	start(FEATURE(MRG_RXBUF));
	add_buffer(0, 1000);
	send_frame(9, 1500);
	while (turn())
		;
	ck_assert_uint_eq(used_ring(NET_RXQ)->idx, 0);
	ck_assert_uint_eq(net->events, 0);
	add_buffer(1, 1000);
	kick(NET_RXQ);
	ck_assert_uint_eq(used_ring(NET_RXQ)->idx, 2);
	ck_assert_uint_eq(*(uint8_t *)at(BUF_GPA(1)), 9);
	add_buffer(2, 1000);
	kick(NET_RXQ);
	ck_assert_uint_eq(net->events, EPOLLIN);
}
END_TEST

START_TEST(rx_no_buffers)
{
	start(0);
	send_frame(1, FRAME);
	while (turn())
		;
	ck_assert(net->rx.waiting);
	ck_assert_uint_eq(net->events, 0);
	add_buffer(1, 2048);
	kick(NET_RXQ);
	ck_assert_uint_eq(used_ring(NET_RXQ)->idx, 1);
}
END_TEST

START_TEST(rx_too_long_is_dropped)
{
	start(0);
	add_buffer(1, 1000);
	send_frame(1, 1500);
	send_frame(2, NET_FRAME_MIN - 1);
	send_frame(3, FRAME);
	while (turn())
		;
	ck_assert_uint_eq(used_ring(NET_RXQ)->idx, 1);
	ck_assert_uint_eq(frame_at(1)[0], 3);
	ck_assert_uint_eq(virtio_net_counters(&net->dev)->rx_dropped, 2);
}
END_TEST

START_TEST(rx_header_in_pieces)
{
	const struct part p[] = { { BUF_GPA(1), 5, true }, { BUF_GPA(2), 6, true },
				  { BUF_GPA(3), 2000, true } };

	start(FEATURE(MRG_RXBUF));
	memset(at(BUF_GPA(1)), 0xee, 3 * 0x1000);
	add(NET_RXQ, p, 3);
	send_frame(4, FRAME);
	while (turn())
		;
	ck_assert_uint_eq(used_ring(NET_RXQ)->ring[0].len, NET_HDR + FRAME);
	ck_assert_uint_eq(((uint8_t *)at(BUF_GPA(2)))[5], 1);	/* num_buffers */
	ck_assert_uint_eq(((uint8_t *)at(BUF_GPA(3)))[0], 0);
	ck_assert_uint_eq(((uint8_t *)at(BUF_GPA(3)))[1], 4);
	ck_assert_uint_eq(((uint8_t *)at(BUF_GPA(3)))[FRAME], 4);
	ck_assert_uint_eq(((uint8_t *)at(BUF_GPA(3)))[FRAME + 1], 0xee);
}
END_TEST

START_TEST(rx_with_header)
{
	uint8_t buf[NET_HDR + 3000] = { VIRTIO_NET_HDR_F_NEEDS_CSUM,
					VIRTIO_NET_HDR_GSO_TCPV4 };
	struct virtio_net_hdr_v1 *hdr = at(BUF_GPA(0));

	start(FEATURE(MRG_RXBUF) | FEATURE(GUEST_CSUM) | FEATURE(GUEST_TSO4));
	for (unsigned int i = 0; i < 4; i++)
		add_buffer(i, 1536);
	memset(buf + NET_HDR, 6, 3000);
	buf[10] = buf[11] = 0x55;	/* a tap leaves num_buffers alone */
	ck_assert_int_gt(send(peer, buf, sizeof(buf), 0), 0);
	while (turn())
		;
	ck_assert_uint_eq(used_ring(NET_RXQ)->idx, 2);
	ck_assert_uint_eq(hdr->num_buffers, 2);
	ck_assert_uint_eq(hdr->gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	ck_assert_uint_eq(frame_at(0)[0], 6);
	ck_assert_uint_eq(((uint8_t *)at(BUF_GPA(1)))[NET_HDR + 3000 - 1537], 6);
}
END_TEST

/* 256 buffers of 13 bytes can't hold it: no reason to wait for ever. */
START_TEST(rx_tiny_buffers)
{
	start(FEATURE(MRG_RXBUF));
	for (unsigned int i = 0; i < RING; i++)
		add_buffer(i, NET_HDR + 1);
	send_frame(1, 9000);
	send_frame(2, 100);
	while (turn())
		;
	ck_assert_uint_eq(virtio_net_counters(&net->dev)->rx_dropped, 1);
	ck_assert_uint_eq(virtio_net_counters(&net->dev)->rx_frames, 1);
	ck_assert_uint_eq(used_ring(NET_RXQ)->idx, 9);
}
END_TEST

/* Runs the receive arrays over their ends many times. */
START_TEST(rx_long_run)
{
	unsigned int added = 0, done = 0, frames = 0, seed = 1;

	start(FEATURE(MRG_RXBUF));
	while (frames < 5000) {
		size_t len = 14 + (seed = seed * 1103515245 + 12345) / 65536 % 9000;
		uint16_t n;

		while (added - done < 200)
			add_buffer(added++ % 256, 700);
		kick(NET_RXQ);
		send_frame((uint8_t)frames++, len);
		while (turn())
			;
		n = (uint16_t)((len + NET_HDR + 699) / 700);
		ck_assert_uint_eq((uint16_t)(done + n), used_ring(NET_RXQ)->idx);
		ck_assert_uint_eq(*(uint16_t *)((uint8_t *)
				  at(BUF_GPA(done % 256)) + 10), n);
		done += n;
		ck_assert_uint_eq(*((uint8_t *)at(BUF_GPA((done - 1) % 256)) +
				    (len + NET_HDR - 1) % 700),
				  (uint8_t)(frames - 1));
	}
}
END_TEST

/* --- hostile drivers --- */

START_TEST(hostile_chains)
{
	static const struct {
		int q, n;
		struct part p[2];
	} bad[] = {
		{ NET_TXQ, 1, { { BUF_GPA(0), NET_HDR - 1, false } } },
		{ NET_TXQ, 1, { { BUF_GPA(0), 0, false } } },
		{ NET_TXQ, 1, { { BUF_GPA(0), 100, true } } },
		{ NET_TXQ, 2, { { BUF_GPA(0), 100, false },
				{ BUF_GPA(1), 100, true } } },
		{ NET_TXQ, 1, { { 0xfffffffffffff000, 100, false } } },
		{ NET_TXQ, 1, { { BUF_GPA(0), 0xffffffff, false } } },
		{ NET_RXQ, 1, { { BUF_GPA(0), 2000, false } } },
		{ NET_RXQ, 1, { { BUF_GPA(0), NET_HDR - 1, true } } },
		{ NET_RXQ, 1, { { BUF_GPA(0), 0, true } } },
		{ NET_CTRLQ, 1, { { BUF_GPA(0), 3, false } } },
		{ NET_CTRLQ, 2, { { BUF_GPA(0), 1, false },
				  { BUF_GPA(1), 1, true } } },
		{ NET_CTRLQ, 1, { { BUF_GPA(1), 1, true } } },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(FEATURE(MRG_RXBUF));
		add(bad[i].q, bad[i].p, bad[i].n);
		send_frame(1, FRAME);
		kick(bad[i].q);
		while (turn())
			;
		ck_assert_msg(broken == 1, "row %zu", i);
		ck_assert_uint_eq(net->events, 0);
		kick(bad[i].q);
		stop();
		while (recv(be.fd, &(char){ 0 }, 1, 0) > 0)
			;
	}
}
END_TEST

/* --- control queue --- */

static int command(const void *data, uint32_t len)
{
	const struct part p[] = { { BUF_GPA(0), len, false },
				  { BUF_GPA(1), 1, true } };
	uint8_t *ack = at(BUF_GPA(1));

	*ack = 0xee;
	memcpy(at(BUF_GPA(0)), data, len);
	add(NET_CTRLQ, p, 2);
	kick(NET_CTRLQ);
	return *ack;
}

#define COMMAND(...) command((uint8_t[]){ __VA_ARGS__ }, \
			     sizeof((uint8_t[]){ __VA_ARGS__ }))

START_TEST(control)
{
	const struct virtio_net_config *cfg = net->dev.config;

	start(FEATURE(CTRL_VQ) | FEATURE(CTRL_RX) | FEATURE(CTRL_MAC_ADDR));
	ck_assert_int_eq(COMMAND(0, 0, 1), VIRTIO_NET_OK);
	ck_assert_int_eq(COMMAND(0, 1, 0), VIRTIO_NET_OK);
	ck_assert_int_eq(COMMAND(0, 0, 2), VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(0, 0), VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(0, 2, 1), VIRTIO_NET_ERR);	/* not negotiated */
	ck_assert_int_eq(COMMAND(1, 0, 0, 0, 0, 0, 0, 0, 0, 0), VIRTIO_NET_OK);
	ck_assert_int_eq(COMMAND(1, 0, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6,
				 0, 0, 0, 0), VIRTIO_NET_OK);
	ck_assert_int_eq(COMMAND(1, 0, 255, 255, 255, 255, 0, 0, 0, 0),
			 VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(1, 1, 2, 9, 9, 9, 9, 9), VIRTIO_NET_OK);
	ck_assert_uint_eq(cfg->mac[5], 9);
	ck_assert_int_eq(config_changes, 1);
	ck_assert_int_eq(COMMAND(1, 1, 3, 9, 9, 9, 9, 9), VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(1, 1, 2, 9, 9, 9, 9), VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(2, 0, 1, 0), VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(200, 200, 1), VIRTIO_NET_ERR);
	ck_assert_int_eq(broken, 0);
	ck_assert_uint_eq(used_ring(NET_CTRLQ)->ring[0].len, 1);
}
END_TEST

/* --- life --- */

START_TEST(stop_and_start)
{
	for (int i = 0; i < 3; i++) {
		start(FEATURE(MRG_RXBUF));
		for (unsigned int b = 0; b < 8; b++)
			add_buffer(b, 1000);
		send_frame(1, 5000);
		while (turn())
			;
		send_frame(2, 60);	/* read_frame() holds six buffers now */
		turn();
		send_frame(3, 9000);	/* and more than there are, for this */
		turn();
		stop();
		ck_assert_uint_eq(net->dev.queue[NET_RXQ].in_flight, 0);
		ck_assert_uint_eq(net->events, 0);
		ck_assert(!turn());
		while (recv(be.fd, &(char){ 0 }, 1, 0) > 0)
			;
	}
}
END_TEST

START_TEST(stop_while_blocked)
{
	int rounds = 0;

	start(0);
	while (!net->tx.blocked && rounds++ < 1000) {
		add_frame(0, 3000);
		kick(NET_TXQ);
	}
	ck_assert(net->tx.blocked);
	ck_assert_uint_eq(net->events, EPOLLIN | EPOLLOUT);
	stop();
	ck_assert_uint_eq(net->dev.queue[NET_TXQ].in_flight, 0);
}
END_TEST

START_TEST(backend_ends)
{
	const struct virtio_net_config *cfg = net->dev.config;

	start(0);
	add_buffer(0, 2000);
	ck_assert_uint_eq(cfg->status, VIRTIO_NET_S_LINK_UP);
	close(peer);
	peer = -1;
	turn();
	ck_assert(be_lost);
	ck_assert_uint_eq(cfg->status, 0);
	ck_assert_int_eq(config_changes, 1);
	add_frame(1, FRAME);
	kick(NET_TXQ);
	ck_assert_uint_eq(used_ring(NET_TXQ)->idx, 1);
	ck_assert_int_eq(broken, 0);
	stop();
	start(0);
	add_frame(1, FRAME);
	kick(NET_TXQ);
	kick(NET_RXQ);
	ck_assert_uint_eq(used_ring(NET_TXQ)->idx, 1);
}
END_TEST

/* The write is what finds out, and no SIGPIPE comes of it. */
START_TEST(backend_ends_in_write)
{
	start(0);
	close(peer);
	peer = -1;
	add_frame(1, FRAME);
	add_frame(2, FRAME);
	kick(NET_TXQ);
	ck_assert(be_lost);
	ck_assert_uint_eq(used_ring(NET_TXQ)->idx, 2);
}
END_TEST

START_TEST(features)
{
	uint64_t f = net->dev.features;

	ck_assert_uint_eq(net->dev.ops->id, 1);
	ck_assert_uint_ne(f & FEATURE(MAC), 0);
	ck_assert_uint_ne(f & FEATURE(MTU), 0);
	ck_assert_uint_ne(f & FEATURE(GUEST_CSUM), 0);
	ck_assert_int_eq(!(f & FEATURE(CSUM)), !be.vnet_hdr);
	ck_assert_int_eq(!(f & FEATURE(HOST_TSO4)), !be.vnet_hdr);
	ck_assert_int_eq(!(f & FEATURE(GUEST_TSO6)), !be.vnet_hdr);
	ck_assert_uint_eq(net->dev.config_len, 12);
}
END_TEST

START_TEST(mac)
{
	uint8_t a[6], b[6], c[6];

	net_make_mac(a, "vm", 0);
	net_make_mac(b, "vm", 0);
	net_make_mac(c, "vm", 1);
	ck_assert_mem_eq(a, b, 6);
	ck_assert_mem_ne(a, c, 6);
	ck_assert_uint_eq(a[0] & 3, 2);
	net_make_mac(a, NULL, 0);
	net_make_mac(b, NULL, 0);
	ck_assert_mem_ne(a, b, 6);
	ck_assert_uint_eq(b[0] & 3, 2);
}
END_TEST

static TCase *user_case(void)
{
	TCase *tc = tcase_create("without headers");

	tcase_add_checked_fixture(tc, make_user, destroy);
	tcase_add_test(tc, tx_strips_header);
	tcase_add_test(tc, tx_header_in_pieces);
	tcase_add_test(tc, tx_drops_odd_sizes);
	tcase_add_test(tc, tx_waits_for_room);
	tcase_add_test(tc, tx_leaves_room_for_others);
	tcase_add_test(tc, rx_one_buffer);
	tcase_add_test(tc, rx_one_interrupt_for_many);
	tcase_add_test(tc, rx_merges_buffers);
	tcase_add_test(tc, rx_frame_waits_for_buffers);
	tcase_add_test(tc, rx_no_buffers);
	tcase_add_test(tc, rx_too_long_is_dropped);
	tcase_add_test(tc, rx_header_in_pieces);
	tcase_add_test(tc, rx_tiny_buffers);
	tcase_add_test(tc, rx_long_run);
	tcase_add_test(tc, hostile_chains);
	tcase_add_test(tc, control);
	tcase_add_test(tc, stop_and_start);
	tcase_add_test(tc, stop_while_blocked);
	tcase_add_test(tc, backend_ends);
	tcase_add_test(tc, backend_ends_in_write);
	tcase_add_test(tc, features);
	tcase_add_test(tc, mac);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("net");
	TCase *tap = tcase_create("with headers");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(tap, make_tap, destroy);
	tcase_add_test(tap, tx_keeps_header);
	tcase_add_test(tap, rx_with_header);
	tcase_add_test(tap, hostile_chains);
	tcase_add_test(tap, stop_and_start);
	tcase_add_test(tap, features);
	suite_add_tcase(s, user_case());
	suite_add_tcase(s, tap);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
