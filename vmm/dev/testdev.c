// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test registers: what a call does, by one trap per operation
 * (include/hotline/test.h).  vCPU threads.
 */
#include "vmm/dev/testdev.h"

#include "include/hotline/test.h"
#include "vmm/backend/selftest.h"
#include "vmm/core/vm.h"

static uint64_t test_read(void *dev, uint64_t off, unsigned int len)
{
	(void)off, (void)len;
	return selftest_add(dev, 0);
}

static void test_write(void *dev, uint64_t off, unsigned int len, uint64_t val)
{
	(void)off, (void)len;
	selftest_add(dev, val);
}

static const struct bus_ops ops = { .read = test_read, .write = test_write };

int testdev_init(struct vm *vm, struct selftest *test)
{
	int err = bus_add(&vm->pio, HL_TEST_PORT, 4, &ops, test, "test");

	if (!err)
		err = bus_add(&vm->mmio, HL_TEST_MMIO, HL_TEST_MMIO_SIZE, &ops,
			      test, "test");
	if (!err)
		err = bus_add(&vm->msr, HL_TEST_MSR, HL_TEST_MSRS, &ops, test,
			      "test");
	return err;
}
