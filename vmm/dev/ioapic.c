// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOAPIC (Intel 82093AA data sheet, section 3), in this process so that a
 * machine has only as many pins as it has devices: a guest kernel touches each
 * pin several times at boot, and each touch is an exit.
 *
 * It keeps the redirection table and turns an entry into the MSI that the
 * pin's irqfd sends (core/irq.c).  vCPU threads; `lock` guards all.
 */
#include "vmm/dev/ioapic.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "vmm/core/log.h"
#include "vmm/core/vm.h"

#define REG_SELECT	0x00
#define REG_WINDOW	0x10

#define IDX_ID		0x00
#define IDX_VERSION	0x01
#define IDX_ARBITRATION 0x02
#define IDX_TABLE	0x10

#define VERSION		0x11

/* Redirection entry, low word */
#define RTE_VECTOR    0x000000ff
#define RTE_DELIVERY  0x00000700
#define RTE_LOGICAL   (1u << 11)
#define RTE_READ_ONLY ((1u << 12) | (1u << 14)) /* pending, remote IRR */
#define RTE_LEVEL     (1u << 15)
#define RTE_MASKED    (1u << 16)
#define RTE_LOW_BITS  0x0001ffff

/* MSI (Intel SDM vol. 3A, 11.11) */
#define MSI_BASE     0xfee00000u
#define MSI_LOGICAL  (1u << 2)
#define MSI_REDIRECT (1u << 3)
#define MSI_ASSERT   (1u << 14)

struct ioapic {
	struct vm *vm;
	pthread_mutex_t lock;
	uint32_t select;
	uint8_t id;
	uint32_t low[IRQ_LINES], high[IRQ_LINES];
};

static void update(struct ioapic *ioapic, unsigned int pin)
{
	static struct log_limit limit;
	uint32_t low = ioapic->low[pin];
	uint64_t addr = MSI_BASE | ioapic->high[pin] >> 24 << 12;
	uint32_t data = (low & (RTE_VECTOR | RTE_DELIVERY)) | MSI_ASSERT;
	int err;

	if (low & RTE_LOGICAL)
		addr |= MSI_LOGICAL | MSI_REDIRECT;
	if (low & RTE_LEVEL)
		data |= RTE_LEVEL;
	err = irq_route(&ioapic->vm->irq, pin, !(low & RTE_MASKED), addr, data);
	if (err)
		warn_limited(&limit, "IOAPIC pin %u: KVM refuses the route: %d",
			     pin, err);
}

static uint32_t window_read(struct ioapic *ioapic)
{
	uint32_t idx = ioapic->select;
	uint32_t pin = (idx - IDX_TABLE) / 2;

	switch (idx) {
	case IDX_ID:
	case IDX_ARBITRATION:
		return (uint32_t)ioapic->id << 24;
	case IDX_VERSION:
		return VERSION | (ioapic->vm->irq.nr - 1) << 16;
	}
	if (idx < IDX_TABLE || pin >= ioapic->vm->irq.nr)
		return 0;
	return idx & 1 ? ioapic->high[pin] : ioapic->low[pin];
}

static void window_write(struct ioapic *ioapic, uint32_t val)
{
	uint32_t idx = ioapic->select;
	uint32_t pin = (idx - IDX_TABLE) / 2;

	if (idx == IDX_ID) {
		ioapic->id = val >> 24 & 0xf;
		return;
	}
	if (idx < IDX_TABLE || pin >= ioapic->vm->irq.nr)
		return;
	if (idx & 1)
		ioapic->high[pin] = val & 0xff000000;
	else
		ioapic->low[pin] = val & RTE_LOW_BITS & ~RTE_READ_ONLY;
	update(ioapic, pin);
}

static uint64_t ioapic_read(void *dev, uint64_t off, unsigned int len)
{
	struct ioapic *ioapic = dev;
	uint64_t val = 0;

	if (len > 4)
		return 0;
	pthread_mutex_lock(&ioapic->lock);
	if (off == REG_SELECT)
		val = ioapic->select;
	else if (off == REG_WINDOW)
		val = window_read(ioapic);
	pthread_mutex_unlock(&ioapic->lock);
	return val;
}

static void ioapic_write(void *dev, uint64_t off, unsigned int len,
			 uint64_t val)
{
	struct ioapic *ioapic = dev;

	if (len > 4)
		return;
	pthread_mutex_lock(&ioapic->lock);
	if (off == REG_SELECT)
		ioapic->select = val & 0xff;
	else if (off == REG_WINDOW)
		window_write(ioapic, (uint32_t)val);
	pthread_mutex_unlock(&ioapic->lock);
}

static const struct bus_ops ops = {
	.read = ioapic_read,
	.write = ioapic_write,
};

struct ioapic *ioapic_new(struct vm *vm, uint64_t base, uint8_t id)
{
	struct ioapic *ioapic = calloc(1, sizeof(*ioapic));
	int err;

	if (!ioapic)
		return NULL;
	ioapic->vm = vm;
	ioapic->id = id;
	for (int i = 0; i < IRQ_LINES; i++)
		ioapic->low[i] = RTE_MASKED;
	err = bus_add(&vm->mmio, base, 0x1000, &ops, ioapic, "ioapic");
	if (err) {
		free(ioapic);
		errno = -err;
		return NULL;
	}
	pthread_mutex_init(&ioapic->lock, NULL);
	return ioapic;
}

void ioapic_free(struct ioapic *ioapic)
{
	if (!ioapic)
		return;
	pthread_mutex_destroy(&ioapic->lock);
	free(ioapic);
}
