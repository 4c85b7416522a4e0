// SPDX-License-Identifier: GPL-2.0-only
/* The port by which a guest asks for its command's input.  vCPU threads. */
#include "vmm/dev/input.h"

#include "include/hotline/platform.h"
#include "vmm/backend/console.h"
#include "vmm/core/vm.h"

static void input_write(void *dev, uint64_t off, unsigned int len, uint64_t val)
{
	if (off == 0 && len == 1 && val == 1)
		console_release(dev);
}

static const struct bus_ops ops = { .write = input_write };

int input_init(struct vm *vm, struct console *con)
{
	return bus_add(&vm->pio, HL_INPUT_PORT, 1, &ops, con, "input");
}
