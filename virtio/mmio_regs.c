// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-mmio registers (virtio 1.2, 4.2.2).  Writes come on vCPU threads;
 * all of it under the device's lock.  What a guest may read stands in one
 * page, which it reads as memory where the host can do that.
 */
#include "virtio/mmio_regs.h"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "vmm/core/log.h"

/* Status bits that are the driver's to set. */
#define DRIVER_BITS                                                            \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |                \
	 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK |             \
	 VIRTIO_CONFIG_S_FAILED)

static struct queue *selected(struct virtio_mmio *m)
{
	return m->queue_sel < m->dev->nr_queues ? &m->dev->queue[m->queue_sel]
						: NULL;
}

/* The registers behind a selector follow it. */
static void show_queue(struct virtio_mmio *m)
{
	const struct queue *q = selected(m);

	mmio_set_reg(m, VIRTIO_MMIO_QUEUE_NUM_MAX, q ? q->max : 0);
	mmio_set_reg(m, VIRTIO_MMIO_QUEUE_READY, q && q->ready);
}

static void show_features(struct virtio_mmio *m)
{
	uint64_t f = m->dev->features;

	mmio_set_reg(m, VIRTIO_MMIO_DEVICE_FEATURES,
		     m->device_sel == 0	  ? (uint32_t)f
		     : m->device_sel == 1 ? (uint32_t)(f >> 32)
					  : 0);
}

/* In words, so that no aligned field of up to 4 bytes is ever seen torn. */
void mmio_show_config(struct virtio_mmio *m)
{
	const uint8_t *config = m->dev->config;

	for (size_t i = 0; i < m->dev->config_len; i += 4) {
		size_t left = m->dev->config_len - i;
		uint32_t word = 0;

		memcpy(&word, config + i, left < 4 ? left : 4);
		mmio_set_reg(m, VIRTIO_MMIO_CONFIG + (unsigned int)i, word);
	}
}

static void start(struct virtio_mmio *m)
{
	m->dev->started = true;
	m->dev->ops->start(m->dev);
}

/* While the device waits for its requests, register writes are dropped. */
void mmio_stop(struct virtio_mmio *m)
{
	if (!m->dev->started)
		return;
	m->dev->started = false;
	m->stopping = true;
	m->dev->ops->stop(m->dev);
	m->stopping = false;
}

void mmio_kicked(struct virtio_mmio *m, unsigned int q)
{
	struct virtio_dev *dev = m->dev;

	if (!virtio_running(dev) || !dev->queue[q].ready)
		return;
	atomic_fetch_add_explicit(&dev->queue[q].kicks, 1,
				  memory_order_relaxed);
	dev->ops->notify(dev, q);
}

void mmio_reset(struct virtio_mmio *m)
{
	struct virtio_dev *dev = m->dev;

	mmio_stop(m);
	for (unsigned int q = 0; q < dev->nr_queues; q++)
		queue_reset(&dev->queue[q]);
	dev->acked = 0;
	dev->broken = false;
	m->device_sel = m->driver_sel = m->queue_sel = 0;
	m->driver_features = 0;
	show_features(m);
	show_queue(m);
	mmio_set_reg(m, VIRTIO_MMIO_INTERRUPT_STATUS, 0);
	mmio_set_reg(m, VIRTIO_MMIO_STATUS, 0);
}

static void write_device_sel(struct virtio_mmio *m, uint32_t val)
{
	m->device_sel = val;
	show_features(m);
}

static void write_driver_sel(struct virtio_mmio *m, uint32_t val)
{
	m->driver_sel = val;
}

static void write_driver_features(struct virtio_mmio *m, uint32_t val)
{
	unsigned int shift = m->driver_sel * 32;

	if (m->driver_sel > 1 ||
	    mmio_get_reg(m, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	m->driver_features &= ~((uint64_t)UINT32_MAX << shift);
	m->driver_features |= (uint64_t)val << shift;
}

static void write_queue_sel(struct virtio_mmio *m, uint32_t val)
{
	m->queue_sel = val;
	show_queue(m);
}

/* What makes no valid size is refused when the queue shall become ready. */
static void write_queue_num(struct virtio_mmio *m, uint32_t val)
{
	struct queue *q = selected(m);

	if (q && !q->ready)
		q->size = val <= q->max ? (uint16_t)val : 0;
}

/* The two words of each address. */
static const size_t queue_addr[VIRTIO_MMIO_CONFIG / 4] = {
	[VIRTIO_MMIO_QUEUE_DESC_LOW / 4] = offsetof(struct queue, desc_gpa),
	[VIRTIO_MMIO_QUEUE_DESC_HIGH / 4] =
		offsetof(struct queue, desc_gpa) + 4,
	[VIRTIO_MMIO_QUEUE_AVAIL_LOW / 4] = offsetof(struct queue, avail_gpa),
	[VIRTIO_MMIO_QUEUE_AVAIL_HIGH / 4] =
		offsetof(struct queue, avail_gpa) + 4,
	[VIRTIO_MMIO_QUEUE_USED_LOW / 4] = offsetof(struct queue, used_gpa),
	[VIRTIO_MMIO_QUEUE_USED_HIGH / 4] =
		offsetof(struct queue, used_gpa) + 4,
};

static void write_queue_addr(struct virtio_mmio *m, size_t field, uint32_t val)
{
	struct queue *q = selected(m);

	if (q && !q->ready)
		memcpy((char *)q + field, &val, sizeof(val));
}

/*
 * The device only knows how to stop as a whole, so disabling one queue is a
 * stop and a start; kicks for the other queues may have come in between.
 */
static void disable_queue(struct virtio_mmio *m, struct queue *q)
{
	struct virtio_dev *dev = m->dev;
	bool was_started = dev->started;

	mmio_stop(m);
	queue_reset(q);
	if (!was_started)
		return;
	start(m);
	for (unsigned int i = 0; i < dev->nr_queues; i++)
		if (dev->ops->inline_queues >> i & 1)
			mmio_kicked(m, i);
		else
			m->transport.again(&m->transport, i);
}

/* Queues and features may be set up in either order. */
static void tell_features(const struct virtio_dev *dev, struct queue *q)
{
	q->event_idx = virtio_has(dev, VIRTIO_RING_F_EVENT_IDX);
	q->indirect = virtio_has(dev, VIRTIO_RING_F_INDIRECT_DESC);
}

static void enable_queue(struct virtio_mmio *m, struct queue *q)
{
	static struct log_limit limit;

	tell_features(m->dev, q);
	if (queue_start(q) < 0)
		warn_limited(&limit,
			     "virtio-%s: queue %u: size or address refused",
			     m->dev->ops->name, m->queue_sel);
}

static void write_queue_ready(struct virtio_mmio *m, uint32_t val)
{
	struct queue *q = selected(m);

	if (!q)
		return;
	if (!val && q->ready)
		disable_queue(m, q);
	else if (val == 1 && !q->ready)
		enable_queue(m, q);
	show_queue(m);
}

/* Comes here if the queue is an inline one, or the host has no ioeventfd. */
static void write_queue_notify(struct virtio_mmio *m, uint32_t val)
{
	if (val >= m->dev->nr_queues)
		return;
	if (m->dev->ops->inline_queues >> val & 1)
		mmio_kicked(m, val);
	else
		m->transport.again(&m->transport, val);
}

static void write_interrupt_ack(struct virtio_mmio *m, uint32_t val)
{
	if (val & VIRTIO_MMIO_INT_CONFIG)
		mmio_set_reg(m, VIRTIO_MMIO_INTERRUPT_STATUS,
			     mmio_get_reg(m, VIRTIO_MMIO_INTERRUPT_STATUS) &
				     ~(uint32_t)VIRTIO_MMIO_INT_CONFIG);
}

/* virtio 1.2, 2.2.2 and 3.1.1 step 5. */
static bool accept_features(struct virtio_mmio *m)
{
	struct virtio_dev *dev = m->dev;

	if (m->driver_features & ~dev->features ||
	    !(m->driver_features >> VIRTIO_F_VERSION_1 & 1))
		return false;
	dev->acked = m->driver_features;
	for (unsigned int q = 0; q < dev->nr_queues; q++)
		tell_features(dev, &dev->queue[q]);
	return true;
}

/* A driver may only add bits (virtio 1.2, 2.1.1), so what is set stays set. */
static void write_status(struct virtio_mmio *m, uint32_t val)
{
	uint32_t old = mmio_get_reg(m, VIRTIO_MMIO_STATUS), new;

	if (!val) {
		mmio_reset(m);
		return;
	}
	new = old | (val & DRIVER_BITS);
	if (new & ~old & VIRTIO_CONFIG_S_FEATURES_OK && !accept_features(m))
		new &= ~(uint32_t)VIRTIO_CONFIG_S_FEATURES_OK;
	if (!(new &VIRTIO_CONFIG_S_FEATURES_OK))
		new &= ~(uint32_t)VIRTIO_CONFIG_S_DRIVER_OK;
	mmio_set_reg(m, VIRTIO_MMIO_STATUS, new);
	if (new & ~old & VIRTIO_CONFIG_S_DRIVER_OK)
		start(m);
}

static void (*const write_reg[VIRTIO_MMIO_CONFIG / 4])(struct virtio_mmio *m,
						       uint32_t val) = {
	[VIRTIO_MMIO_DEVICE_FEATURES_SEL / 4] = write_device_sel,
	[VIRTIO_MMIO_DRIVER_FEATURES / 4] = write_driver_features,
	[VIRTIO_MMIO_DRIVER_FEATURES_SEL / 4] = write_driver_sel,
	[VIRTIO_MMIO_QUEUE_SEL / 4] = write_queue_sel,
	[VIRTIO_MMIO_QUEUE_NUM / 4] = write_queue_num,
	[VIRTIO_MMIO_QUEUE_READY / 4] = write_queue_ready,
	[VIRTIO_MMIO_QUEUE_NOTIFY / 4] = write_queue_notify,
	[VIRTIO_MMIO_INTERRUPT_ACK / 4] = write_interrupt_ack,
	[VIRTIO_MMIO_STATUS / 4] = write_status,
};

/* 1, 2 or 4 bytes, aligned, within the device's space. */
static void write_config(struct virtio_mmio *m, uint64_t off, unsigned int len,
			 uint32_t val)
{
	struct virtio_dev *dev = m->dev;

	if (!dev->ops->config_write || len > 4 || off % len ||
	    off + len > dev->config_len)
		return;
	dev->ops->config_write(dev, (unsigned int)off, len, val);
	mmio_show_config(m);
}

/* virtio 1.2, 4.2.2.2: registers are written as aligned words. */
static void mmio_write(void *dev, uint64_t off, unsigned int len, uint64_t val)
{
	struct virtio_mmio *m = dev;

	pthread_mutex_lock(&m->dev->lock);
	if (m->stopping)
		;
	else if (off >= VIRTIO_MMIO_CONFIG)
		write_config(m, off - VIRTIO_MMIO_CONFIG, len, (uint32_t)val);
	else if (len != 4 || off % 4)
		;
	else if (write_reg[off / 4])
		write_reg[off / 4](m, (uint32_t)val);
	else if (queue_addr[off / 4])
		write_queue_addr(m, queue_addr[off / 4], (uint32_t)val);
	pthread_mutex_unlock(&m->dev->lock);
}

/* Only called where the page is not mapped for the guest. */
static uint64_t mmio_read(void *dev, uint64_t off, unsigned int len)
{
	const struct virtio_mmio *m = dev;
	uint64_t val = 0;

	if (len > 8 || off > MMIO_PAGE - len)
		return UINT64_MAX;
	for (unsigned int i = 0; i < len; i++)
		val |= (uint64_t)(uint8_t)(mmio_get_reg(m, (unsigned int)(off +
									  i)) >>
					   (off + i) % 4 * 8)
		       << i * 8;
	return val;
}

const struct bus_ops mmio_regs_ops = {
	.read = mmio_read,
	.write = mmio_write,
};

static void doorbell_write(void *dev, uint64_t off, unsigned int len,
			   uint64_t val)
{
	if (off == 0)
		mmio_write(dev, VIRTIO_MMIO_QUEUE_NOTIFY, len, val);
}

const struct bus_ops mmio_doorbell_ops = { .write = doorbell_write };
