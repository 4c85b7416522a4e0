// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio-mmio registers, driven through the bus as a guest's accesses are.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/lib_mmio.h"
#include "tests/unit/lib_run.h"
#include "vmm/core/machine.h"

START_TEST(identity)
{
	ck_assert_uint_eq(rd(VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_VERSION), 2);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_DEVICE_ID), 42);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_SHM_LEN_LOW), UINT32_MAX);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_SHM_LEN_HIGH), UINT32_MAX);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), 0);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	ck_assert_uint_eq(rd_len(VIRTIO_MMIO_MAGIC_VALUE, 8), 0x274726976);
	ck_assert_uint_eq(rd_len(0xfff, 4), UINT32_MAX);
}
END_TEST

/* What KVM was asked to take over. */
START_TEST(offload)
{
	unsigned int acks = 0, kicks = 0, doorbells = 0;

	ck_assert_uint_eq(bed.kvm.slot.guest_phys_addr, MMIO_BASE);
	ck_assert_uint_eq(bed.kvm.slot.memory_size, 4096);
	ck_assert_uint_eq(bed.kvm.slot.flags, KVM_MEM_READONLY);
	ck_assert_uint_eq(*(uint32_t *)(uintptr_t)bed.kvm.slot.userspace_addr,
			  0x74726976);
	for (unsigned int i = 0; i < bed.kvm.nr_io; i++) {
		const struct kvm_ioeventfd *io = &bed.kvm.io[i];

		ck_assert_uint_eq(io->len, 4);
		ck_assert(io->flags & KVM_IOEVENTFD_FLAG_DATAMATCH);
		if (io->flags & KVM_IOEVENTFD_FLAG_PIO) {
			ck_assert_uint_eq(io->addr, MMIO_DOORBELL);
			ck_assert_uint_ne(io->datamatch, MMIO_INLINE);
			doorbells++;
			continue;
		}
		if (io->addr == MMIO_BASE + VIRTIO_MMIO_INTERRUPT_ACK) {
			ck_assert_uint_eq(io->datamatch, 1);
			acks++;
		} else {
			ck_assert_uint_eq(io->addr,
					  MMIO_BASE + VIRTIO_MMIO_QUEUE_NOTIFY);
			ck_assert_uint_ne(io->datamatch, MMIO_INLINE);
			kicks++;
		}
	}
	ck_assert_uint_eq(acks, 1);
	ck_assert_uint_eq(kicks, MMIO_QUEUES - 1);
	ck_assert_uint_eq(doorbells, MMIO_QUEUES - 1);
}
END_TEST

START_TEST(feature_words)
{
	ck_assert_uint_eq(
		mmio_offered(),
		1ull << VIRTIO_F_VERSION_1 | 1 << VIRTIO_RING_F_EVENT_IDX |
			1 << VIRTIO_RING_F_INDIRECT_DESC | 1 << MMIO_FEATURE);
	wr(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 2);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_DEVICE_FEATURES), 0);
	wr(VIRTIO_MMIO_DEVICE_FEATURES_SEL, UINT32_MAX);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_DEVICE_FEATURES), 0);
	wr(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 2);
	wr(VIRTIO_MMIO_DRIVER_FEATURES, UINT32_MAX);
	wr(VIRTIO_MMIO_STATUS, DRIVER | FEATURES_OK);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), DRIVER);
}
END_TEST

START_TEST(negotiation)
{
	const uint64_t v1 = 1ull << VIRTIO_F_VERSION_1;

	mmio_accept(mmio_offered() & ~v1); /* legacy */
	wr(VIRTIO_MMIO_STATUS, DRIVER | FEATURES_OK);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), DRIVER);
	mmio_accept(v1 | 1 << 9); /* never offered */
	wr(VIRTIO_MMIO_STATUS, DRIVER | FEATURES_OK);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), DRIVER);
	wr(VIRTIO_MMIO_STATUS, DRIVER | DRIVER_OK); /* without the above */
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), DRIVER);
	ck_assert_uint_eq(bed.seen.starts, 0);
	mmio_accept(v1 | 1 << MMIO_FEATURE);
	wr(VIRTIO_MMIO_STATUS, DRIVER | FEATURES_OK);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), DRIVER | FEATURES_OK);
	ck_assert_uint_eq(bed.dev.acked, v1 | 1 << MMIO_FEATURE);
	mmio_accept(v1); /* too late */
	wr(VIRTIO_MMIO_STATUS, DRIVER | FEATURES_OK | DRIVER_OK);
	ck_assert_uint_eq(bed.dev.acked, v1 | 1 << MMIO_FEATURE);
	ck_assert_uint_eq(bed.seen.starts, 1);
	wr(VIRTIO_MMIO_STATUS, DRIVER); /* bits do not go away */
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), RUNNING & ~ACKNOWLEDGE);
	wr(VIRTIO_MMIO_STATUS, RUNNING);
	ck_assert_uint_eq(bed.seen.starts, 1);
	wr(VIRTIO_MMIO_STATUS, NEEDS_RESET | 0xffffff00);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), RUNNING);
	wr(VIRTIO_MMIO_STATUS, 0);
	ck_assert_uint_eq(bed.seen.stops, 1);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), 0);
	ck_assert_uint_eq(bed.dev.acked, 0);
}
END_TEST

START_TEST(queue_registers)
{
	static const uint32_t bad[] = { 0, 3, 256, 1 << 16, UINT32_MAX };

	mmio_drive();
	ck_assert_uint_eq(bed.dev.queue[1].size, 64);
	ck_assert(bed.dev.queue[1].event_idx && bed.dev.queue[1].indirect);
	wr(VIRTIO_MMIO_QUEUE_SEL, 1);
	wr(VIRTIO_MMIO_QUEUE_NUM, 32); /* while ready */
	wr(VIRTIO_MMIO_QUEUE_DESC_LOW, 0);
	wr(VIRTIO_MMIO_QUEUE_USED_HIGH, 1);
	ck_assert_uint_eq(bed.dev.queue[1].size, 64);
	ck_assert_uint_eq(bed.dev.queue[1].desc_gpa, bed.ring[1].desc_gpa);
	ck_assert_uint_eq(bed.dev.queue[1].used_gpa, bed.ring[1].used_gpa);
	for (unsigned int q = MMIO_QUEUES; q; q <<= 4) { /* there are none */
		wr(VIRTIO_MMIO_QUEUE_SEL, q);
		ck_assert_uint_eq(rd(VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
		ck_assert_uint_eq(rd(VIRTIO_MMIO_QUEUE_READY), 0);
		wr(VIRTIO_MMIO_QUEUE_NUM, 1);
		wr(VIRTIO_MMIO_QUEUE_DESC_LOW, 1);
		wr(VIRTIO_MMIO_QUEUE_READY, 1);
		wr(VIRTIO_MMIO_QUEUE_NOTIFY, q);
	}
	wr(VIRTIO_MMIO_STATUS, 0);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_QUEUE_NUM_MAX), 128);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_QUEUE_READY), 0);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wr(VIRTIO_MMIO_QUEUE_NUM, bad[i]);
		wr(VIRTIO_MMIO_QUEUE_READY, 1);
		ck_assert_uint_eq(rd(VIRTIO_MMIO_QUEUE_READY), 0);
	}
	wr(VIRTIO_MMIO_QUEUE_NUM, 64);
	wr(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 1); /* not RAM */
	wr(VIRTIO_MMIO_QUEUE_READY, 1);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_QUEUE_READY), 0);
	wr(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0);
	wr(VIRTIO_MMIO_QUEUE_READY, 2);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_QUEUE_READY), 0);
	mmio_set_queue(0);
}
END_TEST

/* Registers know aligned words only. */
START_TEST(odd_accesses)
{
	mmio_drive();
	wr_len(VIRTIO_MMIO_STATUS, 1, 0);
	wr_len(VIRTIO_MMIO_STATUS, 2, 0);
	wr_len(VIRTIO_MMIO_STATUS, 8, 0);
	wr_len(VIRTIO_MMIO_STATUS + 2, 4, 0);
	wr_len(VIRTIO_MMIO_STATUS - 4, 8, 0);
	for (unsigned int reg = 0; reg < VIRTIO_MMIO_QUEUE_SEL; reg += 4)
		wr(reg, reg);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), RUNNING);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_VERSION), 2);
	ck_assert_uint_eq(rd_len(VIRTIO_MMIO_STATUS, 1), RUNNING);
}
END_TEST

START_TEST(config_space)
{
	ck_assert_uint_eq(rd(VIRTIO_MMIO_CONFIG), 0x13121110);
	ck_assert_uint_eq(rd_len(VIRTIO_MMIO_CONFIG + 2, 2), 0x1312);
	ck_assert_uint_eq(rd_len(VIRTIO_MMIO_CONFIG + 9, 1), 0x19);
	ck_assert_uint_eq(rd_len(VIRTIO_MMIO_CONFIG + 10, 2), 0);
	wr_len(VIRTIO_MMIO_CONFIG + 6, 2, 0xbeef);
	ck_assert_uint_eq(bed.seen.off, 6);
	ck_assert_uint_eq(bed.seen.len, 2);
	ck_assert_uint_eq(bed.seen.val, 0xbeef);
	ck_assert_uint_eq(rd_len(VIRTIO_MMIO_CONFIG + 6, 2), 0xbeef);
	wr_len(VIRTIO_MMIO_CONFIG + 9, 1, 0x77);
	ck_assert_uint_eq(bed.seen.off, 9);
	bed.seen.len = 0;
	wr_len(VIRTIO_MMIO_CONFIG, 8, 0);     /* no such width */
	wr_len(VIRTIO_MMIO_CONFIG + 1, 2, 0); /* unaligned */
	wr_len(VIRTIO_MMIO_CONFIG + 8, 4, 0); /* reaches behind the end */
	wr_len(VIRTIO_MMIO_CONFIG + 10, 1, 0);
	wr_len(0xffc, 4, 0);
	wr_len(0xfff, 1, 0);
	ck_assert_uint_eq(bed.seen.len, 0);
}
END_TEST

/* A host without any of the shortcuts: all accesses come to us. */
START_TEST(no_offload)
{
	struct virtio_mmio *second;
	struct machine_dev at = { .base = MMIO_BASE + 0x1000, .irq = MMIO_GSI };
	struct virtio_dev dev2;
	unsigned int nr = bed.kvm.nr_io;
	uint64_t val;

	mmio_stop_loop();
	bed.kvm.refuse = true;
	virtio_init(&dev2, &mmio_test_ops, &bed.vm, MMIO_QUEUES, 128, 0, NULL,
		    0);
	errno = 0;
	ck_assert_ptr_null(virtio_mmio_new(&bed.vm, &dev2, &at));
	ck_assert_int_eq(errno, EBUSY); /* the line is taken */
	at.irq = MMIO_GSI + 1;
	second = virtio_mmio_new(&bed.vm, &dev2, &at);
	ck_assert_ptr_nonnull(second);
	ck_assert_uint_eq(bed.kvm.nr_io, nr);
	ck_assert(bus_read(&bed.vm.mmio, MMIO_BASE + 0x1000, 4, &val));
	ck_assert_uint_eq(val, 0x74726976);
	virtio_mmio_free(second);
	ck_assert_uint_eq(bed.seen.frees, 1);
	bed.seen.frees = 0;
	mmio_start_loop();
}
END_TEST

/* Random writes to the whole window: nothing but the registers changes. */
START_TEST(hostile)
{
	static const uint32_t words[] = { 0, 1, 2, 15, 64, 0x10000, UINT32_MAX };

	srandom(3);
	for (unsigned int i = 0; i < 100000; i++) {
		uint64_t reg = (uint64_t)random() % 0x120 & ~3ull;
		uint32_t val = words[random() % 7];

		if (random() % 1000 == 0)
			mmio_drive();
		else if (random() % 8)
			wr(reg, val);
		else
			wr_len(reg + (uint64_t)random() % 4, 1u << random() % 4,
			       val);
	}
	ck_assert_uint_eq(rd(VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
	ck_assert_uint_gt(bed.seen.starts, 100);
	mmio_drive();
	mmio_serve(0, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mmio");
	TCase *t = tcase_create("mmio");

	tcase_add_checked_fixture(t, mmio_setup, mmio_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, identity);
	tcase_add_test(t, offload);
	tcase_add_test(t, feature_words);
	tcase_add_test(t, negotiation);
	tcase_add_test(t, queue_registers);
	tcase_add_test(t, odd_accesses);
	tcase_add_test(t, config_space);
	tcase_add_test(t, no_offload);
	tcase_add_test(t, hostile);
	suite_add_tcase(s, t);
	return unit_run(s);
}
