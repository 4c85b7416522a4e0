// SPDX-License-Identifier: GPL-2.0-only
/* See tests/unit/lib_mmio.h. */
#include "tests/unit/lib_mmio.h"

#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "vmm/core/event.h"
#include "vmm/core/log.h"
#include "vmm/core/machine.h"

/* --- KVM --- */

struct mmio_bed bed;

/* Not exact as KVM's is: as near as two calls can be. */
static int kvm_clock(struct kvm_clock_data *data)
{
	struct timespec ts;

	*data = (struct kvm_clock_data){ 0 };
	if (!bed.kvm.tsc_khz || atomic_load(&bed.kvm.no_tsc))
		return 0;
	clock_gettime(CLOCK_REALTIME, &ts);
	data->host_tsc = __rdtsc();
	data->realtime =
		(uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	data->flags = KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
	return 0;
}

static int kvm_tsc_offset(const struct kvm_device_attr *attr)
{
	uint64_t offset = KVM_TSC_OFFSET;

	memcpy((void *)(uintptr_t)attr->addr, &offset, sizeof(offset));
	return 0;
}

static int kvm_ioctl(unsigned long req, void *arg)
{
	switch (req) {
	case KVM_CHECK_EXTENSION:
		return !bed.kvm.refuse;
	case KVM_SET_USER_MEMORY_REGION:
		bed.kvm.slot = *(struct kvm_userspace_memory_region *)arg;
		return 0;
	case KVM_IOEVENTFD:
		if (bed.kvm.refuse || bed.kvm.nr_io == 8)
			break;
		bed.kvm.io[bed.kvm.nr_io++] = *(struct kvm_ioeventfd *)arg;
		return 0;
	case KVM_GET_REGS:
		*(struct kvm_regs *)arg = bed.kvm.regs;
		return 0;
	case KVM_SET_REGS:
		bed.kvm.regs = *(struct kvm_regs *)arg;
		return 0;
	case KVM_SET_MP_STATE:
		bed.kvm.mp_state = ((struct kvm_mp_state *)arg)->mp_state;
		return 0;
	case KVM_SET_MSRS:
	case KVM_GET_MSRS:
		if (!bed.kvm.msrs)
			break;
		return bed.kvm.msrs(req, arg);
	case KVM_ENABLE_CAP:
	case KVM_IRQFD:
		return 0;
	case KVM_GET_TSC_KHZ:
		return (int)bed.kvm.tsc_khz;
	case KVM_GET_CLOCK:
		return kvm_clock(arg);
	case KVM_GET_DEVICE_ATTR:
		return kvm_tsc_offset(arg);
	}
	errno = ENOSPC;
	return -1;
}

int ioctl(int fd, unsigned long req, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, req);
	arg = va_arg(ap, void *);
	va_end(ap);
	return fd == -1 && bed.kvm.on ? kvm_ioctl(req, arg)
				      : (int)syscall(SYS_ioctl, fd, req, arg);
}

/* --- the device --- */

static void dev_start(struct virtio_dev *d)
{
	ck_assert(d->started);
	bed.seen.starts++;
}

static void dev_stop(struct virtio_dev *d)
{
	ck_assert(!d->started);
	bed.seen.stops++;
	while (bed.seen.slow_stop && !atomic_load(&bed.seen.let_go)) {
		atomic_store(&bed.seen.stopping, true);
		pthread_cond_wait(&d->idle, &d->lock);
	}
}

static void dev_notify(struct virtio_dev *d, unsigned int q)
{
	ck_assert(d->started && d->queue[q].ready);
	ck_assert_int_ne(pthread_mutex_trylock(&d->lock), 0);
	bed.seen.thread[q] = pthread_self();
	atomic_fetch_add(&bed.seen.kicks[q], 1);
}

static void dev_config_write(struct virtio_dev *d, unsigned int off,
			     unsigned int len, uint32_t val)
{
	(void)d;
	bed.seen.off = off;
	bed.seen.len = len;
	bed.seen.val = val;
	memcpy(bed.config + off, &val, len);
}

static void dev_free(struct virtio_dev *d)
{
	bed.seen.frees++;
	virtio_exit(d);
}

const struct virtio_ops mmio_test_ops = {
	.name = "test",
	.id = 42,
	.inline_queues = 1 << MMIO_INLINE,
	.start = dev_start,
	.stop = dev_stop,
	.notify = dev_notify,
	.config_write = dev_config_write,
	.free = dev_free,
};

/* --- the guest --- */

uint64_t rd_len(uint64_t reg, unsigned int len)
{
	uint64_t val;

	ck_assert(bus_read(&bed.vm.mmio, MMIO_BASE + reg, len, &val));
	return val;
}

uint32_t rd(uint64_t reg)
{
	return (uint32_t)rd_len(reg, 4);
}

void wr_len(uint64_t reg, unsigned int len, uint64_t val)
{
	ck_assert(bus_write(&bed.vm.mmio, MMIO_BASE + reg, len, val));
}

void wr(uint64_t reg, uint32_t val)
{
	wr_len(reg, 4, val);
}

void mmio_accept(uint64_t features)
{
	wr(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	wr(VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
	wr(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	wr(VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)features);
}

uint64_t mmio_offered(void)
{
	uint64_t f;

	wr(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	f = (uint64_t)rd(VIRTIO_MMIO_DEVICE_FEATURES) << 32;
	wr(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	return f | rd(VIRTIO_MMIO_DEVICE_FEATURES);
}

void mmio_set_queue(unsigned int q)
{
	ring_init(&bed.ring[q], &bed.vm.mem, 0x10000 + 0x4000 * (uint64_t)q,
		  64);
	wr(VIRTIO_MMIO_QUEUE_SEL, q);
	wr(VIRTIO_MMIO_QUEUE_NUM, 64);
	wr(VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)bed.ring[q].desc_gpa);
	wr(VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
	wr(VIRTIO_MMIO_QUEUE_AVAIL_LOW, (uint32_t)bed.ring[q].avail_gpa);
	wr(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0);
	wr(VIRTIO_MMIO_QUEUE_USED_LOW, (uint32_t)bed.ring[q].used_gpa);
	wr(VIRTIO_MMIO_QUEUE_USED_HIGH, 0);
	wr(VIRTIO_MMIO_QUEUE_READY, 1);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_QUEUE_READY), 1);
}

/* As Linux does it. */
void mmio_drive(void)
{
	wr(VIRTIO_MMIO_STATUS, 0);
	wr(VIRTIO_MMIO_STATUS, ACKNOWLEDGE);
	wr(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER);
	mmio_accept(mmio_offered());
	wr(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
	for (unsigned int q = 0; q < MMIO_QUEUES; q++)
		mmio_set_queue(q);
	wr(VIRTIO_MMIO_STATUS, RUNNING);
	ck_assert_uint_eq(rd(VIRTIO_MMIO_STATUS), RUNNING);
}

void mmio_serve(unsigned int q, uint16_t head)
{
	static struct chain c;

	pthread_mutex_lock(&bed.dev.lock);
	ring_desc(&bed.ring[q], head, 0x100000, 1, 0, 0);
	ring_offer(&bed.ring[q], head);
	ck_assert_int_eq(queue_pop(&bed.dev.queue[q], &c), 1);
	queue_push(&bed.dev.queue[q], c.head, 0);
	virtio_used(&bed.dev, q);
	pthread_mutex_unlock(&bed.dev.lock);
}

uint64_t mmio_irqs(void)
{
	uint64_t n = 0;

	return read(bed.vm.irq.fd[MMIO_GSI], &n, sizeof(n)) < 0 ? 0 : n;
}

void mmio_wait_kicks(unsigned int q, unsigned int want)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	for (int i = 0; i < 5000 && atomic_load(&bed.seen.kicks[q]) < want; i++)
		nanosleep(&ms, NULL);
	ck_assert_uint_eq(atomic_load(&bed.seen.kicks[q]), want);
}

/* What the loop has been told before this, it has done after. */
void mmio_settle(void)
{
	const struct timespec ms = { .tv_nsec = 30000000 };

	nanosleep(&ms, NULL);
}

static void *run(void *arg)
{
	event_run(arg);
	return NULL;
}

void mmio_start_loop(void)
{
	pthread_create(&bed.loop, NULL, run, bed.vm.loop);
}

void mmio_stop_loop(void)
{
	event_stop(bed.vm.loop);
	pthread_join(bed.loop, NULL);
}

void mmio_setup(void)
{
	const struct mem_options opt = { .size = 4 << 20, .backing = MEM_ANON };
	struct vm *vm = &bed.vm;

	log_set_level(LOG_ERROR);
	memset(&bed, 0, sizeof(bed));
	bed.kvm.on = true;
	vm->fd = vm->kvm_fd = vm->stats_fd = -1;
	atomic_store(&vm->end, -1);
	ck_assert_int_eq(mem_init(&vm->mem, &opt), 0);
	ck_assert_int_eq(irq_init(&vm->irq, vm, 24), 0);
	vm->loop = event_new();
	ck_assert_ptr_nonnull(vm->loop);
	for (unsigned int i = 0; i < sizeof(bed.config); i++)
		bed.config[i] = (uint8_t)(0x10 + i);
	virtio_init(&bed.dev, &mmio_test_ops, vm, MMIO_QUEUES, 128,
		    1 << MMIO_FEATURE, bed.config, sizeof(bed.config));
	bed.mmio = virtio_mmio_new(
		vm, &bed.dev,
		&(struct machine_dev){ .base = MMIO_BASE,
				       .irq = MMIO_GSI,
				       .doorbell = MMIO_DOORBELL });
	ck_assert_ptr_nonnull(bed.mmio);
	mmio_start_loop();
}

void mmio_teardown(void)
{
	mmio_stop_loop();
	virtio_mmio_free(bed.mmio);
	ck_assert_uint_eq(bed.seen.frees, 1);
	ck_assert_uint_eq(bed.seen.starts, bed.seen.stops);
	event_free(bed.vm.loop);
	irq_exit(&bed.vm.irq);
	mem_exit(&bed.vm.mem);
	bed.kvm.on = false;
}
