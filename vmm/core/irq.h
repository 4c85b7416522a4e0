/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt lines into KVM's split irqchip: local APICs in the kernel, the
 * IOAPIC (vmm/dev/ioapic.c) in this process.  A line is an irqfd bound to a
 * GSI; the IOAPIC turns what the guest programs into that GSI's MSI route.
 */
#ifndef CORE_IRQ_H
#define CORE_IRQ_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct vm;

/*
 * GSI = IOAPIC pin, below this: 64 rings, and the devices.  A machine has as
 * many pins as it needs.
 */
#define IRQ_LINES 96

struct irq_route {
	uint64_t addr;
	uint32_t data;
	bool live; /* unmasked */
};

struct irq_chip {
	struct vm *vm;
	pthread_mutex_t lock; /* route[], and KVM_SET_GSI_ROUTING order */
	struct irq_route route[IRQ_LINES];
	int fd[IRQ_LINES]; /* irqfd, or -1 */
	unsigned int nr;   /* pins */
};

/* Creates the split irqchip; before any vCPU.  0 or -errno. */
int irq_init(struct irq_chip *irq, struct vm *vm, unsigned int pins);
void irq_exit(struct irq_chip *irq);

/*
 * Makes line `gsi` usable: an eventfd whose every write is one edge.  Returns
 * the descriptor (owned by irq) or -errno.
 */
int irq_open(struct irq_chip *irq, unsigned int gsi);

/*
 * One edge on a line opened before.  Any thread.  Lost while the pin is
 * masked, as on the 82093AA.
 */
void irq_raise(struct irq_chip *irq, unsigned int gsi);

/* Called by the IOAPIC: where the pin's interrupts go.  0 or -errno. */
int irq_route(struct irq_chip *irq, unsigned int gsi, bool live,
	      uint64_t msi_addr, uint32_t msi_data);

#endif
