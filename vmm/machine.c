// SPDX-License-Identifier: GPL-2.0-only
/*
 * The composition root: builds the machine from top to bottom, runs it and
 * takes it down.  Main thread, which is the I/O thread while vCPUs run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/hotline/platform.h"
#include "virtio/blk.h"
#include "virtio/console.h"
#include "virtio/disk.h"
#include "virtio/mmio.h"
#include "virtio/net.h"
#include "virtio/rng.h"
#include "virtio/virtio.h"
#include "vmm/backend/console.h"
#include "vmm/backend/control.h"
#include "vmm/backend/signals.h"
#include "vmm/backend/watchdog.h"
#include "vmm/boot/boot.h"
#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"
#include "vmm/core/machine.h"
#include "vmm/core/stats.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"
#include "vmm/dev/ioapic.h"
#include "vmm/dev/power.h"
#include "vmm/dev/pvpanic.h"
#include "vmm/dev/serial.h"
#include "vmm/run_config.h"

#define LAPIC_BASE	0xfee00000
#define IOAPIC_BASE	0xfec00000
#define SERIAL_PORT	0x3f8
#define SERIAL_GSI	4	/* where PC kernels expect COM1 */

#define VIRTIO_DEVS	(2 + RUN_DISKS + RUN_NETS)

struct machine {
	const struct run_config *cfg;
	struct vm vm;
	struct machine_desc desc;
	char *cmdline;
	enum boot_tables tables;
	uint32_t next_gsi;

	struct ioapic *ioapic;
	struct console *con;
	struct serial *serial;
	struct disk *disk[RUN_DISKS];
	struct virtio_mmio *virtio[VIRTIO_DEVS];
	unsigned int nr_virtio;
	struct control *control;
	struct watchdog *watchdog;
	struct signals *signals;
};
