/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Split virtqueue, device side (virtio 1.2, 2.7): indirect descriptors and
 * event index included.  The caller holds the device's lock.
 */
#ifndef VIRTIO_QUEUE_H
#define VIRTIO_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vmm/core/mem.h"

struct vring_desc;
struct vring_avail;
struct vring_used;

#define QUEUE_MAX_SIZE 256
/* Longest chain that is accepted; more is a malformed chain. */
#define QUEUE_MAX_SEGS (QUEUE_MAX_SIZE + 2)

struct queue {
	const struct mem *mem;
	uint16_t size;	/* entries, a power of two, 0 = unset */
	uint16_t max;	/* what the device offers */
	bool ready;	/* started, until queue_reset() */
	bool broken;	/* malformed: no more chains until reset */
	bool event_idx; /* VIRTIO_F_EVENT_IDX was negotiated */
	bool indirect;	/* VIRTIO_F_INDIRECT_DESC was negotiated */
	uint64_t desc_gpa, avail_gpa, used_gpa; /* as the driver wrote them */

	/* Host addresses, checked by queue_start() */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;

	uint16_t last_avail;	 /* next avail entry to take */
	uint16_t used_idx;	 /* our copy of used->idx */
	uint16_t signalled_used; /* used_idx at the last queue_wants_irq() */
	bool signalled_lost;	 /* used_idx went once around since then */
	uint16_t in_flight;	 /* chains popped and not yet pushed */
	uint64_t busy[QUEUE_MAX_SIZE / 64]; /* bit head: it is in flight */

	/* Statistics: written under the device's lock, read by anyone */
	_Atomic uint64_t kicks, irqs;
};

/*
 * One request: iov[0..out) is device-readable, iov[out..out+in) is
 * device-writable; all point into guest RAM, checked once.  iov entries may be
 * consumed (changed) by the holder.
 */
struct chain {
	uint16_t head;
	uint16_t out, in;
	uint32_t out_len, in_len; /* bytes; the sum may not pass UINT32_MAX */
	struct iovec iov[QUEUE_MAX_SEGS];
};

/* Checks addresses, maps the rings, sets ready; 0 or -EINVAL. */
int queue_start(struct queue *q);
/* Back to the state after device reset; mem, max and statistics stay. */
void queue_reset(struct queue *q);

/*
 * Takes the next chain: 1, 0 if there is none, -EPROTO if the ring or the
 * chain is malformed (index out of range, loop, head still in flight, bad
 * indirect table, address outside RAM, writable before readable): the device
 * then needs a reset (virtio_broken()), and all further calls give 0, as they
 * do on a queue that is not ready.
 *
 * No two chains in flight have the same head, so head < size may index a table
 * of requests.  Buffers of length 0 are dropped, so a chain may be empty.
 */
int queue_pop(struct queue *q, struct chain *chain);

/*
 * Gives a chain back, exactly once; written = bytes stored into its writable
 * part.
 */
void queue_push(struct queue *q, uint16_t head, uint32_t written);

/*
 * The same in two steps, for chains that must become visible together: the
 * driver sees what was filled at queue_flush().
 */
void queue_fill(struct queue *q, uint16_t head, uint32_t written);
void queue_flush(struct queue *q);

/*
 * Goes on where somebody else, who used the started queue meanwhile, stopped:
 * he would take avail entry last_avail next and holds no chain.
 */
void queue_resume(struct queue *q, uint16_t last_avail);

/* True if the driver wants an interrupt for what was pushed since last time. */
bool queue_wants_irq(struct queue *q);

/*
 * Tell the driver not to kick (advisory), or to kick for the next buffer.
 * queue_enable_kick() returns true if buffers came in meanwhile: pop again.
 * With event index the driver kicks once per queue_enable_kick(), so a device
 * that wants to be woken must call it each time it has emptied the queue.
 */
void queue_disable_kick(struct queue *q);
bool queue_enable_kick(struct queue *q);

/* Bytes copied between buf and iov[0..n), at most len, skipping `off` bytes. */
size_t iov_to_buf(const struct iovec *iov, unsigned int n, size_t off,
		  void *buf, size_t len);
size_t iov_from_buf(const struct iovec *iov, unsigned int n, size_t off,
		    const void *buf, size_t len);

#endif
