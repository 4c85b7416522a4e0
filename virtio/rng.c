// SPDX-License-Identifier: GPL-2.0-only
/* virtio entropy device (virtio 1.2, 5.4).  Works on the I/O thread. */
#include "virtio/rng.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <sys/random.h>

#include "virtio/virtio.h"

#define QUEUE_SIZE    8
#define REQUEST_BYTES 4096 /* given per request; a driver asks again */
#define TURN_REQUESTS 8	   /* before others on the I/O thread get a turn */

struct rng {
	struct virtio_dev dev; /* first */
	struct chain chain;
};

/* Not more than 256 bytes at a time: such a getrandom() is never cut short. */
static uint32_t fill(const struct chain *c)
{
	uint8_t bytes[256];
	uint32_t done = 0;

	while (done < c->in_len && done < REQUEST_BYTES) {
		size_t len = c->in_len - done;

		if (len > sizeof(bytes))
			len = sizeof(bytes);
		if (getrandom(bytes, len, GRND_NONBLOCK) != (ssize_t)len)
			break;
		done += (uint32_t)iov_from_buf(c->iov + c->out, c->in, done,
					       bytes, len);
	}
	return done;
}

static void notify(struct virtio_dev *dev, unsigned int q)
{
	struct rng *rng = (struct rng *)dev;
	struct queue *queue = &dev->queue[q];
	bool more = true;
	int got = 0;

	queue_disable_kick(queue);
	for (int i = 0; more && i < TURN_REQUESTS; i++) {
		got = queue_pop(queue, &rng->chain);
		if (got > 0)
			queue_push(queue, rng->chain.head, fill(&rng->chain));
		else
			more = got == 0 && queue_enable_kick(queue);
	}
	virtio_used(dev, q);
	if (got < 0)
		virtio_broken(dev, "malformed request");
	else if (more)
		virtio_again(dev, q);
}

/* A request is answered before notify() returns: there is nothing to stop. */
static void nothing(struct virtio_dev *dev)
{
	(void)dev;
}

static void rng_free(struct virtio_dev *dev)
{
	virtio_exit(dev);
	free(dev);
}

static const struct virtio_ops ops = {
	.name = "rng",
	.id = VIRTIO_ID_RNG,
	.start = nothing,
	.stop = nothing,
	.notify = notify,
	.free = rng_free,
};

struct virtio_dev *virtio_rng_new(struct vm *vm)
{
	struct rng *rng;
	uint8_t byte;

	/* Once the host's generator is seeded, it stays so and never blocks. */
	if (getrandom(&byte, 1, 0) != 1)
		return NULL;
	rng = calloc(1, sizeof(*rng));
	if (!rng)
		return NULL;
	virtio_init(&rng->dev, &ops, vm, 1, QUEUE_SIZE, 0, NULL, 0);
	return &rng->dev;
}
