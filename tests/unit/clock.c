// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock page: where its fields are, what it is with and without a TSC, and
 * that no reader of whatever kind sees it go back while all of that changes.
 */
#include <check.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "tests/unit/lib_mmio.h"
#include "tests/unit/lib_run.h"
#include "vmm/backend/clock.h"
#include "vmm/backend/clock_page.h"
#include "vmm/core/clock.h"
#include "vmm/core/irq.h"
#include "vmm/core/log.h"
#include "vmm/core/machine.h"
#include "vmm/core/vcpu.h"

#define ADDR	0xd0003000ull
#define GSI	3
#define CPUS	2
#define READERS 3
#define NS_S	1000000000ull

static struct vm vm;
static struct vcpu vcpu[CPUS];
static struct clock *clk;
static const struct clock_page *page; /* as the slot has it */

static unsigned int tsc_khz(void)
{
	const struct timespec ms = { .tv_nsec = 20000000 };
	uint64_t ns = clock_ns(), tsc = __rdtsc();

	nanosleep(&ms, NULL);
	tsc = __rdtsc() - tsc;
	return (unsigned int)(tsc * 1000000 / (clock_ns() - ns));
}

static void make(bool has_tsc)
{
	const struct clock_options opt = { ADDR, GSI, 1 };

	log_set_level(LOG_ERROR);
	memset(&vm, 0, sizeof(vm));
	memset(&bed, 0, sizeof(bed));
	bed.kvm.on = true;
	bed.kvm.tsc_khz = has_tsc ? tsc_khz() : 0;
	vm.fd = vm.kvm_fd = vm.stats_fd = -1;
	atomic_store(&vm.end, -1);
	hold_init(&vm.hold);
	vm.vcpu = vcpu;
	vm.nr_cpus = CPUS;
	for (unsigned int i = 0; i < CPUS; i++)
		vcpu[i] = (struct vcpu){ .vm = &vm, .id = i, .fd = -1 };
	ck_assert_int_eq(irq_init(&vm.irq, &vm, 8), 0);
	clk = clock_new(&vm, &opt);
	ck_assert_ptr_nonnull(clk);
	page = NULL;
}

static void unmake(void)
{
	clock_free(clk);
	irq_exit(&vm.irq);
	hold_exit(&vm.hold);
	bed.kvm.on = false;
}

static uint64_t bus(unsigned int off, unsigned int len)
{
	uint64_t val = 0;

	ck_assert(bus_read(&vm.mmio, ADDR + off, len, &val));
	return val;
}

/* As a guest's first read does. */
static void touch(void)
{
	ck_assert_uint_eq(bus(0, 4), VMCLOCK_MAGIC);
	ck_assert_uint_eq(bed.kvm.slot.guest_phys_addr, ADDR);
	ck_assert_uint_eq(bed.kvm.slot.memory_size, 4096);
	ck_assert_uint_eq(bed.kvm.slot.flags, KVM_MEM_READONLY);
	page = (const void *)(uintptr_t)bed.kvm.slot.userspace_addr;
}

static bool valid(void)
{
	return __atomic_load_n(&page->hl.flags, __ATOMIC_ACQUIRE) &
	       HL_CLOCK_VALID;
}

static void wait_updates(uint32_t n)
{
	uint32_t from = __atomic_load_n(&page->hl.seq, __ATOMIC_RELAXED);

	while (__atomic_load_n(&page->hl.seq, __ATOMIC_RELAXED) - from < 2 * n)
		usleep(1000);
}

START_TEST(layout)
{
	ck_assert_uint_eq(offsetof(struct vmclock, seq), 12);
	ck_assert_uint_eq(offsetof(struct vmclock, disruption_marker), 16);
	ck_assert_uint_eq(offsetof(struct vmclock, status), 34);
	ck_assert_uint_eq(offsetof(struct vmclock, tai_offset_s), 36);
	ck_assert_uint_eq(offsetof(struct vmclock, period_shift), 39);
	ck_assert_uint_eq(offsetof(struct vmclock, counter_value), 40);
	ck_assert_uint_eq(offsetof(struct vmclock, period), 48);
	ck_assert_uint_eq(offsetof(struct vmclock, time_s), 72);
	ck_assert_uint_eq(offsetof(struct vmclock, time_maxerror_ns), 96);
	ck_assert_uint_eq(offsetof(struct clock_page, hl), 256);
	ck_assert_uint_eq(offsetof(struct hl_clock, tsc), 8);
	ck_assert_uint_eq(offsetof(struct hl_clock, mult), 24);
	ck_assert_uint_eq(offsetof(struct hl_clock, wall_ns), 32);
	ck_assert_uint_eq(offsetof(struct hl_clock, disruptions), 56);
}
END_TEST

START_TEST(without_tsc)
{
	uint64_t last = clock_read(clk), now;

	ck_assert_uint_lt(last, 10 * NS_S); /* not the host's uptime */
	touch();
	ck_assert_uint_eq(bus(8, 4), 1 | VMCLOCK_COUNTER_INVALID << 16);
	ck_assert_uint_eq(page->vm.status, VMCLOCK_STATUS_UNRELIABLE);
	ck_assert(!valid() && !page->hl.wall_ns && !page->hl.mult);
	for (int i = 0; i < 1000; i++) {
		now = clock_read(clk);
		ck_assert_uint_ge(now, last);
		last = now;
	}
	ck_assert_uint_gt(clock_wall(), 1600000000 * NS_S);
	ck_assert_uint_eq(bus(4095, 1), 0);
	ck_assert_uint_eq(bus(4093, 8), UINT64_MAX);
	ck_assert_uint_eq(bus(HL_CLOCK_OFFSET + 6, 8), 0);
}
END_TEST

START_TEST(untouched)
{
	ck_assert_uint_eq(bed.kvm.slot.memory_size, 0);
	ck_assert_int_lt(vm.irq.fd[GSI], 0);
	clock_disrupted(clk);
	touch();
	ck_assert_uint_eq(page->hl.disruptions, 1);
}
END_TEST

START_TEST(disruption)
{
	uint64_t n = 0;

	touch();
	ck_assert_int_gt((int)read(vm.irq.fd[GSI], &n, sizeof(n)) < 0 || n < 2,
			 0);
	clock_disrupted(clk);
	ck_assert_int_eq((int)read(vm.irq.fd[GSI], &n, sizeof(n)), sizeof(n));
	clock_disrupted(clk);
	ck_assert_uint_eq(page->hl.disruptions, 2);
	ck_assert_uint_eq(page->vm.disruption_marker, 2);
	clock_disrupted(NULL);
}
END_TEST

static uint64_t vm_wall(uint64_t tsc)
{
	const struct vmclock *v = &page->vm;
	unsigned __int128 more =
		(unsigned __int128)(tsc - v->counter_value) * v->period >>
		v->period_shift;

	more += v->time_fraction;
	return (v->time_s + (uint64_t)(more >> 64)) * NS_S +
	       (uint64_t)((unsigned __int128)(uint64_t)more * NS_S >> 64);
}

/* Both halves of the page and the host's clock say the same. */
START_TEST(with_tsc)
{
	struct hl_clock hl;
	uint64_t wall, at, tries = 0;
	uint32_t seq;

	touch();
	ck_assert(valid());
	ck_assert_uint_eq(page->vm.counter, VMCLOCK_COUNTER_TSC);
	wait_updates(3);
	do {
		ck_assert_uint_lt(tries++, 1000);
		seq = __atomic_load_n(&page->vm.seq, __ATOMIC_ACQUIRE);
		hl = page->hl;
		at = __rdtsc() + KVM_TSC_OFFSET;
		wall = vm_wall(at);
		atomic_thread_fence(memory_order_acquire);
	} while (seq & 1 || hl.seq & 1 || page->vm.seq != seq);
	at = hl.ns + (uint64_t)hl.wall_ns +
	     (uint64_t)((unsigned __int128)(at - hl.tsc) * hl.mult >> 32);
	ck_assert_uint_le(wall, at + 2);
	ck_assert_uint_ge(wall + 2, at);
	ck_assert_uint_ge(wall, clock_wall() - NS_S);
	ck_assert_uint_le(wall, clock_wall() + NS_S);
	ck_assert_uint_gt(hl.wall_error, 0);
}
END_TEST

static _Atomic uint64_t latest;
static atomic_uint backs;
static atomic_bool stop;

static void *reader(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		uint64_t was = atomic_load(&latest), now = clock_read(clk);

		if (now < was)
			atomic_fetch_add(&backs, 1);
		while (was < now &&
		       !atomic_compare_exchange_weak(&latest, &was, now))
			;
	}
	return NULL;
}

/* While the page is written, and KVM's word comes and goes. */
START_TEST(never_back)
{
	pthread_t thread[READERS];

	atomic_store(&stop, false);
	for (int i = 0; i < READERS; i++)
		pthread_create(&thread[i], NULL, reader, NULL);
	touch();
	for (int i = 0; i < 6; i++) {
		wait_updates(20);
		ck_assert(valid());
		atomic_store(&bed.kvm.no_tsc, true);
		while (valid())
			usleep(1000);
		ck_assert_uint_eq(page->vm.counter, VMCLOCK_COUNTER_INVALID);
		clock_disrupted(clk);
		atomic_store(&bed.kvm.no_tsc, false);
		while (!valid())
			usleep(1000);
		clock_disrupted(clk);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_uint_eq(atomic_load(&backs), 0);
	ck_assert_uint_ge(page->hl.disruptions, 12);
}
END_TEST

/* Until the guest was told. */
static void wait_told(void)
{
	uint64_t n;

	while (read(vm.irq.fd[GSI], &n, sizeof(n)) != sizeof(n))
		usleep(1000);
}

/*
 * A host whose TSC is no clock for a while: the guest hears of both changes,
 * though KVM sees the second only when it is made to look.
 */
START_TEST(comes_back)
{
	uint64_t ns, n;

	touch();
	(void)!read(vm.irq.fd[GSI], &n, sizeof(n));
	for (int i = 0; i < 3; i++) {
		atomic_store(&bed.kvm.no_tsc, true);
		while (valid())
			usleep(1000);
		wait_told();
		ck_assert(!page->hl.wall_ns && !page->hl.mult);
		ck_assert_uint_eq(page->vm.status, VMCLOCK_STATUS_UNRELIABLE);
		ns = clock_read(clk);
		atomic_store(&bed.kvm.tsc_again, true);
		while (!valid())
			usleep(1000);
		atomic_store(&bed.kvm.tsc_again, false);
		wait_told();
		ck_assert_uint_ge(clock_read(clk), ns);
		ck_assert_uint_ge(page->hl.ns, ns);
		ck_assert_uint_ge(page->hl.mult, 1);
		ck_assert_uint_eq(page->vm.counter, VMCLOCK_COUNTER_TSC);
		ck_assert_uint_ne(page->vm.status, VMCLOCK_STATUS_UNRELIABLE);
		n = clock_read(clk) + (uint64_t)page->hl.wall_ns;
		ck_assert_uint_le(n, clock_wall() + NS_S);
		ck_assert_uint_ge(n + NS_S, clock_wall());
	}
}
END_TEST

START_TEST(spans)
{
	struct clock_span a = { -10, 10 }, b = { 5, 20 }, c = { 11, 30 };

	ck_assert(clock_span_meet(&a, &b));
	ck_assert(a.lo == 5 && a.hi == 10);
	ck_assert(!clock_span_meet(&a, &c));
	ck_assert(a.lo == 5 && a.hi == 10);
	ck_assert(!clock_span_meet(&c, &a));
	ck_assert(clock_span_meet(&b, &c));
	ck_assert(b.lo == 11 && b.hi == 20);
}
END_TEST

static void make_with(void)
{
	make(true);
}

static void make_without(void)
{
	make(false);
}

static TCase *add(Suite *s, const char *name, void (*setup)(void))
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	if (setup)
		tcase_add_checked_fixture(tc, setup, unmake);
	suite_add_tcase(s, tc);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = add(s, "page", NULL);

	tcase_add_test(tc, layout);
	tcase_add_test(tc, spans);
	tc = add(s, "without", make_without);
	tcase_add_test(tc, without_tsc);
	tcase_add_test(tc, untouched);
	tc = add(s, "with", make_with);
	tcase_add_test(tc, untouched);
	tcase_add_test(tc, disruption);
	tcase_add_test(tc, with_tsc);
	tcase_add_test(tc, never_back);
	tcase_add_test(tc, comes_back);
	return unit_run(s);
}
