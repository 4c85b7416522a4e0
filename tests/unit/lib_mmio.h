/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio-mmio window with a device that only takes notes, and the guest that
 * drives it through the bus.  There is no KVM: lib_mmio.c answers the ioctls.
 */
#ifndef UNIT_LIB_MMIO_H
#define UNIT_LIB_MMIO_H

#include <linux/kvm.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/unit/lib_ring.h"
#include "virtio/mmio.h"
#include "virtio/virtio.h"
#include "vmm/core/vm.h"

#define MMIO_BASE      0xd0010000
#define MMIO_GSI       5
#define MMIO_DOORBELL  0x700
#define MMIO_QUEUES    3
#define MMIO_INLINE    2 /* that queue is */
#define MMIO_FEATURE   7 /* the device's own */

#define KVM_TSC_OFFSET 0xfffff00000000000 /* the guest's TSC - ours */

#define ACKNOWLEDGE    VIRTIO_CONFIG_S_ACKNOWLEDGE
#define DRIVER	       VIRTIO_CONFIG_S_DRIVER
#define FEATURES_OK    VIRTIO_CONFIG_S_FEATURES_OK
#define DRIVER_OK      VIRTIO_CONFIG_S_DRIVER_OK
#define NEEDS_RESET    VIRTIO_CONFIG_S_NEEDS_RESET
#define RUNNING	       (ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)

/* What KVM was asked for. */
struct mmio_kvm {
	bool on;     /* answer for descriptor -1 at all */
	bool refuse; /* everything that has a fallback */
	struct kvm_userspace_memory_region slot;
	struct kvm_ioeventfd io[8];
	unsigned int nr_io;
	struct kvm_regs regs; /* of any vCPU */
	uint32_t mp_state;
	unsigned int tsc_khz; /* 0: it cannot say, nor pair the clocks */
	atomic_bool no_tsc;   /* not any more */
	/* KVM_SET_MSRS, KVM_GET_MSRS: how many; or NULL */
	int (*msrs)(unsigned long req, struct kvm_msrs *msrs);
};

/* What the device was told. */
struct mmio_seen {
	unsigned int starts, stops, frees;
	atomic_uint kicks[MMIO_QUEUES];
	pthread_t thread[MMIO_QUEUES]; /* of the last kick */
	unsigned int off, len;	       /* of the last configuration write */
	uint32_t val;
	bool slow_stop; /* stop waits for let_go */
	atomic_bool stopping, let_go;
};

struct mmio_bed {
	struct vm vm;
	struct virtio_dev dev;
	struct virtio_mmio *mmio;
	pthread_t loop;
	struct ring ring[MMIO_QUEUES];
	uint8_t config[10];
	struct mmio_kvm kvm;
	struct mmio_seen seen;
};

extern struct mmio_bed bed;
extern const struct virtio_ops mmio_test_ops;

/* Fixture.  The loop runs in between. */
void mmio_setup(void);
void mmio_teardown(void);
void mmio_start_loop(void);
void mmio_stop_loop(void);

/* Register accesses, as words or of any length. */
uint32_t rd(uint64_t reg);
void wr(uint64_t reg, uint32_t val);
uint64_t rd_len(uint64_t reg, unsigned int len);
void wr_len(uint64_t reg, unsigned int len, uint64_t val);

uint64_t mmio_offered(void);
void mmio_accept(uint64_t features);
void mmio_set_queue(unsigned int q);
/* From reset to DRIVER_OK, as Linux does it, with all features. */
void mmio_drive(void);
/* The guest offers a buffer in queue q, the device uses it. */
void mmio_serve(unsigned int q, uint16_t head);
/* Interrupts since the last call. */
uint64_t mmio_irqs(void);
/* Until queue q has seen that many kicks. */
void mmio_wait_kicks(unsigned int q, unsigned int want);
/* Long enough for what the loop was told before. */
void mmio_settle(void);

#endif
