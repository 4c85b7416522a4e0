// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt lines.  irqfds deliver in the kernel; only a change of routing,
 * which comes on a vCPU thread from the IOAPIC, goes through here.
 */
#include "vmm/core/irq.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/core/vm.h"

int irq_init(struct irq_chip *irq, struct vm *vm, unsigned int pins)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_SPLIT_IRQCHIP,
		.args[0] = pins, /* GSIs whose EOI the IOAPIC may want */
	};

	irq->vm = vm;
	irq->nr = pins;
	pthread_mutex_init(&irq->lock, NULL);
	memset(irq->route, 0, sizeof(irq->route));
	for (unsigned int i = 0; i < IRQ_LINES; i++)
		irq->fd[i] = -1;
	if (pins > IRQ_LINES)
		return -EINVAL;
	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap) < 0 ? -errno : 0;
}

void irq_exit(struct irq_chip *irq)
{
	for (unsigned int i = 0; i < irq->nr; i++)
		if (irq->fd[i] >= 0)
			close(irq->fd[i]);
	pthread_mutex_destroy(&irq->lock);
}

int irq_open(struct irq_chip *irq, unsigned int gsi)
{
	struct kvm_irqfd req = { .gsi = gsi };
	int fd;

	if (gsi >= irq->nr)
		return -EINVAL;
	if (irq->fd[gsi] >= 0)
		return -EBUSY;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	req.fd = (uint32_t)fd;
	if (ioctl(irq->vm->fd, KVM_IRQFD, &req) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	irq->fd[gsi] = fd;
	return fd;
}

void irq_raise(struct irq_chip *irq, unsigned int gsi)
{
	uint64_t one = 1;

	/* KVM empties the counter, so this fails only if KVM is gone. */
	if (write(irq->fd[gsi], &one, sizeof(one)) < 0)
		return;
}

static int push_routes(struct irq_chip *irq)
{
	/* A header and as many entries as there can be. */
	uint64_t buf[(sizeof(struct kvm_irq_routing) +
		      IRQ_LINES * sizeof(struct kvm_irq_routing_entry)) /
		     8] = { 0 };
	struct kvm_irq_routing *table = (void *)buf;
	uint32_t n = 0;

	for (uint32_t gsi = 0; gsi < irq->nr; gsi++) {
		const struct irq_route *r = &irq->route[gsi];

		if (!r->live)
			continue;
		table->entries[n++] = (struct kvm_irq_routing_entry){
			.gsi = gsi,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi.address_lo = (uint32_t)r->addr,
			.u.msi.address_hi = (uint32_t)(r->addr >> 32),
			.u.msi.data = r->data,
		};
	}
	table->nr = n;
	return ioctl(irq->vm->fd, KVM_SET_GSI_ROUTING, table) < 0 ? -errno : 0;
}

int irq_route(struct irq_chip *irq, unsigned int gsi, bool live,
	      uint64_t msi_addr, uint32_t msi_data)
{
	struct irq_route *r, was;
	bool same;
	int err = 0;

	if (gsi >= irq->nr)
		return -EINVAL;
	pthread_mutex_lock(&irq->lock);
	r = &irq->route[gsi];
	was = *r;
	/* What a masked pin would do does not matter: each ioctl costs. */
	same = live ? was.live && was.addr == msi_addr && was.data == msi_data
		    : !was.live;
	*r = (struct irq_route){ msi_addr, msi_data, live };
	if (!same)
		err = push_routes(irq);
	pthread_mutex_unlock(&irq->lock);
	return err;
}
