// SPDX-License-Identifier: GPL-2.0-only
/* virtio-net, from the driver to the back end: frames, commands, abuse. */
#include "tests/unit/lib_net.h"
#include "tests/unit/lib_run.h"

#include <poll.h>

/* --- sending --- */

START_TEST(tx_strips_header)
{
	uint8_t buf[2000];

	net_begin(0);
	net_add_frame(1, FRAME);
	net_add_frame(2, 1514);
	net_kick(NET_TXQ);
	ck_assert_int_eq(recv(net_peer, buf, sizeof(buf), 0), FRAME);
	ck_assert_uint_eq(buf[0], 1);
	ck_assert_int_eq(recv(net_peer, buf, sizeof(buf), 0), 1514);
	ck_assert_uint_eq(net_used_ring(NET_TXQ)->idx, 2);
	ck_assert_uint_eq(net_used_ring(NET_TXQ)->ring[1].len, 0);
	ck_assert_uint_eq(virtio_net_counters(&net->dev)->tx_frames, 2);
}
END_TEST

static bool timer_expires(void)
{
	struct pollfd p = { .fd = net->tx.timer.fd, .events = POLLIN };

	return poll(&p, 1, 1000) == 1;
}

/* A few small frames: an interrupt, but not at once. */
START_TEST(tx_interrupts_late)
{
	net_begin(0);
	net_add_frame(1, FRAME);
	net_kick(NET_TXQ);
	net_add_frame(2, FRAME);
	net_kick(NET_TXQ);
	ck_assert_uint_eq(net_used_ring(NET_TXQ)->idx, 2);
	ck_assert_int_eq(net_used[NET_TXQ], 0);
	ck_assert(timer_expires());
	net->tx.timer.fn(&net->tx.timer, EPOLLIN);
	ck_assert_int_eq(net_used[NET_TXQ], 1);
	net_add_frame(3, FRAME);
	net_kick(NET_TXQ);
	ck_assert(timer_expires());
	net_end();
	net->tx.timer.fn(&net->tx.timer, EPOLLIN);
	ck_assert_int_eq(net_used[NET_TXQ], 1);
}
END_TEST

START_TEST(tx_interrupts_at_once)
{
	net_begin(0);
	net_add_frame(1, 3000);
	net_add_frame(2, 1500);
	net_kick(NET_TXQ);
	ck_assert_int_eq(net_used[NET_TXQ], 1);
	for (unsigned int i = 0; i < 32; i++)
		net_add_frame(i, FRAME);
	net_kick(NET_TXQ);
	ck_assert_int_eq(net_used[NET_TXQ], 2);
}
END_TEST

START_TEST(tx_keeps_header)
{
	uint8_t buf[2000];

	net_begin(FEATURE(CSUM));
	ck_assert(net_offloads_set);
	net_add_frame(1, FRAME);
	((uint8_t *)net_at(NET_BUF(1)))[0] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	net_kick(NET_TXQ);
	ck_assert_int_eq(recv(net_peer, buf, sizeof(buf), 0), NET_HDR + FRAME);
	ck_assert_uint_eq(buf[0], VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(buf[NET_HDR], 1);
}
END_TEST

START_TEST(tx_header_in_pieces)
{
	const struct net_part p[] = {
		{ NET_BUF(1), 5, false },
		{ NET_BUF(2), 6, false },
		{ NET_BUF(3), FRAME + 1, false },
	};
	uint8_t buf[2000];

	net_begin(0);
	memset(net_at(NET_BUF(3)), 7, FRAME + 1);
	net_add(NET_TXQ, p, 3);
	net_kick(NET_TXQ);
	ck_assert_int_eq(recv(net_peer, buf, sizeof(buf), 0), FRAME);
	ck_assert_uint_eq(buf[0], 7);
}
END_TEST

START_TEST(tx_drops_odd_sizes)
{
	const struct net_part huge[] = { { NET_BUF(1), NET_HDR, false },
					 { NET_BUF(2), NET_FRAME_MAX + 1,
					   false } };

	net_begin(0);
	net_add_frame(1, 0);
	net_add_frame(2, NET_FRAME_MIN - 1);
	net_add(NET_TXQ, huge, 2);
	net_kick(NET_TXQ);
	ck_assert_uint_eq(net_used_ring(NET_TXQ)->idx, 3);
	ck_assert_uint_eq(virtio_net_counters(&net->dev)->tx_dropped, 3);
	ck_assert_int_eq(net_broken, 0);
	ck_assert_int_lt(recv(net_peer, &(char){ 0 }, 1, 0), 0);
}
END_TEST

START_TEST(tx_waits_for_room)
{
	uint8_t buf[2000];
	unsigned int got = 0;

	net_begin(0);
	for (unsigned int i = 0; i < 250; i++)
		net_add_frame(i, 1514);
	net_kick(NET_TXQ);
	while (net_again[NET_TXQ] && !net->tx.blocked) {
		net_again[NET_TXQ] = 0;
		net_kick(NET_TXQ);
	}
	for (;;) {
		while (recv(net_peer, buf, sizeof(buf), 0) > 0)
			ck_assert_uint_eq(buf[0], got++ % 256);
		if (net_again[NET_TXQ]) {
			net_again[NET_TXQ] = 0;
			net_kick(NET_TXQ);
		} else if (!net_turn()) {
			break;
		}
	}
	ck_assert_uint_eq(got, 250);
	ck_assert_uint_eq(net->events, EPOLLIN);
}
END_TEST

START_TEST(tx_leaves_room_for_others)
{
	net_begin(0);
	for (unsigned int i = 0; i < NET_BUDGET + 2; i++)
		net_add_frame(i, FRAME);
	net_kick(NET_TXQ);
	ck_assert_uint_eq(net_used_ring(NET_TXQ)->idx, NET_BUDGET);
	ck_assert_int_eq(net_again[NET_TXQ], 1);
	net_kick(NET_TXQ);
	ck_assert_uint_eq(net_used_ring(NET_TXQ)->idx, NET_BUDGET + 2);
	ck_assert_int_eq(net_again[NET_TXQ], 1);
}
END_TEST

/* --- hostile drivers --- */

START_TEST(hostile_chains)
{
	static const struct {
		int q, n;
		struct net_part p[2];
	} bad[] = {
		{ NET_TXQ, 1, { { NET_BUF(0), NET_HDR - 1, false } } },
		{ NET_TXQ, 1, { { NET_BUF(0), 0, false } } },
		{ NET_TXQ, 1, { { NET_BUF(0), 100, true } } },
		{ NET_TXQ,
		  2,
		  { { NET_BUF(0), 100, false }, { NET_BUF(1), 100, true } } },
		{ NET_TXQ, 1, { { 0xfffffffffffff000, 100, false } } },
		{ NET_TXQ, 1, { { NET_BUF(0), 0xffffffff, false } } },
		{ NET_RXQ, 1, { { NET_BUF(0), 2000, false } } },
		{ NET_RXQ, 1, { { NET_BUF(0), NET_HDR - 1, true } } },
		{ NET_RXQ, 1, { { NET_BUF(0), 0, true } } },
		{ NET_CTRLQ, 1, { { NET_BUF(0), 3, false } } },
		{ NET_CTRLQ,
		  2,
		  { { NET_BUF(0), 1, false }, { NET_BUF(1), 1, true } } },
		{ NET_CTRLQ, 1, { { NET_BUF(1), 1, true } } },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		net_begin(FEATURE(MRG_RXBUF));
		net_add(bad[i].q, bad[i].p, bad[i].n);
		net_peer_send(1, FRAME);
		net_kick(bad[i].q);
		net_turns();
		ck_assert_msg(net_broken == 1, "row %zu", i);
		ck_assert_uint_eq(net->events, 0);
		net_kick(bad[i].q);
		net_end();
		net_drain();
	}
}
END_TEST

/* --- control queue --- */

static int command(const void *data, uint32_t len)
{
	const struct net_part p[] = { { NET_BUF(0), len, false },
				      { NET_BUF(1), 1, true } };
	uint8_t *ack = net_at(NET_BUF(1));

	*ack = 0xee;
	memcpy(net_at(NET_BUF(0)), data, len);
	net_add(NET_CTRLQ, p, 2);
	net_kick(NET_CTRLQ);
	return *ack;
}

#define COMMAND(...)                                                           \
	command((uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

START_TEST(control)
{
	const struct virtio_net_config *cfg = net->dev.config;

	net_begin(FEATURE(CTRL_VQ) | FEATURE(CTRL_RX) | FEATURE(CTRL_MAC_ADDR));
	ck_assert_int_eq(COMMAND(0, 0, 1), VIRTIO_NET_OK);
	ck_assert_int_eq(COMMAND(0, 1, 0), VIRTIO_NET_OK);
	ck_assert_int_eq(COMMAND(0, 0, 2), VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(0, 0), VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(0, 2, 1), VIRTIO_NET_ERR); /* not negotiated */
	ck_assert_int_eq(COMMAND(1, 0, 0, 0, 0, 0, 0, 0, 0, 0), VIRTIO_NET_OK);
	ck_assert_int_eq(COMMAND(1, 0, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0,
				 0),
			 VIRTIO_NET_OK);
	ck_assert_int_eq(COMMAND(1, 0, 255, 255, 255, 255, 0, 0, 0, 0),
			 VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(1, 1, 2, 9, 9, 9, 9, 9), VIRTIO_NET_OK);
	ck_assert_uint_eq(cfg->mac[5], 9);
	ck_assert_int_eq(net_config_changes, 1);
	ck_assert_int_eq(COMMAND(1, 1, 3, 9, 9, 9, 9, 9), VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(1, 1, 2, 9, 9, 9, 9), VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(2, 0, 1, 0), VIRTIO_NET_ERR);
	ck_assert_int_eq(COMMAND(200, 200, 1), VIRTIO_NET_ERR);
	ck_assert_int_eq(net_broken, 0);
	ck_assert_uint_eq(net_used_ring(NET_CTRLQ)->ring[0].len, 1);
}
END_TEST

/* A queue that was emptied must ask for the next kick. */
START_TEST(kicks_are_asked_for)
{
	static const uint8_t promisc[] = { 0, 0, 1 };
	const uint16_t *asked[NET_QUEUES];

	net_begin(FEATURE(CTRL_VQ) | FEATURE(CTRL_RX));
	for (int q = 0; q < NET_QUEUES; q++) {
		net->dev.queue[q].event_idx = true;
		asked[q] = (uint16_t *)&net_used_ring(q)->ring[NET_RING];
	}
	for (uint16_t i = 1; i < 4; i++) {
		net_add_frame(i, FRAME);
		net_kick(NET_TXQ);
		ck_assert_uint_eq(*asked[NET_TXQ], i);
		ck_assert_int_eq(command(promisc, sizeof(promisc)),
				 VIRTIO_NET_OK);
		ck_assert_uint_eq(*asked[NET_CTRLQ], i);
		net_peer_send(1, FRAME);
		net_turns();
		ck_assert_uint_eq(*asked[NET_RXQ], i - 1);
		net_add_buffer(i, 2000);
		net_kick(NET_RXQ);
		ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, i);
	}
}
END_TEST

static TCase *plain_case(void)
{
	TCase *tc = tcase_create("without headers");

	tcase_add_checked_fixture(tc, net_make_plain, net_destroy);
	tcase_add_test(tc, tx_strips_header);
	tcase_add_test(tc, tx_interrupts_late);
	tcase_add_test(tc, tx_interrupts_at_once);
	tcase_add_test(tc, tx_header_in_pieces);
	tcase_add_test(tc, tx_drops_odd_sizes);
	tcase_add_test(tc, tx_waits_for_room);
	tcase_add_test(tc, tx_leaves_room_for_others);
	tcase_add_test(tc, hostile_chains);
	tcase_add_test(tc, control);
	tcase_add_test(tc, kicks_are_asked_for);
	return tc;
}

static TCase *offload_case(void)
{
	TCase *tc = tcase_create("with headers");

	tcase_add_checked_fixture(tc, net_make_offload, net_destroy);
	tcase_add_test(tc, tx_keeps_header);
	tcase_add_test(tc, hostile_chains);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("net");

	suite_add_tcase(s, plain_case());
	suite_add_tcase(s, offload_case());
	return unit_run(s);
}
