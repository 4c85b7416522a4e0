// SPDX-License-Identifier: GPL-2.0-only
/* What all virtio devices share. */
#include "virtio/virtio.h"

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "vmm/core/log.h"
#include "vmm/core/vm.h"

void virtio_init(struct virtio_dev *dev, const struct virtio_ops *ops,
		 struct vm *vm, unsigned int nr_queues, unsigned int size,
		 uint64_t features, const void *config, size_t config_len)
{
	memset(dev, 0, sizeof(*dev));
	dev->ops = ops;
	dev->vm = vm;
	pthread_mutex_init(&dev->lock, NULL);
	pthread_cond_init(&dev->idle, NULL);
	dev->features = features | 1ull << VIRTIO_F_VERSION_1 |
			1ull << VIRTIO_RING_F_INDIRECT_DESC |
			1ull << VIRTIO_RING_F_EVENT_IDX;
	dev->nr_queues = nr_queues;
	for (unsigned int q = 0; q < nr_queues; q++) {
		dev->queue[q].mem = &vm->mem;
		dev->queue[q].max = (uint16_t)size;
	}
	dev->config = config;
	dev->config_len = config_len;
}

void virtio_exit(struct virtio_dev *dev)
{
	pthread_cond_destroy(&dev->idle);
	pthread_mutex_destroy(&dev->lock);
}

void virtio_broken(struct virtio_dev *dev, const char *why)
{
	static struct log_limit limit;

	if (dev->broken)
		return;
	dev->broken = true;
	warn_limited(&limit, "virtio-%s: %s; the device waits for a reset",
		     dev->ops->name, why);
	dev->transport->broken(dev->transport);
}
