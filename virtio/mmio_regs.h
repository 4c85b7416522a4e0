/* SPDX-License-Identifier: GPL-2.0-only */
/* Between virtio/mmio.c and virtio/mmio_regs.c only. */
#ifndef VIRTIO_MMIO_REGS_H
#define VIRTIO_MMIO_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "include/hotline/platform.h"
#include "virtio/virtio.h"
#include "vmm/core/bus.h"

#define MMIO_PAGE HL_VIRTIO_MMIO_STEP

struct notifier {
	struct event_source src; /* eventfd, or -1 for an inline queue */
	struct virtio_mmio *mmio;
};

struct virtio_mmio {
	struct virtio_transport transport; /* first member */
	struct virtio_dev *dev;
	uint64_t base;
	unsigned int gsi;
	uint16_t doorbell; /* port, or 0 */
	uint32_t *page;	   /* what the guest reads */
	uint32_t device_sel, driver_sel, queue_sel;
	uint64_t driver_features;
	bool stopping; /* ops->stop may have dropped the lock */
	int ack_fd;    /* swallows acknowledgements; never read */
	struct notifier notify[VIRTIO_MAX_QUEUES];
};

/* Other vCPUs may be reading. */
static inline void mmio_set_reg(struct virtio_mmio *m, unsigned int reg,
				uint32_t val)
{
	__atomic_store_n(&m->page[reg / 4], val, __ATOMIC_RELEASE);
}

static inline uint32_t mmio_get_reg(const struct virtio_mmio *m,
				    unsigned int reg)
{
	return __atomic_load_n(&m->page[reg / 4], __ATOMIC_RELAXED);
}

/* Reads and writes of the window; dev is the struct virtio_mmio. */
extern const struct bus_ops mmio_regs_ops;
/* Kicks that come to us by the doorbell port. */
extern const struct bus_ops mmio_doorbell_ops;

/* Lock held, all of them. */
void mmio_show_config(struct virtio_mmio *m);
void mmio_reset(struct virtio_mmio *m);
void mmio_stop(struct virtio_mmio *m);
/* Queue q has buffers, they say: tells the device, if it is at work. */
void mmio_kicked(struct virtio_mmio *m, unsigned int q);

#endif
