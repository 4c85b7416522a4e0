// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split virtqueue, device side.  The rings and descriptors are guest memory
 * that other vCPUs may change at any moment: each word is loaded once, then
 * checked, then used.  Runs on whatever thread holds the device's lock.
 */
#include "virtio/queue.h"

#include <assert.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

/* Guest memory: relaxed unless a comment says what else is needed. */
#define load(p)	    __atomic_load_n(p, __ATOMIC_RELAXED)
#define store(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

/* Where a driver and a device with VIRTIO_RING_F_EVENT_IDX leave their marks. */
static uint16_t *used_event(const struct queue *q)
{
	return &q->avail->ring[q->size];
}

static uint16_t *avail_event(const struct queue *q)
{
	return (uint16_t *)&q->used->ring[q->size];
}

static void *map_ring(const struct queue *q, uint64_t addr, size_t len,
		      size_t align)
{
	return addr % align ? NULL : mem_ptr(q->mem, gpa(addr), len);
}

/* Sizes and alignments: virtio 1.2, 2.7. */
int queue_start(struct queue *q)
{
	size_t n = q->size;

	if (!n || n > q->max || n > QUEUE_MAX_SIZE || (n & (n - 1)))
		return -EINVAL;
	q->desc = map_ring(q, q->desc_gpa, 16 * n, 16);
	q->avail = map_ring(q, q->avail_gpa, 6 + 2 * n, 2);
	q->used = map_ring(q, q->used_gpa, 6 + 8 * n, 4);
	if (!q->desc || !q->avail || !q->used)
		return -EINVAL;
	q->ready = true;
	return 0;
}

void queue_reset(struct queue *q)
{
	q->ready = q->broken = q->event_idx = q->indirect = false;
	q->size = 0;
	q->desc_gpa = q->avail_gpa = q->used_gpa = 0;
	q->desc = NULL;
	q->avail = NULL;
	q->used = NULL;
	q->last_avail = q->used_idx = q->signalled_used = q->in_flight = 0;
	q->signalled_lost = false;
	memset(q->busy, 0, sizeof(q->busy));
}

/*
 * A walk through one chain.  A table is bytes, as nothing obliges a driver to
 * align an indirect one.
 */
struct walk {
	const uint8_t *table;
	uint32_t entries;
	bool indirect;
};

static struct vring_desc copy_desc(const struct walk *w, uint32_t index)
{
	struct vring_desc d;

	memcpy(&d, w->table + (size_t)index * sizeof(d), sizeof(d));
	/* From here on nobody may look at the guest's bytes again. */
	__asm__ volatile("" : "+m"(d) : : "memory");
	return d;
}

/* virtio 1.2, 2.7.5.3: one level, and the last descriptor of its chain. */
static int enter_indirect(const struct queue *q, struct walk *w,
			  const struct vring_desc *d)
{
	if (!q->indirect || w->indirect || (d->flags & VRING_DESC_F_NEXT) ||
	    d->len % sizeof(*d))
		return -EPROTO;
	w->table = mem_ptr(q->mem, gpa(d->addr), d->len);
	w->entries = d->len / sizeof(*d);
	w->indirect = true;
	return w->table ? 0 : -EPROTO;
}

static int add_buffer(const struct queue *q, struct chain *c,
		      const struct vring_desc *d)
{
	bool in = d->flags & VRING_DESC_F_WRITE;
	uint32_t total;
	void *host;

	if (!in && c->in)
		return -EPROTO; /* readable behind writable */
	if (!d->len)
		return 0;
	host = mem_ptr(q->mem, gpa(d->addr), d->len);
	if (!host || c->out + c->in == QUEUE_MAX_SEGS ||
	    __builtin_add_overflow(c->out_len + c->in_len, d->len, &total))
		return -EPROTO;
	c->iov[c->out + c->in] = (struct iovec){ host, d->len };
	if (in) {
		c->in++;
		c->in_len += d->len;
	} else {
		c->out++;
		c->out_len += d->len;
	}
	return 0;
}

/*
 * A chain longer than QUEUE_MAX_SEGS descriptors is a loop or abuse; counting
 * descriptors rather than buffers bounds chains of empty buffers, too.
 */
static int walk_chain(const struct queue *q, struct chain *c)
{
	struct walk w = { (const uint8_t *)q->desc, q->size, false };
	uint32_t next = c->head;

	for (unsigned int n = 0; n <= QUEUE_MAX_SEGS; n++) {
		struct vring_desc d;
		int err;

		if (next >= w.entries)
			return -EPROTO;
		d = copy_desc(&w, next);
		if (d.flags & VRING_DESC_F_INDIRECT) {
			err = enter_indirect(q, &w, &d);
			next = 0;
		} else {
			err = add_buffer(q, c, &d);
			if (!err && !(d.flags & VRING_DESC_F_NEXT))
				return 0;
			next = d.next;
		}
		if (err)
			return err;
	}
	return -EPROTO;
}

static bool take_head(struct queue *q, uint16_t head)
{
	uint64_t bit = 1ull << head % 64;

	if (head >= q->size || q->busy[head / 64] & bit)
		return false;
	q->busy[head / 64] |= bit;
	q->in_flight++;
	return true;
}

static void put_head(struct queue *q, uint16_t head)
{
	uint64_t bit = 1ull << head % 64;

	assert(head < q->size && q->busy[head / 64] & bit);
	q->busy[head / 64] &= ~bit;
	q->in_flight--;
}

static int pop(struct queue *q, struct chain *c)
{
	uint16_t new;

	/* The driver fills entries before it moves idx: acquire idx first. */
	new = __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE);
	new -= q->last_avail;
	if (!new)
		return 0;
	if (new > q->size)
		return -EPROTO;
	c->head = load(&q->avail->ring[q->last_avail % q->size]);
	c->out = c->in = 0;
	c->out_len = c->in_len = 0;
	if (!take_head(q, c->head))
		return -EPROTO;
	if (walk_chain(q, c) < 0) {
		put_head(q, c->head);
		return -EPROTO;
	}
	q->last_avail++;
	return 1;
}

int queue_pop(struct queue *q, struct chain *c)
{
	int got;

	if (!q->ready || q->broken)
		return 0;
	got = pop(q, c);
	q->broken = got < 0;
	return got;
}

void queue_fill(struct queue *q, uint16_t head, uint32_t written)
{
	struct vring_used_elem *e = &q->used->ring[q->used_idx % q->size];

	put_head(q, head);
	store(&e->id, (uint32_t)head);
	store(&e->len, written);
	q->used_idx++;
	if (q->used_idx == q->signalled_used)
		q->signalled_lost = true;
}

void queue_flush(struct queue *q)
{
	/* The driver reads the entries, and what we stored, after it sees idx. */
	if (q->ready)
		__atomic_store_n(&q->used->idx, q->used_idx, __ATOMIC_RELEASE);
}

void queue_push(struct queue *q, uint16_t head, uint32_t written)
{
	queue_fill(q, head, written);
	queue_flush(q);
}

void queue_resume(struct queue *q, uint16_t last_avail)
{
	q->last_avail = last_avail;
	q->used_idx = q->signalled_used = load(&q->used->idx);
	q->signalled_lost = true;
}

bool queue_wants_irq(struct queue *q)
{
	uint16_t old = q->signalled_used, new = q->used_idx;
	bool lost = q->signalled_lost;

	if (old == new && !lost)
		return false;
	q->signalled_used = new;
	q->signalled_lost = false;
	/*
	 * used->idx must be visible before we look whether the driver sleeps.
	 * It writes its mark and then looks at used->idx, with a full barrier
	 * between, so at least one of us sees the other.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!q->event_idx)
		return !(load(&q->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
	return lost || vring_need_event(load(used_event(q)), new, old);
}

/*
 * With event index there is nothing to do: the mark that asked for the kick
 * lies behind the driver's index now, so it asks for none until it is moved.
 */
void queue_disable_kick(struct queue *q)
{
	if (q->ready && !q->event_idx)
		store(&q->used->flags, (uint16_t)VRING_USED_F_NO_NOTIFY);
}

bool queue_enable_kick(struct queue *q)
{
	if (!q->ready || q->broken)
		return false;
	if (q->event_idx)
		store(avail_event(q), q->last_avail);
	else
		store(&q->used->flags, (uint16_t)0);
	/*
	 * The driver moves avail->idx and then reads our mark, with a full
	 * barrier between: either it sees the mark, or we see its buffer.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return load(&q->avail->idx) != q->last_avail;
}

/* Walks [off, off + len) of the vector; the caller's copy is a memcpy. */
static size_t copy_iov(const struct iovec *iov, unsigned int n, size_t off,
		       uint8_t *buf, size_t len, bool to_iov)
{
	size_t done = 0;

	for (unsigned int i = 0; i < n && done < len; i++) {
		uint8_t *at = iov[i].iov_base;
		size_t part = iov[i].iov_len;

		if (off >= part) {
			off -= part;
			continue;
		}
		at += off;
		part -= off;
		off = 0;
		if (part > len - done)
			part = len - done;
		if (to_iov)
			memcpy(at, buf + done, part);
		else
			memcpy(buf + done, at, part);
		done += part;
	}
	return done;
}

size_t iov_to_buf(const struct iovec *iov, unsigned int n, size_t off,
		  void *buf, size_t len)
{
	return copy_iov(iov, n, off, buf, len, false);
}

size_t iov_from_buf(const struct iovec *iov, unsigned int n, size_t off,
		    const void *buf, size_t len)
{
	return copy_iov(iov, n, off, (uint8_t *)(uintptr_t)buf, len, true);
}
