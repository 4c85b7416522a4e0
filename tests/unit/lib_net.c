// SPDX-License-Identifier: GPL-2.0-only
/* See lib_net.h. */
#include "tests/unit/lib_net.h"

#include <poll.h>

#include "vmm/core/vm.h"

#define RING_GPA(q) (0x10000u + (q)*0x10000u) /* desc, avail, used */

static struct vm vm;
static bool be_freed;
struct net_backend net_be;
struct net_dev *net;
int net_peer;
bool net_offloads_set, net_be_lost;
int net_again[NET_QUEUES], net_used[NET_QUEUES];
int net_config_changes, net_broken;
static uint16_t next_desc[NET_QUEUES];

/* --- what surrounds the device --- */

static void on_used(struct virtio_transport *t, unsigned int q)
{
	(void)t;
	net_used[q]++;
}

static void on_again(struct virtio_transport *t, unsigned int q)
{
	(void)t;
	net_again[q]++;
}

static void on_config(struct virtio_transport *t)
{
	(void)t;
	net_config_changes++;
}

static void on_broken(struct virtio_transport *t)
{
	(void)t;
	net_broken++;
}

static struct virtio_transport transport = {
	.used = on_used,
	.again = on_again,
	.config_changed = on_config,
	.broken = on_broken,
};

static int be_offload(struct net_backend *b, unsigned int tun_f)
{
	(void)b;
	(void)tun_f;
	net_offloads_set = true;
	return 0;
}

static int be_lose(struct net_backend *b)
{
	(void)b;
	net_be_lost = true;
	return 0;
}

static void be_free(struct net_backend *b)
{
	close(b->fd);
	be_freed = true;
}

static const struct net_backend_ops be_ops = {
	.name = "test",
	.set_offload = be_offload,
	.lost = be_lose,
	.free = be_free,
};

void *net_at(uint64_t addr)
{
	return mem_ptr(&vm.mem, gpa(addr), 1);
}

static struct vring_desc *desc(int q)
{
	return net_at(RING_GPA(q));
}

static struct vring_avail *avail(int q)
{
	return net_at(RING_GPA(q) + 0x4000);
}

struct vring_used *net_used_ring(int q)
{
	return net_at(RING_GPA(q) + 0x8000);
}

void net_begin(uint64_t features)
{
	pthread_mutex_lock(&net->dev.lock);
	for (int i = 0; i < NET_QUEUES; i++) {
		struct queue *q = &net->dev.queue[i];

		memset(net_at(RING_GPA(i)), 0, 0x10000);
		next_desc[i] = 0;
		queue_reset(q);
		q->size = NET_RING;
		q->desc_gpa = RING_GPA(i);
		q->avail_gpa = RING_GPA(i) + 0x4000;
		q->used_gpa = RING_GPA(i) + 0x8000;
		ck_assert_int_eq(queue_start(q), 0);
		net_used[i] = net_again[i] = 0;
	}
	net_broken = net_config_changes = 0;
	net->dev.acked = features;
	net->dev.started = true;
	net->dev.broken = false;
	net->dev.ops->start(&net->dev);
	pthread_mutex_unlock(&net->dev.lock);
}

void net_end(void)
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
				    sock),
			 0);
	net_be = (struct net_backend){ .ops = &be_ops,
				       .fd = sock[0],
				       .vhost_fd = -1,
				       .vnet_hdr = vnet_hdr,
				       .sums_good = !vnet_hdr,
				       .mtu = 1500 };
	net_peer = sock[1];
	net_be_lost = be_freed = net_offloads_set = false;
	net = (struct net_dev *)virtio_net_new(&vm, &net_be, mac);
	ck_assert_ptr_nonnull(net);
	net->dev.transport = &transport;
}

void net_make_plain(void)
{
	make(false);
}

void net_make_offload(void)
{
	make(true);
}

void net_destroy(void)
{
	if (net->dev.started)
		net_end();
	for (int q = 0; q < NET_QUEUES; q++)
		ck_assert_uint_eq(net->dev.queue[q].in_flight, 0);
	net->dev.ops->free(&net->dev);
	ck_assert(be_freed);
	event_free(vm.loop);
	mem_exit(&vm.mem);
	close(net_peer);
}

/* --- the driver --- */

void net_add(int q, const struct net_part *p, int n)
{
	uint16_t head = next_desc[q] % NET_RING;
	struct vring_avail *a = avail(q);

	for (int i = 0; i < n; i++) {
		struct vring_desc *d = &desc(q)[next_desc[q]++ % NET_RING];

		d->addr = p[i].addr;
		d->len = p[i].len;
		d->flags = (p[i].write ? VRING_DESC_F_WRITE : 0) |
			   (i < n - 1 ? VRING_DESC_F_NEXT : 0);
		d->next = next_desc[q] % NET_RING;
	}
	a->ring[a->idx % NET_RING] = head;
	a->idx++;
}

void net_kick(int q)
{
	if (!virtio_running(&net->dev))
		return;
	pthread_mutex_lock(&net->dev.lock);
	net->dev.ops->notify(&net->dev, q);
	pthread_mutex_unlock(&net->dev.lock);
}

/* A header and a frame of len bytes of the value i, in buffer i. */
void net_add_frame(unsigned int i, uint32_t len)
{
	memset(net_at(NET_BUF(i)), 0, NET_HDR);
	memset((uint8_t *)net_at(NET_BUF(i)) + NET_HDR, (int)i, len);
	net_add(NET_TXQ, &(struct net_part){ NET_BUF(i), NET_HDR + len, false },
		1);
}

void net_add_buffer(unsigned int i, uint32_t len)
{
	memset(net_at(NET_BUF(i)), 0xee, len);
	net_add(NET_RXQ, &(struct net_part){ NET_BUF(i), len, true }, 1);
}

/* What the loop would do now; false if nothing is due. */
bool net_turn(void)
{
	struct pollfd p = { .fd = net_be.fd };

	p.events = (short)net->events; /* POLLIN == EPOLLIN and so on */
	if (!net->link || poll(&p, 1, 0) <= 0)
		return false;
	net->src.fn(&net->src, (uint32_t)p.revents);
	return true;
}

void net_peer_send(uint8_t value, size_t len)
{
	static uint8_t buf[70000];

	memset(buf, value, len);
	ck_assert_int_eq(send(net_peer, buf, len, 0), (ssize_t)len);
}

const uint8_t *net_frame(unsigned int i)
{
	return (uint8_t *)net_at(NET_BUF(i)) + NET_HDR;
}

void net_turns(void)
{
	while (net_turn())
		;
}

void net_drain(void)
{
	while (recv(net_be.fd, &(char){ 0 }, 1, 0) > 0)
		;
}
