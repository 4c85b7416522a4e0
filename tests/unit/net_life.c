// SPDX-License-Identifier: GPL-2.0-only
/* virtio-net: start, stop, the end of the back end, what is offered. */
#include "tests/unit/lib_net.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/unit/lib_run.h"
#include "vmm/core/vm.h"

START_TEST(stop_and_start)
{
	for (int i = 0; i < 3; i++) {
		net_begin(FEATURE(MRG_RXBUF));
		for (unsigned int b = 0; b < 8; b++)
			net_add_buffer(b, 1000);
		net_peer_send(1, 5000);
		net_turns();
		net_peer_send(2, 60); /* read_frame() holds six buffers now */
		net_turn();
		net_peer_send(3, 9000); /* and more than there are, for this */
		net_turn();
		net_end();
		ck_assert_uint_eq(net->dev.queue[NET_RXQ].in_flight, 0);
		ck_assert_uint_eq(net->events, 0);
		ck_assert(!net_turn());
		net_drain();
	}
}
END_TEST

START_TEST(stop_while_blocked)
{
	int rounds = 0;

	net_begin(0);
	while (!net->tx.blocked && rounds++ < 1000) {
		net_add_frame(0, 3000);
		net_kick(NET_TXQ);
	}
	ck_assert(net->tx.blocked);
	ck_assert_uint_eq(net->events, EPOLLIN | EPOLLOUT);
	net_end();
	ck_assert_uint_eq(net->dev.queue[NET_TXQ].in_flight, 0);
}
END_TEST

static atomic_bool finished;

static void *run_loop(void *arg)
{
	event_run(arg);
	return NULL;
}

static void *make_traffic(void *arg)
{
	char buf[4000] = { 0 };

	while (!finished)
		if (send(net_peer, buf, 1 + (unsigned int)rand() % 3000, 0) < 0)
			recv(net_peer, buf, sizeof(buf), 0);
	return arg;
}

/* start and stop here, as on a vCPU thread, frames on the loop's thread. */
START_TEST(resets_under_traffic)
{
	pthread_t loop, traffic;

	finished = false;
	net_begin(FEATURE(MRG_RXBUF));
	net_end();
	pthread_create(&loop, NULL, run_loop, net->dev.vm->loop);
	pthread_create(&traffic, NULL, make_traffic, NULL);
	for (unsigned int i = 0; i < 300; i++) {
		net_begin(FEATURE(MRG_RXBUF));
		pthread_mutex_lock(&net->dev.lock);
		for (unsigned int b = 0; b < 100; b++) {
			net_add_buffer(b, 1000);
			net_add_frame(100 + b, 1000);
		}
		pthread_mutex_unlock(&net->dev.lock);
		net_kick(NET_RXQ);
		net_kick(NET_TXQ);
		usleep(i % 4 * 100);
		net_end();
		ck_assert_uint_eq(net->dev.queue[NET_RXQ].in_flight, 0);
		ck_assert_uint_eq(net->dev.queue[NET_TXQ].in_flight, 0);
	}
	finished = true;
	pthread_join(traffic, NULL);
	event_stop(net->dev.vm->loop);
	pthread_join(loop, NULL);
	ck_assert_uint_gt(virtio_net_counters(&net->dev)->rx_frames, 0);
	ck_assert_uint_gt(virtio_net_counters(&net->dev)->tx_frames, 0);
}
END_TEST

START_TEST(backend_ends)
{
	const struct virtio_net_config *cfg = net->dev.config;

	net_begin(0);
	net_add_buffer(0, 2000);
	ck_assert_uint_eq(cfg->status, VIRTIO_NET_S_LINK_UP);
	close(net_peer);
	net_peer = -1;
	net_turn();
	ck_assert(net_be_lost);
	ck_assert_uint_eq(cfg->status, 0);
	ck_assert_int_eq(net_config_changes, 1);
	net_add_frame(1, FRAME);
	net_kick(NET_TXQ);
	ck_assert_uint_eq(net_used_ring(NET_TXQ)->idx, 1);
	ck_assert_int_eq(net_broken, 0);
	net_end();
	net_begin(0);
	net_add_frame(1, FRAME);
	net_kick(NET_TXQ);
	net_kick(NET_RXQ);
	ck_assert_uint_eq(net_used_ring(NET_TXQ)->idx, 1);
}
END_TEST

/* The write is what finds out, and no SIGPIPE comes of it. */
START_TEST(backend_ends_in_write)
{
	net_begin(0);
	close(net_peer);
	net_peer = -1;
	net_add_frame(1, FRAME);
	net_add_frame(2, FRAME);
	net_kick(NET_TXQ);
	ck_assert(net_be_lost);
	ck_assert_uint_eq(net_used_ring(NET_TXQ)->idx, 2);
}
END_TEST

START_TEST(features)
{
	uint64_t f = net->dev.features;

	ck_assert_uint_eq(net->dev.ops->id, 1);
	ck_assert_uint_ne(f & FEATURE(MAC), 0);
	ck_assert_uint_ne(f & FEATURE(MTU), 0);
	ck_assert_uint_ne(f & FEATURE(GUEST_CSUM), 0);
	ck_assert_int_eq(!(f & FEATURE(CSUM)), !net_be.vnet_hdr);
	ck_assert_int_eq(!(f & FEATURE(HOST_TSO4)), !net_be.vnet_hdr);
	ck_assert_int_eq(!(f & FEATURE(GUEST_TSO6)), !net_be.vnet_hdr);
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

static TCase *plain_case(void)
{
	TCase *tc = tcase_create("without headers");

	tcase_add_checked_fixture(tc, net_make_plain, net_destroy);
	tcase_add_test(tc, stop_and_start);
	tcase_add_test(tc, stop_while_blocked);
	tcase_add_test(tc, resets_under_traffic);
	tcase_add_test(tc, backend_ends);
	tcase_add_test(tc, backend_ends_in_write);
	tcase_add_test(tc, features);
	tcase_add_test(tc, mac);
	return tc;
}

static TCase *offload_case(void)
{
	TCase *tc = tcase_create("with headers");

	tcase_add_checked_fixture(tc, net_make_offload, net_destroy);
	tcase_add_test(tc, stop_and_start);
	tcase_add_test(tc, features);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("net_life");

	suite_add_tcase(s, plain_case());
	suite_add_tcase(s, offload_case());
	return unit_run(s);
}
