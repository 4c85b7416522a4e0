// SPDX-License-Identifier: GPL-2.0-only
/*
 * pvpanic (QEMU docs/specs/pvpanic.rst): how a guest kernel tells us that it
 * panicked, so that this differs from a reboot.  vCPU threads, no state.
 */
#include "include/hotline/platform.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/vm.h"
#include "vmm/dev/pvpanic.h"

#define PANICKED     (1u << 0)
#define CRASH_LOADED (1u << 1) /* a crash kernel takes over */

static uint64_t pvpanic_read(void *dev, uint64_t off, unsigned int len)
{
	(void)dev, (void)off, (void)len;
	return PANICKED | CRASH_LOADED;
}

static void pvpanic_write(void *dev, uint64_t off, unsigned int len,
			  uint64_t val)
{
	(void)len;
	if (off == 0 && val & PANICKED)
		vm_end(dev, EXIT_PANIC);
}

static const struct bus_ops ops = { .read = pvpanic_read,
				    .write = pvpanic_write };

int pvpanic_init(struct vm *vm)
{
	return bus_add(&vm->mmio, HL_PVPANIC_MMIO, HL_PVPANIC_MMIO_SIZE, &ops,
		       vm, "pvpanic");
}
