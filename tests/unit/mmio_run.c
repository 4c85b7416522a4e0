// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-mmio at work: kicks, interrupts, reset and what races with it.
 */
#include <check.h>
#include <sys/eventfd.h>
#include <time.h>

#include "tests/unit/lib_mmio.h"
#include "tests/unit/lib_run.h"

START_TEST(kicks)
{
	wr(VIRTIO_MMIO_QUEUE_NOTIFY, 0); /* too early */
	wr(VIRTIO_MMIO_QUEUE_NOTIFY, MMIO_INLINE);
	mmio_settle();
	mmio_drive();
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[MMIO_INLINE]), 0);
	wr(VIRTIO_MMIO_QUEUE_NOTIFY, MMIO_INLINE);
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[MMIO_INLINE]), 1);
	ck_assert(pthread_equal(bed.seen.thread[MMIO_INLINE], pthread_self()));
	ck_assert(bus_write(&bed.vm.pio, MMIO_DOORBELL, 4, MMIO_INLINE));
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[MMIO_INLINE]), 2);
	/* One register of 32 bits: other widths and places are nothing. */
	bus_write(&bed.vm.pio, MMIO_DOORBELL, 2, MMIO_INLINE);
	bus_write(&bed.vm.pio, MMIO_DOORBELL + 1, 4, MMIO_INLINE);
	bus_write(&bed.vm.pio, MMIO_DOORBELL, 4, MMIO_QUEUES);
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[MMIO_INLINE]), 2);
	for (unsigned int i = 1; i < 5; i++) {
		wr(VIRTIO_MMIO_QUEUE_NOTIFY, 1);
		mmio_wait_kicks(1, i);
	}
	ck_assert(pthread_equal(bed.seen.thread[1], bed.loop));
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[0]), 0);
	eventfd_write(bed.kvm.io[1].fd, 1); /* what KVM does */
	mmio_wait_kicks(0, 1);
	pthread_mutex_lock(&bed.dev.lock);
	virtio_again(&bed.dev, 0);
	pthread_mutex_unlock(&bed.dev.lock);
	mmio_wait_kicks(0, 2);
	ck_assert_uint_eq(atomic_load(&bed.dev.queue[0].kicks), 2);
	ck_assert_uint_eq(atomic_load(&bed.dev.queue[1].kicks), 4);
	wr(VIRTIO_MMIO_STATUS, 0);
	wr(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	wr(VIRTIO_MMIO_QUEUE_NOTIFY, MMIO_INLINE);
	mmio_settle();
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[0]), 2);
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[MMIO_INLINE]), 2);
}
END_TEST

START_TEST(interrupts)
{
	mmio_drive();
	ck_assert_uint_eq(mmio_irqs(), 0);
	mmio_serve(0, 0);
	ck_assert_uint_eq(mmio_irqs(), 1);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_INTERRUPT_STATUS), 1);
	wr(VIRTIO_MMIO_INTERRUPT_ACK, 1); /* the bit is there to stay */
	ck_assert_uint_eq(rd(VIRTIO_MMIO_INTERRUPT_STATUS), 1);
	mmio_serve(0, 1); /* the driver's mark is behind */
	ck_assert_uint_eq(mmio_irqs(), 0);
	ring_set_used_event(&bed.ring[0], 2);
	mmio_serve(0, 2);
	ck_assert_uint_eq(mmio_irqs(), 1);
	ck_assert_uint_eq(atomic_load(&bed.dev.queue[0].irqs), 2);
	wr(VIRTIO_MMIO_STATUS, 0);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
}
END_TEST

static void change_config(uint8_t byte)
{
	pthread_mutex_lock(&bed.dev.lock);
	bed.config[5] = byte;
	virtio_config_changed(&bed.dev);
	pthread_mutex_unlock(&bed.dev.lock);
}

START_TEST(config_changes)
{
	uint32_t gen = rd(VIRTIO_MMIO_CONFIG_GENERATION);

	change_config(0xaa); /* nobody to interrupt yet */
	ck_assert_uint_eq(mmio_irqs(), 0);
	ck_assert_uint_eq(rd_len(VIRTIO_MMIO_CONFIG + 5, 1), 0xaa);
	ck_assert_uint_ne(rd(VIRTIO_MMIO_CONFIG_GENERATION), gen);
	mmio_drive();
	gen = rd(VIRTIO_MMIO_CONFIG_GENERATION);
	change_config(0xbb);
	ck_assert_uint_eq(mmio_irqs(), 1);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_INTERRUPT_STATUS), 2);
	ck_assert_uint_ne(rd(VIRTIO_MMIO_CONFIG_GENERATION), gen);
	mmio_serve(1, 0);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_INTERRUPT_STATUS), 3);
	wr(VIRTIO_MMIO_INTERRUPT_ACK, 1);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_INTERRUPT_STATUS), 3);
	wr(VIRTIO_MMIO_INTERRUPT_ACK, 3);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_INTERRUPT_STATUS), 1);
}
END_TEST

START_TEST(needs_reset)
{
	mmio_drive();
	pthread_mutex_lock(&bed.dev.lock);
	virtio_broken(&bed.dev, "test");
	virtio_broken(&bed.dev, "once only");
	pthread_mutex_unlock(&bed.dev.lock);
	ck_assert_uint_eq(mmio_irqs(), 1);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), RUNNING | NEEDS_RESET);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_INTERRUPT_STATUS), 2);
	wr(VIRTIO_MMIO_QUEUE_NOTIFY, MMIO_INLINE);
	wr(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	mmio_settle();
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[MMIO_INLINE]), 0);
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[0]), 0);
	wr(VIRTIO_MMIO_STATUS, RUNNING);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), RUNNING | NEEDS_RESET);
	ck_assert_uint_eq(bed.seen.stops, 0);
	mmio_drive();
	wr(VIRTIO_MMIO_QUEUE_NOTIFY, MMIO_INLINE);
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[MMIO_INLINE]), 1);
}
END_TEST

/* 4.2.2.2: one queue may be stopped; the others go on where they were. */
START_TEST(disable_one_queue)
{
	mmio_drive();
	mmio_serve(0, 0);
	wr(VIRTIO_MMIO_QUEUE_SEL, 1);
	wr(VIRTIO_MMIO_QUEUE_READY, 0);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_QUEUE_READY), 0);
	ck_assert_uint_eq(bed.seen.stops, 1);
	ck_assert_uint_eq(bed.seen.starts, 2);
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[MMIO_INLINE]), 1);
	mmio_wait_kicks(0, 1);
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[1]), 0);
	ck_assert_uint_eq(bed.dev.queue[0].last_avail, 1);
	mmio_serve(0, 1);
	mmio_set_queue(1);
	ck_assert(bed.dev.queue[1].event_idx && bed.dev.queue[1].indirect);
	mmio_serve(1, 0);
}
END_TEST

static void *reset_slowly(void *arg)
{
	(void)arg;
	wr(VIRTIO_MMIO_STATUS, 0);
	return NULL;
}

/* The write returns when the device has stopped; others are dropped. */
START_TEST(reset_waits)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	pthread_t other;

	mmio_drive();
	bed.seen.slow_stop = true;
	pthread_create(&other, NULL, reset_slowly, NULL);
	while (!atomic_load(&bed.seen.stopping))
		nanosleep(&ms, NULL);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), RUNNING);
	wr(VIRTIO_MMIO_STATUS, RUNNING);
	wr(VIRTIO_MMIO_STATUS, 0);
	wr(VIRTIO_MMIO_QUEUE_READY, 0);
	wr(VIRTIO_MMIO_QUEUE_NOTIFY, MMIO_INLINE);
	wr(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	mmio_settle();
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), RUNNING);
	ck_assert(bed.dev.queue[0].ready && bed.dev.queue[2].ready);
	ck_assert_uint_eq(bed.seen.stops, 1);
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[MMIO_INLINE]), 0);
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[0]), 0);
	pthread_mutex_lock(&bed.dev.lock);
	atomic_store(&bed.seen.let_go, true);
	pthread_cond_broadcast(&bed.dev.idle);
	pthread_mutex_unlock(&bed.dev.lock);
	pthread_join(other, NULL);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), 0);
	mmio_drive();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mmio_run");
	TCase *t = tcase_create("mmio_run");

	tcase_add_checked_fixture(t, mmio_setup, mmio_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, kicks);
	tcase_add_test(t, interrupts);
	tcase_add_test(t, config_changes);
	tcase_add_test(t, needs_reset);
	tcase_add_test(t, disable_one_queue);
	tcase_add_test(t, reset_waits);
	suite_add_tcase(s, t);
	return unit_run(s);
}
