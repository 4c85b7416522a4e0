// SPDX-License-Identifier: GPL-2.0-only
/* The clock page's part of the machine.  Main thread. */
#include <errno.h>
#include <string.h>

#include "include/hotline/clock.h"
#include "include/hotline/platform.h"
#include "vmm/backend/clock.h"
#include "vmm/core/cpuid.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/irq.h"
#include "vmm/core/log.h"
#include "vmm/machine.h"

#define PERIOD_MS 10 /* unless the user wants another */

/*
 * Kernels with ACPI would not look for it in _CRS, but pay for the IOAPIC's pin
 * at boot.  With all else that a machine may have, none may be left, too.
 */
static uint32_t take_irq(enum boot_tables tables, uint32_t *gsi)
{
	return tables == BOOT_DT && *gsi < IRQ_LINES ? (*gsi)++
						     : MACHINE_NO_IRQ;
}

void machine_clock_describe(struct machine *m, enum boot_tables tables,
			    uint32_t *gsi)
{
	struct machine_desc *d = &m->desc;

	if (m->cfg->clock.off)
		return;
	d->dev[d->nr_dev++] = (struct machine_dev){
		.kind = DEV_CLOCK,
		.base = HL_CLOCK_MMIO,
		.size = HL_CLOCK_MMIO_SIZE,
		.irq = take_irq(tables, gsi),
	};
	if (d->line.transports)
		d->line.features |= HL_FEATURE_CLOCK;
}

static const struct machine_dev *find(const struct machine *m)
{
	for (unsigned int i = 0; i < m->desc.nr_dev; i++)
		if (m->desc.dev[i].kind == DEV_CLOCK)
			return &m->desc.dev[i];
	return NULL;
}

int machine_clock_prepare(struct machine *m)
{
	const struct machine_dev *dev = find(m);
	uint32_t reg[4] = { 0 };
	int err;

	if (!dev || !m->desc.line.transports)
		return 0;
	reg[0] = (uint32_t)dev->base;
	reg[1] = (uint32_t)(dev->base >> 32);
	reg[2] = dev->irq;
	err = cpuid_add(&m->vm.cpuid, HL_CPUID_CLOCK, reg);
	if (!err)
		return 0;
	error("--clock: CPUID leaf 0x%x: %s", HL_CPUID_CLOCK, strerror(-err));
	return EXIT_OSERR;
}

int machine_clock_init(struct machine *m)
{
	const struct machine_dev *dev = find(m);
	struct clock_options opt = {
		.period_ms = m->cfg->clock.period_ms ? m->cfg->clock.period_ms
						     : PERIOD_MS,
	};

	if (!dev)
		return 0;
	opt.addr = dev->base;
	opt.irq = dev->irq;
	m->clock = clock_new(&m->vm, &opt);
	if (m->clock)
		return 0;
	error("--clock: %s", strerror(errno));
	return EXIT_OSERR;
}
