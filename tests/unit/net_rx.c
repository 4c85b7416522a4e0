// SPDX-License-Identifier: GPL-2.0-only
/* virtio-net, from the back end to the driver. */
#include "tests/unit/lib_net.h"
#include "tests/unit/lib_run.h"

START_TEST(rx_one_buffer)
{
	struct virtio_net_hdr_v1 *hdr = net_at(NET_BUF(1));

	net_begin(FEATURE(MRG_RXBUF) | FEATURE(GUEST_CSUM));
	net_add_buffer(1, 2048);
	net_add_buffer(2, 2048);
	net_peer_send(5, FRAME);
	net_turns();
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, 1);
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->ring[0].len, NET_HDR + FRAME);
	ck_assert_uint_eq(hdr->num_buffers, 1);
	ck_assert_uint_eq(hdr->flags, VIRTIO_NET_HDR_F_DATA_VALID);
	ck_assert_uint_eq(hdr->gso_type, VIRTIO_NET_HDR_GSO_NONE);
	ck_assert_uint_eq(net_frame(1)[0], 5);
	ck_assert_uint_eq(net_frame(1)[FRAME - 1], 5);
	ck_assert_uint_eq(net_frame(1)[FRAME], 0xee);
	ck_assert_int_eq(net_used[NET_RXQ], 1);
}
END_TEST

START_TEST(rx_one_interrupt_for_many)
{
	net_begin(0);
	for (unsigned int i = 0; i < 8; i++) {
		net_add_buffer(i, 2048);
		net_peer_send((uint8_t)i, FRAME);
	}
	net_turns();
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, 8);
	ck_assert_int_eq(net_used[NET_RXQ], 1);
	ck_assert_uint_eq(net_frame(7)[0], 7);
	ck_assert_uint_eq(*net_frame(0), 0);
}
END_TEST

/* Once it has seen many single frames the device must still see a batch. */
START_TEST(rx_batches_again)
{
	unsigned int added = 0;

	net_begin(0);
	for (; added < 40; added++) {
		net_add_buffer(added, 2048);
		net_kick(NET_RXQ);
		net_peer_send(1, FRAME);
		net_turns();
		ck_assert_int_eq(net_used[NET_RXQ], (int)added + 1);
	}
	for (; added < 240; added++)
		net_add_buffer(added, 2048);
	net_kick(NET_RXQ);
	net_used[NET_RXQ] = 0;
	for (int i = 0; i < 150; i++)
		net_peer_send(1, FRAME);
	net_turns();
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, 190);
	ck_assert_int_le(net_used[NET_RXQ], 32 + 3);
}
END_TEST

/* First through the spill area, then, as such frames are expected, directly. */
START_TEST(rx_merges_buffers)
{
	const struct virtio_net_hdr_v1 *hdr;
	uint32_t last = NET_HDR + 2500 - 2000;

	net_begin(FEATURE(MRG_RXBUF));
	for (unsigned int i = 0; i < 12; i++)
		net_add_buffer(i, 1000);
	for (unsigned int n = 0; n < 3; n++) {
		net_peer_send((uint8_t)n, 2500);
		net_turns();
		hdr = net_at(NET_BUF(3 * n));
		ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, 3 * (n + 1));
		ck_assert_uint_eq(hdr->num_buffers, 3);
		ck_assert_uint_eq(net_used_ring(NET_RXQ)->ring[3 * n].len,
				  1000);
		ck_assert_uint_eq(net_used_ring(NET_RXQ)->ring[3 * n + 2].len,
				  last);
		ck_assert_uint_eq(net_frame(3 * n)[987], n);
		ck_assert_uint_eq(*(uint8_t *)net_at(NET_BUF(3 * n + 2)), n);
		ck_assert_uint_eq(
			((uint8_t *)net_at(NET_BUF(3 * n + 2)))[last - 1], n);
		ck_assert_uint_eq(((uint8_t *)net_at(NET_BUF(3 * n + 2)))[last],
				  0xee);
	}
	ck_assert_uint_ge(net->rx.want, NET_HDR + 2500 - 8);
}
END_TEST

START_TEST(rx_frame_waits_for_buffers)
{
	net_begin(FEATURE(MRG_RXBUF));
	net_add_buffer(0, 1000);
	net_peer_send(9, 1500);
	net_turns();
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, 0);
	ck_assert_uint_eq(net->events, 0);
	net_add_buffer(1, 1000);
	net_kick(NET_RXQ);
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, 2);
	ck_assert_uint_eq(*(uint8_t *)net_at(NET_BUF(1)), 9);
	net_add_buffer(2, 1000);
	net_kick(NET_RXQ);
	ck_assert_uint_eq(net->events, EPOLLIN);
}
END_TEST

START_TEST(rx_no_buffers)
{
	net_begin(0);
	net_peer_send(1, FRAME);
	net_turns();
	ck_assert(net->rx.waiting);
	ck_assert_uint_eq(net->events, 0);
	net_add_buffer(1, 2048);
	net_kick(NET_RXQ);
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, 1);
}
END_TEST

START_TEST(rx_too_long_is_dropped)
{
	net_begin(0);
	net_add_buffer(1, 1000);
	net_peer_send(1, 1500);
	net_peer_send(2, NET_FRAME_MIN - 1);
	net_peer_send(3, FRAME);
	net_turns();
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, 1);
	ck_assert_uint_eq(net_frame(1)[0], 3);
	ck_assert_uint_eq(virtio_net_counters(&net->dev)->rx_dropped, 2);
}
END_TEST

START_TEST(rx_header_in_pieces)
{
	const struct net_part p[] = { { NET_BUF(1), 5, true },
				      { NET_BUF(2), 6, true },
				      { NET_BUF(3), 2000, true } };

	net_begin(FEATURE(MRG_RXBUF));
	memset(net_at(NET_BUF(1)), 0xee, 3 * 0x1000);
	net_add(NET_RXQ, p, 3);
	net_peer_send(4, FRAME);
	net_turns();
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->ring[0].len, NET_HDR + FRAME);
	ck_assert_uint_eq(((uint8_t *)net_at(NET_BUF(2)))[5],
			  1); /* num_buffers */
	ck_assert_uint_eq(((uint8_t *)net_at(NET_BUF(3)))[0], 0);
	ck_assert_uint_eq(((uint8_t *)net_at(NET_BUF(3)))[1], 4);
	ck_assert_uint_eq(((uint8_t *)net_at(NET_BUF(3)))[FRAME], 4);
	ck_assert_uint_eq(((uint8_t *)net_at(NET_BUF(3)))[FRAME + 1], 0xee);
}
END_TEST

START_TEST(rx_with_header)
{
	uint8_t buf[NET_HDR + 3000] = { VIRTIO_NET_HDR_F_NEEDS_CSUM,
					VIRTIO_NET_HDR_GSO_TCPV4 };
	struct virtio_net_hdr_v1 *hdr = net_at(NET_BUF(0));

	net_begin(FEATURE(MRG_RXBUF) | FEATURE(GUEST_CSUM) |
		  FEATURE(GUEST_TSO4));
	for (unsigned int i = 0; i < 4; i++)
		net_add_buffer(i, 1536);
	memset(buf + NET_HDR, 6, 3000);
	buf[10] = buf[11] = 0x55; /* a tap leaves num_buffers alone */
	ck_assert_int_gt(send(net_peer, buf, sizeof(buf), 0), 0);
	net_turns();
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, 2);
	ck_assert_uint_eq(hdr->num_buffers, 2);
	ck_assert_uint_eq(hdr->gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	ck_assert_uint_eq(net_frame(0)[0], 6);
	ck_assert_uint_eq(
		((uint8_t *)net_at(NET_BUF(1)))[NET_HDR + 3000 - 1537], 6);
}
END_TEST

/* 256 buffers of 13 bytes can't hold it: no reason to wait for ever. */
START_TEST(rx_tiny_buffers)
{
	net_begin(FEATURE(MRG_RXBUF));
	for (unsigned int i = 0; i < NET_RING; i++)
		net_add_buffer(i, NET_HDR + 1);
	net_peer_send(1, 9000);
	net_peer_send(2, 100);
	net_turns();
	ck_assert_uint_eq(virtio_net_counters(&net->dev)->rx_dropped, 1);
	ck_assert_uint_eq(virtio_net_counters(&net->dev)->rx_frames, 1);
	ck_assert_uint_eq(net_used_ring(NET_RXQ)->idx, 9);
}
END_TEST

/* Runs the receive arrays over their ends many times. */
START_TEST(rx_long_run)
{
	unsigned int added = 0, done = 0, frames = 0, seed = 1;

	net_begin(FEATURE(MRG_RXBUF));
	while (frames < 5000) {
		size_t len =
			14 + (seed = seed * 1103515245 + 12345) / 65536 % 9000;
		uint16_t n;

		while (added - done < 200)
			net_add_buffer(added++ % 256, 700);
		net_kick(NET_RXQ);
		net_peer_send((uint8_t)frames++, len);
		net_turns();
		n = (uint16_t)((len + NET_HDR + 699) / 700);
		ck_assert_uint_eq((uint16_t)(done + n),
				  net_used_ring(NET_RXQ)->idx);
		ck_assert_uint_eq(
			*(uint16_t *)((uint8_t *)net_at(NET_BUF(done % 256)) +
				      10),
			n);
		done += n;
		ck_assert_uint_eq(
			*((uint8_t *)net_at(NET_BUF((done - 1) % 256)) +
			  (len + NET_HDR - 1) % 700),
			(uint8_t)(frames - 1));
	}
}
END_TEST

static TCase *plain_case(void)
{
	TCase *tc = tcase_create("without headers");

	tcase_add_checked_fixture(tc, net_make_plain, net_destroy);
	tcase_add_test(tc, rx_one_buffer);
	tcase_add_test(tc, rx_one_interrupt_for_many);
	tcase_add_test(tc, rx_batches_again);
	tcase_add_test(tc, rx_merges_buffers);
	tcase_add_test(tc, rx_frame_waits_for_buffers);
	tcase_add_test(tc, rx_no_buffers);
	tcase_add_test(tc, rx_too_long_is_dropped);
	tcase_add_test(tc, rx_header_in_pieces);
	tcase_add_test(tc, rx_tiny_buffers);
	tcase_add_test(tc, rx_long_run);
	return tc;
}

static TCase *offload_case(void)
{
	TCase *tc = tcase_create("with headers");

	tcase_add_checked_fixture(tc, net_make_offload, net_destroy);
	tcase_add_test(tc, rx_with_header);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("net_rx");

	suite_add_tcase(s, plain_case());
	suite_add_tcase(s, offload_case());
	return unit_run(s);
}
