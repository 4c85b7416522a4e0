// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio console (virtio 1.2, 5.3), one port.
 *
 * Output runs on the vCPU's thread, inside the kick: Linux spins in
 * put_chars() until its buffer is used, so any hand-over to another thread
 * would be waited for.  Input runs on the I/O thread.
 *
 * Output interrupts come late.  A driver that spins wants none, but has not
 * turned them off.  With event index it is enough to ask again some time
 * later, when its mark says that it has seen the buffers; without, the driver
 * gets one interrupt for many buffers.
 */
#include "virtio/console.h"

#include <errno.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "virtio/virtio.h"
#include "vmm/backend/console.h"
#include "vmm/core/vm.h"

#define QUEUE_SIZE   64
#define IRQ_DELAY_NS 2000000

enum { RX, TX, QUEUES };

struct vcon {
	struct virtio_dev dev; /* first */
	struct console_client client;
	struct event_source timer; /* timerfd: delayed output interrupt */
	struct console *con;
	struct virtio_console_config config;
	bool timer_armed;
	bool printing;	 /* a vCPU is in print(), lock dropped */
	bool print_more; /* kicked meanwhile */
	struct chain rx, tx;
};

/* --- output --- */

static void arm_timer(struct vcon *v)
{
	struct itimerspec at = { .it_value.tv_nsec = IRQ_DELAY_NS };

	if (v->timer_armed)
		return;
	if (timerfd_settime(v->timer.fd, 0, &at, NULL) == 0)
		v->timer_armed = true;
	else
		virtio_used(&v->dev, TX);
}

static void on_timer(struct event_source *src, uint32_t events)
{
	struct vcon *v =
		(struct vcon *)((char *)src - offsetof(struct vcon, timer));

	(void)events;
	pthread_mutex_lock(&v->dev.lock);
	v->timer_armed = false;
	if (virtio_running(&v->dev))
		virtio_used(&v->dev, TX);
	pthread_mutex_unlock(&v->dev.lock);
}

/* The reader of the output may be slow; nobody shall wait for us as well. */
static void print(struct vcon *v, const struct chain *c)
{
	pthread_mutex_unlock(&v->dev.lock);
	for (unsigned int i = 0; i < c->out; i++)
		console_write(v->con, c->iov[i].iov_base, c->iov[i].iov_len);
	pthread_mutex_lock(&v->dev.lock);
}

/* Chains printed until the queue was empty, or -EPROTO. */
static int drain(struct vcon *v)
{
	struct queue *q = &v->dev.queue[TX];
	int n = 0, got;

	do {
		v->print_more = false;
		while (virtio_running(&v->dev) && !vm_ended(v->dev.vm)) {
			got = queue_pop(q, &v->tx);
			if (got < 0)
				return got;
			if (!got)
				break;
			print(v, &v->tx);
			queue_push(q, v->tx.head, 0);
			n++;
		}
	} while (virtio_running(&v->dev) && !vm_ended(v->dev.vm) &&
		 (queue_enable_kick(q) || v->print_more));
	return n;
}

static void notify_tx(struct vcon *v)
{
	int n;

	if (v->printing) {
		v->print_more = true;
		return;
	}
	v->printing = true;
	n = drain(v);
	v->printing = false;
	pthread_cond_broadcast(&v->dev.idle);
	if (n < 0)
		virtio_broken(&v->dev, "malformed output chain");
	else if (n > 0)
		arm_timer(v);
}

/* --- input --- */

static uint32_t fill(struct vcon *v, const struct chain *c)
{
	uint32_t done = 0;

	for (unsigned int i = c->out; i < (unsigned int)c->out + c->in; i++)
		done += (uint32_t)console_read(v->con, c->iov[i].iov_base,
					       c->iov[i].iov_len);
	return done;
}

/* Every chain takes a byte at least, so this ends when the input does. */
static void feed(struct vcon *v)
{
	struct queue *q = &v->dev.queue[RX];
	const char *wrong = NULL;

	while (!wrong && console_has_input(v->con)) {
		int got = queue_pop(q, &v->rx);
		uint32_t len = 0;

		if (got < 0)
			wrong = "malformed input chain";
		else if (!got && !queue_enable_kick(q))
			break;
		if (got <= 0)
			continue;
		len = fill(v, &v->rx);
		queue_push(q, v->rx.head, len);
		if (!len)
			wrong = "input buffer without room";
	}
	virtio_used(&v->dev, RX);
	if (wrong)
		virtio_broken(&v->dev, wrong);
}

static void on_input(struct console_client *client)
{
	struct vcon *v =
		(struct vcon *)((char *)client - offsetof(struct vcon, client));

	pthread_mutex_lock(&v->dev.lock);
	if (virtio_running(&v->dev))
		feed(v);
	pthread_mutex_unlock(&v->dev.lock);
}

/* --- window size --- */

static void on_resized(struct console_client *client)
{
	struct vcon *v =
		(struct vcon *)((char *)client - offsetof(struct vcon, client));
	uint16_t cols, rows;

	if (!console_size(v->con, &cols, &rows))
		return;
	pthread_mutex_lock(&v->dev.lock);
	if (cols != v->config.cols || rows != v->config.rows) {
		v->config.cols = cols;
		v->config.rows = rows;
		virtio_config_changed(&v->dev);
	}
	pthread_mutex_unlock(&v->dev.lock);
}

/* --- the device --- */

static void notify(struct virtio_dev *dev, unsigned int q)
{
	struct vcon *v = (struct vcon *)dev;

	if (q == TX)
		notify_tx(v);
	else
		feed(v);
}

/* What was typed before the driver was there. */
static void start(struct virtio_dev *dev)
{
	console_input_ready(((struct vcon *)dev)->con);
}

/* A vCPU may be printing; it leaves as soon as its piece is written. */
static void stop(struct virtio_dev *dev)
{
	struct vcon *v = (struct vcon *)dev;

	while (v->printing)
		pthread_cond_wait(&dev->idle, &dev->lock);
}

static void vcon_free(struct virtio_dev *dev)
{
	struct vcon *v = (struct vcon *)dev;

	console_detach(v->con, &v->client);
	event_del(dev->vm->loop, &v->timer);
	close(v->timer.fd);
	virtio_exit(dev);
	free(v);
}

static const struct virtio_ops ops = {
	.name = "console",
	.id = VIRTIO_ID_CONSOLE,
	.inline_queues = 1 << TX,
	.start = start,
	.stop = stop,
	.notify = notify,
	.free = vcon_free,
};

struct virtio_dev *virtio_console_new(struct vm *vm, struct console *con,
				      bool input)
{
	struct vcon *v = calloc(1, sizeof(*v));
	uint16_t cols = 0, rows = 0;
	uint64_t features;
	int err;

	if (!v)
		return NULL;
	features = console_size(con, &cols, &rows)
			   ? 1ull << VIRTIO_CONSOLE_F_SIZE
			   : 0;
	virtio_init(&v->dev, &ops, vm, QUEUES, QUEUE_SIZE, features, &v->config,
		    sizeof(v->config));
	v->con = con;
	v->config =
		(struct virtio_console_config){ .cols = cols, .rows = rows };
	v->client = (struct console_client){ on_input, on_resized };
	v->timer.fn = on_timer;
	v->timer.fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	err = v->timer.fd < 0
		      ? -errno
		      : event_add(vm->loop, &v->timer, EPOLLIN | EPOLLET);
	if (!err) {
		if (input)
			console_attach(con, &v->client);
		return &v->dev;
	}
	if (v->timer.fd >= 0)
		close(v->timer.fd);
	virtio_exit(&v->dev);
	free(v);
	errno = -err;
	return NULL;
}
