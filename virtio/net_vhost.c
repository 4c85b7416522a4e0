// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames moved by the host's kernel (/dev/vhost-net): it reads the rings,
 * listens to the kicks and raises the interrupts.  Started and stopped on
 * vCPU threads with dev.lock held; the control queue stays with us.
 */
#include <errno.h>
#include <linux/vhost.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "virtio/net_dev.h"
#include "vmm/core/vm.h"

#define FEATURES                                                               \
	(1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_RING_F_EVENT_IDX |        \
	 1ull << VIRTIO_RING_F_INDIRECT_DESC | 1ull << VIRTIO_NET_F_MRG_RXBUF)

static int control(const struct net_dev *net, unsigned long request, void *arg)
{
	return ioctl(net->be->vhost_fd, request, arg) < 0 ? -errno : 0;
}

static int set_file(const struct net_dev *net, unsigned long request,
		    unsigned int q, int fd)
{
	struct vhost_vring_file file = { .index = q, .fd = fd };

	return control(net, request, &file);
}

static int set_memory(const struct net_dev *net)
{
	const struct mem *mem = &net->dev.vm->mem;
	struct vhost_memory_region *region;
	_Alignas(struct vhost_memory)
		uint8_t room[sizeof(struct vhost_memory) +
			     MEM_REGIONS * sizeof(*region)] = { 0 };
	struct vhost_memory *table = (struct vhost_memory *)room;

	table->nregions = mem->nr;
	for (unsigned int i = 0; i < mem->nr; i++) {
		region = &table->regions[i];
		region->guest_phys_addr = mem->region[i].base;
		region->memory_size = mem->region[i].size;
		region->userspace_addr = (uintptr_t)mem->region[i].host;
	}
	return control(net, VHOST_SET_MEM_TABLE, table);
}

static void queue_malformed(struct event_source *src, uint32_t events)
{
	struct net_dev *net =
		(struct net_dev *)((uint8_t *)src -
				   offsetof(struct net_dev, vhost.err));

	(void)events;
	pthread_mutex_lock(&net->dev.lock);
	if (net->vhost.active && virtio_running(&net->dev))
		virtio_broken(&net->dev, "vhost finds a queue malformed");
	pthread_mutex_unlock(&net->dev.lock);
}

static int add_err(struct net_dev *net)
{
	struct event_source *src = &net->vhost.err;
	int err;

	src->fn = queue_malformed;
	src->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (src->fd < 0)
		return -errno;
	err = event_add(net->dev.vm->loop, src, EPOLLIN | EPOLLET);
	if (err)
		close(src->fd);
	return err;
}

/* What the driver may accept is fixed, so the kernel must know all of it. */
int net_vhost_init(struct net_dev *net)
{
	uint64_t features = 0;
	int err;

	if (net->be->vhost_fd < 0)
		return 0;
	err = control(net, VHOST_GET_FEATURES, &features);
	if (!err && ~features & FEATURES)
		err = -EOPNOTSUPP;
	if (!err)
		err = control(net, VHOST_SET_OWNER, NULL);
	if (!err)
		err = set_memory(net);
	if (!err)
		err = add_err(net);
	net->vhost.usable = !err;
	return err;
}

void net_vhost_exit(struct net_dev *net)
{
	if (!net->vhost.usable)
		return;
	event_del(net->dev.vm->loop, &net->vhost.err);
	close(net->vhost.err.fd);
}

static int start_queue(struct net_dev *net, unsigned int i)
{
	struct virtio_transport *t = net->dev.transport;
	const struct queue *q = &net->dev.queue[i];
	struct vhost_vring_state num = { .index = i, .num = q->size };
	struct vhost_vring_state base = { .index = i, .num = q->last_avail };
	struct vhost_vring_addr addr = {
		.index = i,
		.desc_user_addr = (uintptr_t)q->desc,
		.used_user_addr = (uintptr_t)q->used,
		.avail_user_addr = (uintptr_t)q->avail,
	};
	int kick, irq, err = t->hand_over(t, i, &kick, &irq);

	if (!err)
		err = control(net, VHOST_SET_VRING_NUM, &num);
	if (!err)
		err = control(net, VHOST_SET_VRING_BASE, &base);
	if (!err)
		err = control(net, VHOST_SET_VRING_ADDR, &addr);
	if (!err)
		err = set_file(net, VHOST_SET_VRING_ERR, i, net->vhost.err.fd);
	if (!err)
		err = set_file(net, VHOST_SET_VRING_CALL, i, irq);
	if (!err)
		err = set_file(net, VHOST_SET_VRING_KICK, i, kick);
	if (!err)
		err = set_file(net, VHOST_NET_SET_BACKEND, i, net->be->fd);
	return err;
}

/* Returns with the kernel done with the queue, and takes up where it was. */
static void stop_queue(struct net_dev *net, unsigned int i)
{
	struct virtio_transport *t = net->dev.transport;
	struct vhost_vring_state base = { .index = i };
	struct queue *q = &net->dev.queue[i];

	set_file(net, VHOST_NET_SET_BACKEND, i, VHOST_FILE_UNBIND);
	set_file(net, VHOST_SET_VRING_KICK, i, VHOST_FILE_UNBIND);
	if (!control(net, VHOST_GET_VRING_BASE, &base))
		queue_resume(q, (uint16_t)base.num);
	t->take_back(t, i);
}

int net_vhost_start(struct net_dev *net)
{
	uint64_t features = net->dev.acked & FEATURES;
	int err;

	if (!net->dev.transport->hand_over || !net->dev.queue[NET_RXQ].ready ||
	    !net->dev.queue[NET_TXQ].ready)
		return -EOPNOTSUPP;
	err = control(net, VHOST_SET_FEATURES, &features);
	if (err)
		return err;
	err = start_queue(net, NET_RXQ);
	if (!err)
		err = start_queue(net, NET_TXQ);
	net->vhost.active = true;
	if (err)
		net_vhost_stop(net);
	return err;
}

void net_vhost_stop(struct net_dev *net)
{
	if (!net->vhost.active)
		return;
	stop_queue(net, NET_RXQ);
	stop_queue(net, NET_TXQ);
	net->vhost.active = false;
}
