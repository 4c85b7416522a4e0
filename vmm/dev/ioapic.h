/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEV_IOAPIC_H
#define DEV_IOAPIC_H

#include <stdint.h>

struct vm;
struct ioapic;

/* An IOAPIC with as many pins as vm->irq has lines, on vm->mmio.  NULL with
 * errno set. */
struct ioapic *ioapic_new(struct vm *vm, uint64_t base, uint8_t id);
void ioapic_free(struct ioapic *ioapic);

#endif
