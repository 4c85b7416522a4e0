/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a virtio device is, apart from how the guest reaches it (virtio/mmio.c).
 *
 * Threads: register accesses come on vCPU threads, queue notifications on the
 * I/O thread, or on the vCPU thread for queues in ops->inline_queues.  Every
 * call into ops but free is made with dev->lock held; a device's own callbacks
 * (file readable, request done) take it themselves.  Nobody may wait for
 * something slow with the lock held: the I/O thread takes it, too.
 */
#ifndef VIRTIO_VIRTIO_H
#define VIRTIO_VIRTIO_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/queue.h"
#include "vmm/core/event.h"

struct vm;
struct virtio_dev;

#define VIRTIO_MAX_QUEUES 16

struct virtio_ops {
	const char *name;	/* "blk" */
	uint32_t id;		/* VIRTIO_ID_* */
	uint32_t inline_queues; /* bit q: notify on the vCPU's thread */
	/* DRIVER_OK: queues are started, dev->acked is final. */
	void (*start)(struct virtio_dev *dev);
	/*
	 * Reset or final stop; dev->started is false already, so no notify
	 * will come.  Chains in flight are pushed back before it returns, and
	 * after that the device touches neither queues nor guest memory.  May
	 * wait for the I/O thread with pthread_cond_wait(&dev->idle,
	 * &dev->lock), as it never runs there while requests are in flight,
	 * except at the machine's own end.
	 *
	 * A driver may disable a single queue: the device then sees stop and,
	 * with that queue not ready, start.
	 */
	void (*stop)(struct virtio_dev *dev);
	/* The driver kicked queue q, which is ready; may be spurious. */
	void (*notify)(struct virtio_dev *dev, unsigned int q);
	/* The driver wrote config[off..off+len); NULL if it has no such field. */
	void (*config_write)(struct virtio_dev *dev, unsigned int off,
			     unsigned int len, uint32_t val);
	/* Stopped, vCPUs gone, loop not running.  Calls virtio_exit(). */
	void (*free)(struct virtio_dev *dev);
};

/* First member of each device's own struct. */
struct virtio_dev {
	const struct virtio_ops *ops;
	struct vm *vm;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	uint64_t features; /* offered; transport adds its own */
	uint64_t acked;	   /* accepted by the driver */
	unsigned int nr_queues;
	struct queue queue[VIRTIO_MAX_QUEUES];
	const void *config; /* device config space, little-endian */
	size_t config_len;
	bool started; /* from before ops->start to before ops->stop */
	bool broken;  /* virtio_broken() was called, until reset */
	struct virtio_transport *transport;
};

/* How a device talks back; implemented by the transport.  Lock held. */
struct virtio_transport {
	/* Used buffers in queue q: interrupt, if the driver wants one. */
	void (*used)(struct virtio_transport *t, unsigned int q);
	/* Have ops->notify called for q later; not for inline queues. */
	void (*again)(struct virtio_transport *t, unsigned int q);
	/* The config space changed: new generation, config interrupt. */
	void (*config_changed)(struct virtio_transport *t);
	/* Sets DEVICE_NEEDS_RESET (virtio 1.2, 2.1.1); further kicks are ignored. */
	void (*broken)(struct virtio_transport *t);
	/*
	 * Leaves queue q to the host's kernel: kicks no longer come to
	 * ops->notify but only to the eventfd *kick, and what is written to
	 * the eventfd *irq is a used-buffer interrupt.  0 or -errno.  NULL if
	 * the transport cannot do that.
	 */
	int (*hand_over)(struct virtio_transport *t, unsigned int q, int *kick,
			 int *irq);
	void (*take_back)(struct virtio_transport *t, unsigned int q);
};

/*
 * Sets up the common part: lock, queues of `size` entries each (a power of
 * two up to QUEUE_MAX_SIZE), features EVENT_IDX | INDIRECT_DESC | VERSION_1
 * beside the device's own.
 */
void virtio_init(struct virtio_dev *dev, const struct virtio_ops *ops,
		 struct vm *vm, unsigned int nr_queues, unsigned int size,
		 uint64_t features, const void *config, size_t config_len);

/* Undoes virtio_init(), for ops->free. */
void virtio_exit(struct virtio_dev *dev);

/* A malformed queue: warns (limited), sets DEVICE_NEEDS_RESET; lock held. */
void virtio_broken(struct virtio_dev *dev, const char *why);

static inline bool virtio_has(const struct virtio_dev *dev, unsigned int bit)
{
	return dev->acked >> bit & 1;
}

/* For a device's own callbacks: may the queues be used?  Lock held. */
static inline bool virtio_running(const struct virtio_dev *dev)
{
	return dev->started && !dev->broken;
}

/* Interrupt for queue q if the driver wants one; lock held. */
static inline void virtio_used(struct virtio_dev *dev, unsigned int q)
{
	if (queue_wants_irq(&dev->queue[q]))
		dev->transport->used(dev->transport, q);
}

/*
 * For a notify that has done enough for one turn and leaves the I/O thread to
 * others: it will be called again.  Lock held.
 */
static inline void virtio_again(struct virtio_dev *dev, unsigned int q)
{
	dev->transport->again(dev->transport, q);
}

/* After a change of the bytes at dev->config.  Lock held. */
static inline void virtio_config_changed(struct virtio_dev *dev)
{
	dev->transport->config_changed(dev->transport);
}

#endif
