// SPDX-License-Identifier: GPL-2.0-only
/* See inring.h. */
#include "vmm/backend/inring.h"

#include "include/hotline/platform.h"

void inring_init(struct inring *r)
{
	pthread_mutex_init(&r->lock, NULL);
}

void inring_exit(struct inring *r)
{
	pthread_mutex_destroy(&r->lock);
}

static uint32_t used(const struct inring *r)
{
	return r->head - r->tail;
}

void inring_hold(struct inring *r)
{
	r->stream = r->held = true;
}

void inring_release(struct inring *r)
{
	pthread_mutex_lock(&r->lock);
	r->held = false;
	pthread_mutex_unlock(&r->lock);
}

/* Each byte of a stream may take two, and so does its end. */
size_t inring_room(struct inring *r)
{
	size_t n;

	pthread_mutex_lock(&r->lock);
	n = INRING_SIZE - used(r);
	if (r->stream)
		n = n < 4 ? 0 : (n - 2) / 2;
	r->full = !n;
	pthread_mutex_unlock(&r->lock);
	return n;
}

static void put(struct inring *r, uint8_t byte)
{
	if (used(r) < INRING_SIZE)
		r->byte[r->head++ % INRING_SIZE] = byte;
}

void inring_put(struct inring *r, uint8_t byte)
{
	pthread_mutex_lock(&r->lock);
	if (r->stream && byte == HL_INPUT_ESCAPE)
		put(r, HL_INPUT_ESCAPE);
	put(r, byte);
	pthread_mutex_unlock(&r->lock);
}

void inring_put_end(struct inring *r)
{
	pthread_mutex_lock(&r->lock);
	put(r, HL_INPUT_ESCAPE);
	put(r, HL_INPUT_END);
	pthread_mutex_unlock(&r->lock);
}

bool inring_has(struct inring *r)
{
	bool has;

	pthread_mutex_lock(&r->lock);
	has = used(r) && !r->held;
	pthread_mutex_unlock(&r->lock);
	return has;
}

size_t inring_get(struct inring *r, void *buf, size_t len, bool *wake)
{
	uint8_t *to = buf;
	size_t n = 0;

	pthread_mutex_lock(&r->lock);
	while (n < len && used(r) && !r->held)
		to[n++] = r->byte[r->tail++ % INRING_SIZE];
	*wake = r->full && used(r) <= INRING_SIZE / 2;
	if (*wake)
		r->full = false;
	pthread_mutex_unlock(&r->lock);
	return n;
}
