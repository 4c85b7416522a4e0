// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power off, reset and the exit status of the guest's command.  No state of
 * its own: every write ends the machine or is ignored.  vCPU threads.
 */
#include "vmm/dev/power.h"

#include <stddef.h>

#include "include/hotline/platform.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/vm.h"

#define KBD_COMMAND	0x64 /* i8042: pulse the reset line */
#define KBD_PULSE_RESET 0xfe
#define PCI_RESET	0xcf9 /* reset control register: bit 2 resets */
#define PCI_RESET_CPU	0x04

static void exit_write(void *dev, uint64_t off, unsigned int len, uint64_t val)
{
	if (off == 0 && len == 1)
		vm_end(dev, VM_END_COMMAND | (int)val);
}

static void power_write(void *dev, uint64_t off, unsigned int len, uint64_t val)
{
	(void)len;
	if (off != 0)
		return;
	if (val == HL_POWER_OFF)
		vm_end(dev, EXIT_OK);
	else if (val == HL_POWER_RESET)
		vm_end(dev, EXIT_REBOOT);
}

static uint64_t power_read(void *dev, uint64_t off, unsigned int len)
{
	(void)dev, (void)off, (void)len;
	return 0;
}

static void kbd_write(void *dev, uint64_t off, unsigned int len, uint64_t val)
{
	(void)off, (void)len;
	if (val == KBD_PULSE_RESET)
		vm_end(dev, EXIT_REBOOT);
}

static void pci_reset_write(void *dev, uint64_t off, unsigned int len,
			    uint64_t val)
{
	(void)off, (void)len;
	if (val & PCI_RESET_CPU)
		vm_end(dev, EXIT_REBOOT);
}

static const struct bus_ops exit_ops = { .write = exit_write };
static const struct bus_ops power_ops = { .read = power_read,
					  .write = power_write };
/* Status 0: "input buffer empty", so that the kernel's wait ends at once. */
static const struct bus_ops kbd_ops = { .read = power_read,
					.write = kbd_write };
static const struct bus_ops pci_reset_ops = { .read = power_read,
					      .write = pci_reset_write };

int power_init(struct vm *vm)
{
	const struct {
		struct bus *bus;
		uint64_t base, size;
		const struct bus_ops *ops;
		const char *name;
	} rows[] = {
		{ &vm->pio, HL_EXIT_PORT, 1, &exit_ops, "exit" },
		{ &vm->pio, HL_POWER_PORT, 2, &power_ops, "power" },
		{ &vm->mmio, HL_POWER_MMIO, HL_POWER_MMIO_SIZE, &power_ops,
		  "power" },
		{ &vm->pio, KBD_COMMAND, 1, &kbd_ops, "kbd-reset" },
		{ &vm->pio, PCI_RESET, 1, &pci_reset_ops, "pci-reset" },
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(rows) / sizeof(rows[0]); i++)
		err = bus_add(rows[i].bus, rows[i].base, rows[i].size,
			      rows[i].ops, vm, rows[i].name);
	return err;
}
