// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which devices a machine has and where: a virtio device is one row of
 * kinds[].  Main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "include/hotline/platform.h"
#include "virtio/blk.h"
#include "virtio/console.h"
#include "virtio/disk.h"
#include "virtio/mmio.h"
#include "virtio/net.h"
#include "virtio/rng.h"
#include "virtio/virtio.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"
#include "vmm/dev/ioapic.h"
#include "vmm/dev/power.h"
#include "vmm/dev/pvpanic.h"
#include "vmm/dev/serial.h"
#include "vmm/machine.h"

#define LAPIC_BASE  0xfee00000
#define IOAPIC_BASE 0xfec00000
#define SERIAL_PORT 0x3f8
#define SERIAL_GSI  4 /* where PC kernels expect COM1 */

static unsigned int has_console(const struct run_config *cfg)
{
	return cfg->console & RUN_CONSOLE_VIRTIO ? 1 : 0;
}

static unsigned int has_rng(const struct run_config *cfg)
{
	return cfg->rng ? 1 : 0;
}

static unsigned int count_disks(const struct run_config *cfg)
{
	return cfg->nr_disks;
}

static unsigned int count_nets(const struct run_config *cfg)
{
	return cfg->nr_nets;
}

static int no_device(const char *what)
{
	error("%s: %s", what, strerror(errno));
	return EXIT_OSERR;
}

static int make_console(struct machine *m, unsigned int i,
			struct virtio_dev **dev)
{
	(void)i;
	*dev = virtio_console_new(&m->vm, m->con, true);
	return *dev ? 0 : no_device("console");
}

static int make_rng(struct machine *m, unsigned int i, struct virtio_dev **dev)
{
	(void)i;
	*dev = virtio_rng_new(&m->vm);
	return *dev ? 0 : no_device("rng");
}

static int make_disk(struct machine *m, unsigned int i, struct virtio_dev **dev)
{
	static const enum disk_io io[] = {
		[RUN_AIO_AUTO] = DISK_IO_AUTO,
		[RUN_AIO_URING] = DISK_IO_URING,
		[RUN_AIO_LIBAIO] = DISK_IO_LIBAIO,
	};
	const struct run_disk *d = &m->cfg->disk[i];
	const struct disk_options opt = {
		.path = d->path,
		.readonly = d->ro,
		.overlay = d->overlay,
		.raw = d->raw,
		.direct = d->direct,
		.io = io[d->aio],
		.queues = d->queues,
	};
	char serial[RUN_SERIAL_LEN + 1];
	int err = disk_open(&m->disk[i], &opt);

	if (err)
		return err;
	snprintf(serial, sizeof(serial), "hotline-%u", i);
	*dev = virtio_blk_new(&m->vm, m->disk[i],
			      *d->serial ? d->serial : serial);
	return *dev ? 0 : no_device("disk");
}

static int make_net(struct machine *m, unsigned int i, struct virtio_dev **dev)
{
	static const enum net_vhost vhost[] = {
		[RUN_AUTO] = NET_VHOST_AUTO,
		[RUN_ON] = NET_VHOST_ON,
		[RUN_OFF] = NET_VHOST_OFF,
	};
	const struct run_net *n = &m->cfg->net[i];
	struct net_fwd fwd[RUN_FWDS];
	const struct net_options opt = {
		.kind = n->kind == RUN_NET_TAP ? NET_TAP : NET_USER,
		.tap = n->tap,
		.fd = -1,
		.vhost = vhost[n->vhost],
		.mtu = n->mtu,
		.fwd = fwd,
		.nr_fwd = n->nr_fwd,
	};
	struct net_backend *be;
	uint8_t mac[6];
	int err;

	for (unsigned int f = 0; f < n->nr_fwd; f++)
		fwd[f] = (struct net_fwd){
			.udp = n->fwd[f].udp,
			.host_addr = n->fwd[f].host_addr,
			.host_port = n->fwd[f].host_port,
			.guest_port = n->fwd[f].guest_port,
		};
	err = net_backend_open(&be, &opt);
	if (err)
		return err;
	if (n->has_mac)
		memcpy(mac, n->mac, sizeof(mac));
	else
		net_make_mac(mac, m->cfg->name, i);
	*dev = virtio_net_new(&m->vm, be, mac);
	return *dev ? 0 : no_device("net");
}

/* In the order in which the guest finds them. */
static const struct {
	unsigned int (*count)(const struct run_config *cfg);
	/* The i-th of its kind: 0, or an enum exit_code after an error(). */
	int (*make)(struct machine *m, unsigned int i, struct virtio_dev **dev);
} kinds[] = {
	{ has_console, make_console },
	{ count_disks, make_disk },
	{ count_nets, make_net },
	{ has_rng, make_rng },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void describe_dev(struct machine *m, enum machine_dev_kind kind,
			 uint64_t base, uint64_t size, uint32_t irq)
{
	m->desc.dev[m->desc.nr_dev++] = (struct machine_dev){
		.kind = kind,
		.base = base,
		.size = size,
		.irq = irq,
	};
}

static void describe_virtio(struct machine *m, unsigned int i, uint32_t gsi)
{
	describe_dev(m, DEV_VIRTIO_MMIO,
		     HL_VIRTIO_MMIO + i * HL_VIRTIO_MMIO_STEP,
		     HL_VIRTIO_MMIO_SIZE, gsi);
	m->desc.dev[m->desc.nr_dev - 1].doorbell =
		(uint16_t)(HL_DOORBELL_PORT + i * HL_DOORBELL_STEP);
}

void machine_describe(struct machine *m, enum boot_tables tables)
{
	/*
	 * Each IOAPIC pin costs a device-tree kernel a handful of exits, so it
	 * gets no more than it needs; ACPI kernels get their lines above COM1.
	 */
	uint32_t gsi = tables == BOOT_DT ? 0 : SERIAL_GSI + 1;
	struct mem_region ram[MEM_REGIONS];
	struct machine_desc *d = &m->desc;
	unsigned int i = 0;

	d->cpus = m->cfg->cpus;
	d->nr_ram = mem_layout(m->cfg->mem.size, ram);
	for (unsigned int r = 0; r < d->nr_ram; r++)
		d->ram[r] = (struct machine_range){ ram[r].base, ram[r].size };
	d->lapic_base = LAPIC_BASE;
	d->ioapic_base = IOAPIC_BASE;
	d->ioapic_id = d->cpus;
	describe_dev(m, DEV_POWER, HL_POWER_MMIO, HL_POWER_MMIO_SIZE,
		     MACHINE_NO_IRQ);
	describe_dev(m, DEV_PVPANIC, HL_PVPANIC_MMIO, HL_PVPANIC_MMIO_SIZE,
		     MACHINE_NO_IRQ);
	if (m->cfg->console & RUN_CONSOLE_SERIAL) {
		describe_dev(m, DEV_SERIAL, SERIAL_PORT, SERIAL_PORTS,
			     SERIAL_GSI);
		gsi = SERIAL_GSI + 1;
	}
	for (size_t k = 0; k < KINDS; k++)
		for (unsigned int n = kinds[k].count(m->cfg); n; n--, i++)
			describe_virtio(m, i, gsi++);
	machine_line_describe(m, &gsi);
	machine_clock_describe(m, tables, &gsi);
	d->ioapic_pins = gsi ? gsi : 1;
}

static int add_virtio(struct machine *m, struct virtio_dev *dev,
		      const struct machine_dev *at)
{
	struct virtio_mmio *mmio;

	mmio = virtio_mmio_new(&m->vm, dev, at);
	if (!mmio) {
		error("virtio %s: %s", dev->ops->name, strerror(errno));
		dev->ops->free(dev);
		return EXIT_OSERR;
	}
	m->virtio[m->nr_virtio++] = mmio;
	return 0;
}

static int make_virtio(struct machine *m, const struct machine_dev *at)
{
	for (size_t k = 0; k < KINDS; k++) {
		unsigned int nr = kinds[k].count(m->cfg);

		for (unsigned int i = 0; i < nr; i++, at++) {
			struct virtio_dev *dev;
			int err = kinds[k].make(m, i, &dev);

			if (!err)
				err = add_virtio(m, dev, at);
			if (err)
				return err;
		}
	}
	return 0;
}

static int make_serial(struct machine *m, const struct machine_dev *at)
{
	m->serial = serial_new(&m->vm, (uint16_t)at->base, at->irq, m->con,
			       !(m->cfg->console & RUN_CONSOLE_VIRTIO));
	return m->serial ? 0 : no_device("serial");
}

static int fixed_error(const char *what, int err)
{
	if (!err)
		return 0;
	error("%s: %s", what, strerror(-err));
	return EXIT_INTERNAL;
}

int machine_devices_init(struct machine *m)
{
	const struct machine_dev *at = m->desc.dev;
	int err = 0;

	m->ioapic = ioapic_new(&m->vm, m->desc.ioapic_base,
			       (uint8_t)m->desc.ioapic_id);
	if (!m->ioapic)
		return no_device("IOAPIC");
	for (; !err && at < m->desc.dev + m->desc.nr_dev; at++) {
		switch (at->kind) {
		case DEV_POWER:
			err = fixed_error("power", power_init(&m->vm));
			break;
		case DEV_PVPANIC:
			err = fixed_error("pvpanic", pvpanic_init(&m->vm));
			break;
		case DEV_SERIAL:
			err = make_serial(m, at);
			break;
		case DEV_CLOCK:
			break; /* vmm/machine_clock.c */
		case DEV_VIRTIO_MMIO:
			return make_virtio(m, at); /* all; the last of ours */
		}
	}
	return err;
}

void machine_devices_exit(struct machine *m)
{
	while (m->nr_virtio)
		virtio_mmio_free(m->virtio[--m->nr_virtio]);
	for (unsigned int i = 0; i < m->cfg->nr_disks; i++)
		disk_close(m->disk[i]);
	serial_free(m->serial);
	ioapic_free(m->ioapic);
}
