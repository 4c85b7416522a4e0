// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-mmio: what the kernel takes over (register reads, kicks, most
 * acknowledgements), and how a device raises interrupts.  Set up on the main
 * thread; kicks come on the I/O thread.
 *
 * Interrupt status.  A driver reads it and writes it back to acknowledge, so
 * each interrupt would cost one exit to us.  Instead, the used-buffer bit stays
 * set from the first such interrupt until reset, and the acknowledgement of
 * that bit alone ends at an eventfd that nobody reads.  What a driver sees is
 * "there may be used buffers" with every interrupt, for which it must be ready
 * anyhow: an interrupt can always find that an earlier one has served its
 * buffers, and with other drivers on the line, none of its device at all.
 * Nothing gets lost, as our interrupts are edges and the bit says no more than
 * the edge does.  Linux' driver, like others we know of, reads the register
 * once per interrupt; one that looped until it reads 0 would hang.  The
 * configuration bit is kept exactly: it comes to us with its acknowledgement.
 */
#include "virtio/mmio.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "include/hotline/platform.h"
#include "virtio/mmio_regs.h"
#include "vmm/core/log.h"
#include "vmm/core/machine.h"
#include "vmm/core/vm.h"

#define MAGIC  0x74726976 /* "virt" */
#define VENDOR 0x4e494c48 /* "HLIN" */

static struct virtio_mmio *to_mmio(struct virtio_transport *t)
{
	return (struct virtio_mmio *)t;
}

static void raise_irq(struct virtio_mmio *m, uint32_t why)
{
	mmio_set_reg(m, VIRTIO_MMIO_INTERRUPT_STATUS,
		     mmio_get_reg(m, VIRTIO_MMIO_INTERRUPT_STATUS) | why);
	irq_raise(&m->dev->vm->irq, m->gsi);
}

/* --- what devices call, see struct virtio_transport --- */

static void transport_used(struct virtio_transport *t, unsigned int q)
{
	struct virtio_mmio *m = to_mmio(t);

	atomic_fetch_add_explicit(&m->dev->queue[q].irqs, 1,
				  memory_order_relaxed);
	raise_irq(m, VIRTIO_MMIO_INT_VRING);
}

static void transport_again(struct virtio_transport *t, unsigned int q)
{
	eventfd_write(to_mmio(t)->notify[q].src.fd, 1);
}

/*
 * A new generation before and after: a reader that overlaps the change from
 * either side sees the number move and reads again.  One that fits in between
 * gets the interrupt and reads again then.
 */
static void transport_config_changed(struct virtio_transport *t)
{
	struct virtio_mmio *m = to_mmio(t);
	uint32_t gen = mmio_get_reg(m, VIRTIO_MMIO_CONFIG_GENERATION);

	mmio_set_reg(m, VIRTIO_MMIO_CONFIG_GENERATION, gen + 1);
	mmio_show_config(m);
	mmio_set_reg(m, VIRTIO_MMIO_CONFIG_GENERATION, gen + 2);
	if (mmio_get_reg(m, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_DRIVER_OK)
		raise_irq(m, VIRTIO_MMIO_INT_CONFIG);
}

/* virtio 1.2, 2.1.2: a driver at work is told by a configuration interrupt. */
static void transport_broken(struct virtio_transport *t)
{
	struct virtio_mmio *m = to_mmio(t);
	uint32_t status = mmio_get_reg(m, VIRTIO_MMIO_STATUS);

	mmio_set_reg(m, VIRTIO_MMIO_STATUS,
		     status | VIRTIO_CONFIG_S_NEEDS_RESET);
	if (status & VIRTIO_CONFIG_S_DRIVER_OK)
		raise_irq(m, VIRTIO_MMIO_INT_CONFIG);
}

/* The interrupts come without a word to us, so the bit is set beforehand. */
static int transport_hand_over(struct virtio_transport *t, unsigned int q,
			       int *kick, int *irq)
{
	struct virtio_mmio *m = to_mmio(t);
	struct vm *vm = m->dev->vm;

	if (m->notify[q].src.fd < 0)
		return -EOPNOTSUPP;
	mmio_set_reg(m, VIRTIO_MMIO_INTERRUPT_STATUS,
		     mmio_get_reg(m, VIRTIO_MMIO_INTERRUPT_STATUS) |
			     VIRTIO_MMIO_INT_VRING);
	*kick = m->notify[q].src.fd;
	*irq = vm->irq.fd[m->gsi];
	return event_mod(vm->loop, &m->notify[q].src, 0);
}

static void transport_take_back(struct virtio_transport *t, unsigned int q)
{
	struct virtio_mmio *m = to_mmio(t);

	event_mod(m->dev->vm->loop, &m->notify[q].src, EPOLLIN | EPOLLET);
}

static void on_notify(struct event_source *src, uint32_t events)
{
	struct notifier *n = (struct notifier *)src; /* its first member */
	struct virtio_mmio *m = n->mmio;

	(void)events;
	pthread_mutex_lock(&m->dev->lock);
	mmio_kicked(m, (unsigned int)(n - m->notify));
	pthread_mutex_unlock(&m->dev->lock);
}

static void fill_page(struct virtio_mmio *m)
{
	mmio_set_reg(m, VIRTIO_MMIO_MAGIC_VALUE, MAGIC);
	mmio_set_reg(m, VIRTIO_MMIO_VERSION, 2);
	mmio_set_reg(m, VIRTIO_MMIO_DEVICE_ID, m->dev->ops->id);
	mmio_set_reg(m, VIRTIO_MMIO_VENDOR_ID, VENDOR);
	/* No shared memory region of any id: virtio 1.2, 4.2.2.1. */
	mmio_set_reg(m, VIRTIO_MMIO_SHM_LEN_LOW, UINT32_MAX);
	mmio_set_reg(m, VIRTIO_MMIO_SHM_LEN_HIGH, UINT32_MAX);
	mmio_set_reg(m, VIRTIO_MMIO_SHM_BASE_LOW, UINT32_MAX);
	mmio_set_reg(m, VIRTIO_MMIO_SHM_BASE_HIGH, UINT32_MAX);
	mmio_show_config(m);
	mmio_reset(m);
}

static int add_notifiers(struct virtio_mmio *m)
{
	struct virtio_dev *dev = m->dev;

	for (unsigned int q = 0; q < dev->nr_queues; q++) {
		struct notifier *n = &m->notify[q];
		int err;

		if (dev->ops->inline_queues >> q & 1)
			continue;
		n->mmio = m;
		n->src.fn = on_notify;
		n->src.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (n->src.fd < 0)
			return -errno;
		err = event_add(dev->vm->loop, &n->src, EPOLLIN | EPOLLET);
		if (err)
			return err;
	}
	return 0;
}

static void report(struct virtio_mmio *m, const char *what, int err)
{
	if (err)
		debug("virtio-%s: KVM does not take over the %s: %s",
		      m->dev->ops->name, what, strerror(-err));
}

/* All of this may fail: the access then comes to mmio_regs_ops. */
static void offload(struct virtio_mmio *m)
{
	struct vm *vm = m->dev->vm;

	report(m, "reads", vm_add_rom(vm, m->base, m->page, MMIO_PAGE));
	report(m, "acknowledgements",
	       vm_ioeventfd(vm, false, m->base + VIRTIO_MMIO_INTERRUPT_ACK, 4,
			    VIRTIO_MMIO_INT_VRING, m->ack_fd));
	for (unsigned int q = 0; q < m->dev->nr_queues; q++) {
		int fd = m->notify[q].src.fd;

		if (fd < 0)
			continue;
		report(m, "kicks",
		       vm_ioeventfd(vm, false,
				    m->base + VIRTIO_MMIO_QUEUE_NOTIFY, 4, q,
				    fd));
		if (m->doorbell)
			report(m, "doorbell",
			       vm_ioeventfd(vm, true, m->doorbell, 4, q, fd));
	}
}

static void release(struct virtio_mmio *m)
{
	for (unsigned int q = 0; q < VIRTIO_MAX_QUEUES; q++) {
		if (m->notify[q].src.fd < 0)
			continue;
		event_del(m->dev->vm->loop, &m->notify[q].src);
		close(m->notify[q].src.fd);
	}
	if (m->ack_fd >= 0)
		close(m->ack_fd);
	if (m->page != MAP_FAILED)
		munmap(m->page, MMIO_PAGE);
	free(m);
}

static int init_steps(struct virtio_mmio *m)
{
	struct vm *vm = m->dev->vm;
	int err;

	m->page = mmap(NULL, MMIO_PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->page == MAP_FAILED)
		return -errno;
	fill_page(m);
	m->ack_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->ack_fd < 0)
		return -errno;
	err = add_notifiers(m);
	if (err)
		return err;
	err = irq_open(&vm->irq, m->gsi);
	if (err < 0)
		return err;
	err = bus_add(&vm->mmio, m->base, MMIO_PAGE, &mmio_regs_ops, m,
		      m->dev->ops->name);
	if (err || !m->doorbell)
		return err;
	return bus_add(&vm->pio, m->doorbell, HL_DOORBELL_STEP,
		       &mmio_doorbell_ops, m, m->dev->ops->name);
}

struct virtio_mmio *virtio_mmio_new(struct vm *vm, struct virtio_dev *dev,
				    const struct machine_dev *at)
{
	struct virtio_mmio *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return NULL;
	m->transport = (struct virtio_transport){
		.used = transport_used,
		.again = transport_again,
		.config_changed = transport_config_changed,
		.broken = transport_broken,
		.hand_over = transport_hand_over,
		.take_back = transport_take_back,
	};
	m->dev = dev;
	m->base = at->base;
	m->gsi = at->irq;
	m->doorbell = at->doorbell;
	m->page = MAP_FAILED;
	m->ack_fd = -1;
	for (unsigned int q = 0; q < VIRTIO_MAX_QUEUES; q++)
		m->notify[q].src.fd = -1;
	dev->vm = vm;
	dev->transport = &m->transport;
	err = init_steps(m);
	if (!err) {
		offload(m);
		return m;
	}
	release(m);
	dev->transport = NULL;
	errno = -err;
	return NULL;
}

void virtio_mmio_free(struct virtio_mmio *mmio)
{
	struct virtio_dev *dev = mmio->dev;

	pthread_mutex_lock(&dev->lock);
	mmio_stop(mmio);
	pthread_mutex_unlock(&dev->lock);
	release(mmio);
	dev->ops->free(dev);
}
