/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of one machine, between the two files that put it together.
 * Main thread, which is the I/O thread while vCPUs run.
 */
#ifndef MACHINE_PARTS_H
#define MACHINE_PARTS_H

#include "vmm/backend/msr.h"
#include "vmm/boot/boot.h"
#include "vmm/core/machine.h"
#include "vmm/core/vm.h"
#include "vmm/run_config.h"

#define MACHINE_VIRTIO (2 + RUN_DISKS + RUN_NETS)

struct machine {
	const struct run_config *cfg;
	struct machine_desc desc;
	struct vm vm;

	struct ioapic *ioapic;
	struct console *con; /* NULL with --console off */
	struct serial *serial;
	struct disk *disk[RUN_DISKS];
	struct virtio_mmio *virtio[MACHINE_VIRTIO];
	unsigned int nr_virtio;
	struct selftest *test; /* with --hypercalls test */
	struct msr_rules msrs;
	struct yield *yield; /* NULL with --yield off */
	struct hypercalls *calls;
	struct clock *clock; /* NULL with --clock off */
	struct pause *pause;
	struct control *control;
	struct watchdog *watchdog;
	struct signals *signals;
	char *cmdline;
};

/* Fills m->desc from m->cfg alone: nothing is opened or created. */
void machine_describe(struct machine *m, enum boot_tables tables);

/*
 * The line, vmm/machine_line.c: its share of m->desc, with its interrupt at
 * *gsi, which it moves; what KVM must be told before the vCPUs are made; and
 * the line itself.  As below.
 */
void machine_line_describe(struct machine *m, uint32_t *gsi);
int machine_line_prepare(struct machine *m);
int machine_line_init(struct machine *m);
void machine_line_exit(struct machine *m);

/* The clock page, vmm/machine_clock.c; as above. */
void machine_clock_describe(struct machine *m, enum boot_tables tables,
			    uint32_t *gsi);
int machine_clock_prepare(struct machine *m);
int machine_clock_init(struct machine *m);

/*
 * Makes the devices that m->desc names.  0, or an enum exit_code after an
 * error(); machine_devices_exit() cleans up in either case.
 */
int machine_devices_init(struct machine *m);
void machine_devices_exit(struct machine *m);

#endif
