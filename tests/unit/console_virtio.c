// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio console, and the entropy device, with a driver that is this test
 * and a bus that only counts.
 */
#include <check.h>
#include <linux/virtio_console.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/unit/lib_console.h"
#include "tests/unit/lib_ring.h"
#include "tests/unit/lib_run.h"
#include "virtio/console.h"
#include "virtio/rng.h"
#include "virtio/virtio.h"
#include "vmm/core/clock.h"
#include "vmm/core/exitcode.h"

#define RX   0
#define TX   1
#define TEXT 0x100000 /* guest addresses of buffers */
#define BUFS 0x200000

static struct virtio_dev *dev;
static struct ring rx, tx;
static struct {
	struct virtio_transport ops;
	atomic_uint used[2], again, config, broken;
} bus;

static void bus_used(struct virtio_transport *t, unsigned int q)
{
	(void)t;
	atomic_fetch_add(&bus.used[q], 1);
}

static void bus_again(struct virtio_transport *t, unsigned int q)
{
	(void)t;
	ck_assert_uint_eq(q, 0);
	atomic_fetch_add(&bus.again, 1);
}

static void bus_config(struct virtio_transport *t)
{
	(void)t;
	atomic_fetch_add(&bus.config, 1);
}

static void bus_broken(struct virtio_transport *t)
{
	(void)t;
	atomic_fetch_add(&bus.broken, 1);
}

static void attach(struct virtio_dev *d, struct ring *rings[], bool event_idx)
{
	dev = d;
	ck_assert_ptr_nonnull(dev);
	memset(&bus, 0, sizeof(bus));
	bus.ops.used = bus_used;
	bus.ops.again = bus_again;
	bus.ops.config_changed = bus_config;
	bus.ops.broken = bus_broken;
	dev->transport = &bus.ops;
	for (unsigned int q = 0; q < dev->nr_queues; q++) {
		struct queue *queue = &dev->queue[q];
		uint64_t at = 0x10000 + 0x4000 * q;

		ring_init(rings[q], &cb.vm.mem, at, queue->max);
		queue->size = queue->max;
		queue->event_idx = event_idx;
		queue->desc_gpa = rings[q]->desc_gpa;
		queue->avail_gpa = rings[q]->avail_gpa;
		queue->used_gpa = rings[q]->used_gpa;
		ck_assert_int_eq(queue_start(queue), 0);
	}
	dev->started = true;
	dev->ops->start(dev);
}

static void detach(void)
{
	pthread_mutex_lock(&dev->lock);
	dev->started = false;
	dev->ops->stop(dev);
	pthread_mutex_unlock(&dev->lock);
	for (unsigned int q = 0; q < dev->nr_queues; q++)
		ck_assert_uint_eq(dev->queue[q].in_flight, 0);
	con_stop_loop();
	dev->ops->free(dev);
	dev = NULL;
}

static void kick(unsigned int q)
{
	pthread_mutex_lock(&dev->lock);
	dev->ops->notify(dev, q);
	pthread_mutex_unlock(&dev->lock);
}

static void with_device(bool event_idx)
{
	struct ring *rings[] = { &rx, &tx };

	cb.con = console_new(&cb.vm, cb.in[0], cb.out[1]);
	ck_assert_ptr_nonnull(cb.con);
	attach(virtio_console_new(&cb.vm, cb.con, true), rings, event_idx);
	ck_assert_int_eq(console_start(cb.con), 0);
	con_start_loop();
}

/* As Linux prints: kick, spin until it is used.  False if that took too long. */
static bool print(const char *text)
{
	uint64_t start = clock_ns();
	uint32_t id, used, len = (uint32_t)strlen(text);

	memcpy(mem_ptr(&cb.vm.mem, gpa(TEXT), len), text, len);
	ring_desc(&tx, 0, TEXT, len, 0, 0);
	ring_offer(&tx, 0);
	kick(TX);
	ck_assert(ring_take(&tx, &id, &used));
	ck_assert_uint_eq(used, 0);
	ring_set_used_event(&tx, tx.seen);
	return clock_ns() - start < 1000000;
}

START_TEST(prints)
{
	unsigned int before, late;

	with_device(true);
	late = !print("Linux ");
	late += !print("version\r\n");
	con_expect_output(cb.out[0], "Linux version\r\n");
	ms_sleep(50);
	/* The driver has seen it all in time: no interrupt. */
	before = atomic_load(&bus.used[TX]);
	ck_assert_uint_le(before, late);
	/* This one sleeps until the interrupt comes. */
	ring_desc(&tx, 0, TEXT, 3, VRING_DESC_F_NEXT, 1);
	ring_desc(&tx, 1, TEXT + 3, 3, 0, 0);
	ring_offer(&tx, 0);
	kick(TX);
	con_expect_output(cb.out[0], "versio");
	ms_sleep(50);
	ck_assert_uint_eq(atomic_load(&bus.used[TX]), before + 1);
	detach();
}
END_TEST

START_TEST(prints_without_event_index)
{
	with_device(false);
	for (int i = 0; i < 20; i++)
		print("x");
	ms_sleep(50);
	ck_assert_uint_ge(atomic_load(&bus.used[TX]), 1);
	ck_assert_uint_lt(atomic_load(&bus.used[TX]), 20);
	detach();
}
END_TEST

static void *print_big(void *arg)
{
	ring_desc(&tx, 0, BUFS, 1 << 20, 0, 0);
	ring_offer(&tx, 0);
	kick(TX);
	return arg;
}

/*
 * A slow reader holds up the vCPU that prints, but neither the I/O thread nor
 * another vCPU's kick; and a reset waits until it is through.
 */
START_TEST(slow_reader)
{
	uint32_t id, len;
	pthread_t vcpu;
	char *buf = malloc(1 << 20);

	with_device(true);
	pthread_create(&vcpu, NULL, print_big, NULL);
	ms_sleep(50);
	ring_desc(&tx, 1, TEXT, 4, 0, 0);
	memcpy(mem_ptr(&cb.vm.mem, gpa(TEXT), 4), "end\n", 4);
	ring_offer(&tx, 1);
	kick(TX); /* returns, the other one prints it */
	ring_desc(&rx, 0, TEXT + 64, 8, VRING_DESC_F_WRITE, 0);
	ring_offer(&rx, 0);
	ck_assert_int_eq(write(cb.in[1], "hi", 2), 2);
	for (int i = 0; i < 3000 && !ring_take(&rx, &id, &len); i++)
		ms_sleep(1);
	ck_assert_uint_eq(len, 2);
	ck_assert(!ring_take(&tx, &id, &len));
	ck_assert_uint_eq(con_read_all(cb.out[0], buf, 1 << 20), 1 << 20);
	con_expect_output(cb.out[0], "end\n");
	pthread_join(vcpu, NULL);
	ck_assert(ring_take(&tx, &id, &len));
	ck_assert(ring_take(&tx, &id, &len));
	ck_assert_uint_eq(id, 1);
	free(buf);
	detach();
}
END_TEST

START_TEST(reset_while_printing)
{
	pthread_t vcpu, reader;

	for (size_t i = 0; i < 1 << 20; i++)
		*(char *)mem_ptr(&cb.vm.mem, gpa(BUFS + i), 1) = con_byte_at(i);
	with_device(true);
	pthread_create(&vcpu, NULL, print_big, NULL);
	ms_sleep(50);
	pthread_create(&reader, NULL, con_read_later, (void *)(1ul << 20));
	detach();
	pthread_join(vcpu, NULL);
	pthread_join(reader, NULL);
}
END_TEST

START_TEST(reset_at_the_end)
{
	pthread_t vcpu;

	with_device(true);
	pthread_create(&vcpu, NULL, print_big, NULL);
	ms_sleep(50);
	vm_end(&cb.vm, EXIT_STOPPED); /* nobody reads, nobody hangs */
	detach();
	pthread_join(vcpu, NULL);
}
END_TEST

static void expect_rx(const char *want)
{
	char all[64] = "";
	size_t n = 0;
	uint32_t id, len;

	for (int i = 0; i < 3000 && n < strlen(want); i++) {
		while (ring_take(&rx, &id, &len)) {
			memcpy(all + n,
			       mem_ptr(&cb.vm.mem, gpa(rx.desc[id].addr), 8),
			       len);
			n += len;
		}
		ms_sleep(1);
	}
	ck_assert_str_eq(all, want);
}

START_TEST(types)
{
	with_device(true);
	for (uint16_t i = 0; i < 4; i++)
		ring_desc(&rx, i, BUFS + 64 * i, 8, VRING_DESC_F_WRITE, 0);
	ck_assert_int_eq(write(cb.in[1], "typed before\r", 13), 13);
	ms_sleep(20);
	ring_offer(&rx, 0);
	ring_offer(&rx, 1);
	kick(RX);
	expect_rx("typed before\r");
	ck_assert_uint_eq(atomic_load(&bus.used[RX]), 1);
	ring_offer(&rx, 2);
	ck_assert_int_eq(write(cb.in[1], "a", 1), 1);
	expect_rx("a");
	/* More than there is room for, which comes later. */
	ring_offer(&rx, 3);
	ck_assert_int_eq(write(cb.in[1], "0123456789", 10), 10);
	expect_rx("01234567");
	ms_sleep(20);
	ring_offer(&rx, 0);
	ck_assert_uint_eq(ring_avail_event(&rx), 4);
	kick(RX);
	expect_rx("89");
	detach();
}
END_TEST

START_TEST(bad_buffers)
{
	with_device(true);
	ring_desc(&rx, 0, BUFS, 8, 0, 0); /* cannot take input */
	ring_offer(&rx, 0);
	ck_assert_int_eq(write(cb.in[1], "x", 1), 1);
	for (int i = 0; i < 3000 && !atomic_load(&bus.broken); i++)
		ms_sleep(1);
	ck_assert_uint_eq(atomic_load(&bus.broken), 1);
	dev->broken = false;
	ring_desc(&tx, 0, UINT64_MAX, 8, 0, 0);
	ring_offer(&tx, 0);
	kick(TX);
	ck_assert_uint_eq(atomic_load(&bus.broken), 2);
	detach();
}
END_TEST

START_TEST(size_feature)
{
	const struct winsize ws = { .ws_row = 50, .ws_col = 132 };
	struct ring *rings[] = { &rx, &tx };
	const struct virtio_console_config *config;
	int slave, master = con_open_pty(&slave);

	cb.con = console_new(&cb.vm, cb.in[0], slave);
	ck_assert_ptr_nonnull(cb.con);
	attach(virtio_console_new(&cb.vm, cb.con, true), rings, true);
	ck_assert_int_eq(console_start(cb.con), 0);
	config = dev->config;
	ck_assert(dev->features >> VIRTIO_CONSOLE_F_SIZE & 1);
	ck_assert_uint_eq(config->cols, 80);
	con_start_loop();
	ck_assert_int_eq(ioctl(master, TIOCSWINSZ, &ws), 0);
	kill(getpid(), SIGWINCH);
	for (int i = 0; i < 3000 && !atomic_load(&bus.config); i++)
		ms_sleep(1);
	ck_assert_uint_eq(atomic_load(&bus.config), 1);
	ck_assert_uint_eq(config->cols, 132);
	ck_assert_uint_eq(config->rows, 50);
	detach();
	con_close();
	close(slave);
	close(master);
}
END_TEST

/* --- the entropy device --- */

START_TEST(random_numbers)
{
	struct ring *rings[] = { &rx };
	uint8_t *buf = mem_ptr(&cb.vm.mem, gpa(BUFS), 8192);
	unsigned int zeros = 0;
	uint32_t id, len;

	attach(virtio_rng_new(&cb.vm), rings, true);
	con_start_loop();
	ring_desc(&rx, 0, BUFS, 1000, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT,
		  1);
	ring_desc(&rx, 1, BUFS + 1000, 24, VRING_DESC_F_WRITE, 0);
	ring_desc(&rx, 2, BUFS, 1 << 20, VRING_DESC_F_WRITE, 0);
	ring_desc(&rx, 3, BUFS, 8, 0, 0);
	ring_offer(&rx, 0);
	kick(0);
	ck_assert(ring_take(&rx, &id, &len));
	ck_assert_uint_eq(len, 1024);
	for (unsigned int i = 0; i < 1024; i++)
		zeros += !buf[i];
	ck_assert_uint_lt(zeros, 30);
	ck_assert_uint_eq(buf[1024], 0);
	ck_assert_uint_eq(atomic_load(&bus.used[0]), 1);
	ring_offer(&rx, 2); /* answered in part */
	kick(0);
	ck_assert(ring_take(&rx, &id, &len));
	ck_assert_uint_eq(len, 4096);
	ring_offer(&rx, 3); /* no room */
	kick(0);
	ck_assert(ring_take(&rx, &id, &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(atomic_load(&bus.again), 0);
	/* A whole queue is more than one turn. */
	for (uint16_t i = 0; i < 8; i++) {
		ring_desc(&rx, i, BUFS, 8, VRING_DESC_F_WRITE, 0);
		ring_offer(&rx, i);
	}
	kick(0);
	ck_assert_uint_eq(atomic_load(&bus.again), 1);
	ring_offer(&rx, 9);
	kick(0);
	ck_assert_uint_eq(atomic_load(&bus.broken), 1);
	detach();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("console_virtio");
	TCase *t = tcase_create("console_virtio");

	tcase_add_checked_fixture(t, con_setup, con_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, prints);
	tcase_add_test(t, prints_without_event_index);
	tcase_add_test(t, slow_reader);
	tcase_add_test(t, reset_while_printing);
	tcase_add_test(t, reset_at_the_end);
	tcase_add_test(t, types);
	tcase_add_test(t, bad_buffers);
	tcase_add_test(t, size_feature);
	tcase_add_test(t, random_numbers);
	suite_add_tcase(s, t);
	return unit_run(s);
}
