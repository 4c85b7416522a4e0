// SPDX-License-Identifier: GPL-2.0-only
/* Lists of MSRs: the allow-list, order, statuses.  KVM is a few lines here. */
#include <check.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "include/hotline/msr.h"
#include "lib_line.h"
#include "tests/unit/lib_mmio.h"
#include "tests/unit/lib_run.h"
#include "vmm/backend/msr.h"

#define EVENT	0xc0010000 /* always on the list */
#define COUNTER 0xc0010004
#define STATUS	0x401
#define FAULTS	0xc0010003 /* our KVM refuses this one */
#define TSC	0x10

/* What KVM was told, in order; the test MSRs' writes are in it, too. */
static struct {
	unsigned int ioctls, nr;
	struct kvm_msr_entry seen[1000];
} kvm;

static int fake_msrs(unsigned long req, struct kvm_msrs *msrs)
{
	unsigned int i;

	kvm.ioctls++;
	for (i = 0; i < msrs->nmsrs; i++) {
		if (msrs->entries[i].index == FAULTS)
			break;
		if (req == KVM_GET_MSRS)
			msrs->entries[i].data = msrs->entries[i].index * 3ull;
		else
			kvm.seen[kvm.nr++] = msrs->entries[i];
	}
	return (int)i;
}

static void write_seen(void *dev, uint64_t off, unsigned int len, uint64_t val)
{
	(void)dev, (void)len;
	kvm.seen[kvm.nr++] =
		(struct kvm_msr_entry){ .index = HL_TEST_MSR + (uint32_t)off,
					.data = val };
}

static uint64_t read_seven(void *dev, uint64_t off, unsigned int len)
{
	(void)dev, (void)off, (void)len;
	return 7;
}

static const struct bus_ops user_msrs = { .read = read_seven,
					  .write = write_seen };

static struct kvm_cpuid2 *cpuid_with(const struct kvm_cpuid_entry2 *e,
				     unsigned int nr)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + nr * sizeof(*e));

	c->nent = nr;
	for (unsigned int i = 0; i < nr; i++)
		c->entries[i] = e[i];
	return c;
}

static void setup(void)
{
	memset(&kvm, 0, sizeof(kvm));
	line_setup();
	bed.kvm.on = true;
	bed.kvm.msrs = fake_msrs;
	for (unsigned int i = 0; i < LINE_CPUS; i++)
		line.vcpu[i].fd = -1;
	ck_assert_int_eq(bus_add(&line.vm.msr, HL_TEST_MSR, HL_TEST_MSRS,
				 &user_msrs, NULL, "test"),
			 0);
	vcpu_adopt(&line.vcpu[0]);
}

static void teardown(void)
{
	vcpu_adopt(NULL);
	bed.kvm.msrs = NULL;
	line_teardown();
}

static struct hl_list_entry *entry(unsigned int i)
{
	struct hl_list_page *page = line_ptr(LINE_LIST + i / 255 * 4096);

	return &page->entry[i % 255];
}

/* Entry i: MSR a, with its number as value. */
static void put(unsigned int i, uint64_t a)
{
	*entry(i) = (struct hl_list_entry){ .a = a, .b = i };
}

static void make(unsigned int nr)
{
	line_make_list(LINE_LIST, nr);
	for (unsigned int i = 0; i < nr; i++)
		put(i, COUNTER);
}

static void check_order(unsigned int nr)
{
	ck_assert_uint_eq(kvm.nr, nr);
	for (unsigned int i = 0; i < nr; i++) {
		ck_assert_uint_eq(kvm.seen[i].index, entry(i)->a);
		ck_assert_uint_eq(kvm.seen[i].data, i);
	}
}

static int64_t run(unsigned int nr)
{
	return line_call(HL_OP_MSR_WRITE, LINE_LIST, nr);
}

START_TEST(sixty_four_are_one_ioctl)
{
	make(64);
	ck_assert_int_eq(run(64), 64);
	ck_assert_uint_eq(kvm.ioctls, 1);
	check_order(64);
}
END_TEST

START_TEST(long_lists_keep_their_order)
{
	make(700);
	for (unsigned int i = 0; i < 700; i += 3)
		put(i, HL_TEST_MSR + i % HL_TEST_MSRS);
	ck_assert_int_eq(run(700), 700);
	check_order(700);
}
END_TEST

START_TEST(the_vmms_own_need_no_ioctl)
{
	make(64);
	for (unsigned int i = 0; i < 64; i++)
		put(i, HL_TEST_MSR + i);
	ck_assert_int_eq(run(64), 64);
	ck_assert_uint_eq(kvm.ioctls, 0);
	check_order(64);
}
END_TEST

/* The entry stops the list; what is before it is done, behind it nothing. */
static void check_stops(unsigned int at, uint64_t a, int64_t status)
{
	kvm.nr = 0;
	make(100);
	put(at, a);
	ck_assert_int_eq(run(100), status);
	ck_assert_uint_eq(line.slot[0].done, at);
	check_order(at);
	line.slot[0].done++;
	line.slot[0].result = HL_NOT_RUN;
	line_go(0, 1);
	ck_assert_int_eq(line.slot[0].result, 100);
	ck_assert_uint_eq(kvm.nr, 99);
}

START_TEST(refused_entries_stop_the_list)
{
	static const unsigned int at[] = { 0, 1, 20, 63, 64, 99 };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		check_stops(at[i], TSC, HL_EPERM);
		check_stops(at[i], FAULTS, HL_EIO);
		check_stops(at[i], 1ull << 32 | COUNTER, HL_EINVAL);
		check_stops(at[i], HL_TEST_MSR + HL_TEST_MSRS, HL_EPERM);
	}
}
END_TEST

START_TEST(what_is_never_on_the_list)
{
	static const uint32_t never[] = {
		0x10,	    0x1b,	0x3a,	    0x3b,	0x48,
		0x49,	    0x8b,	0xc1,	    0xfe,	0x10a,
		0x10b,	    0x174,	0x176,	    0x17a,	0x1a0,
		0x1d9,	    0x200,	0x250,	    0x277,	0x280,
		0x2ff,	    0x345,	0x38e,	    0x390,	0x3f1,
		0x600,	    0x6a2,	0x6e0,	    0x800,	0x830,
		0x83f,	    0xda0,	0xd90,	    0x4b564d00, 0x4b564d05,
		0x40000000, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000084,
		0xc0000100, 0xc0000102, 0xc0000103, 0xc0010010, 0xc0010015,
		0xc0010114, 0xc0010117, 0xc0010130, 0xc0011020, 0xc0000300,
		0xc0000302, 0xffffffff, 0,
	};
	/* A processor that has all there is. */
	static const struct kvm_cpuid_entry2 all[] = {
		{ .function = 0x1, .ecx = ~0u },
		{ .function = 0xa, .eax = ~0u, .edx = ~0u },
		{ .function = 0x80000001, .ecx = ~0u },
		{ .function = 0x80000022, .eax = ~0u },
	};
	struct kvm_cpuid2 *c = cpuid_with(all, 4);
	struct msr_rules rules;

	msr_rules_init(&rules, c);
	free(c);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		ck_assert_msg(!msr_may_write(&rules, never[i], 0), "0x%x",
			      never[i]);
	ck_assert(msr_may_write(&rules, 0x38f, 1));
	ck_assert(msr_may_write(&rules, 0xc0000301, 1));
	ck_assert(msr_may_write(&rules, 0xc001020b, 1));
	ck_assert(msr_may_write(&rules, 0x4c8, 1));
}
END_TEST

START_TEST(only_what_the_processor_has)
{
	static const struct kvm_cpuid_entry2 intel[] = {
		{ .function = 0x1, .ecx = 1u << 15 },
		{ .function = 0xa, .eax = 4 << 8 | 2, .edx = 3 },
	};
	struct kvm_cpuid2 *none = cpuid_with(NULL, 0);
	struct kvm_cpuid2 *some = cpuid_with(intel, 2);
	struct msr_rules rules;

	msr_rules_init(&rules, none);
	ck_assert(!msr_may_write(&rules, 0x186, 0));
	ck_assert(!msr_may_write(&rules, 0x38f, 0));
	ck_assert(!msr_may_write(&rules, 0xc0010200, 0));
	ck_assert(msr_may_write(&rules, EVENT, 0));
	msr_rules_init(&rules, some);
	ck_assert(msr_may_write(&rules, 0x189, 0));
	ck_assert(!msr_may_write(&rules, 0x18a, 0));
	ck_assert(msr_may_write(&rules, 0x4c4, 0));
	ck_assert(!msr_may_write(&rules, 0x4c5, 0));
	ck_assert(msr_may_write(&rules, 0x30b, 0));
	ck_assert(!msr_may_write(&rules, 0x30c, 0));
	ck_assert(msr_may_write(&rules, 0x38d, 0));
	ck_assert(!msr_may_write(&rules, 0xc0010200, 0));
	free(none);
	free(some);
}
END_TEST

START_TEST(a_status_is_only_cleared)
{
	make(3);
	*entry(0) = (struct hl_list_entry){ STATUS, 0 };
	*entry(1) = (struct hl_list_entry){ STATUS - 1, ~0ull };
	*entry(2) = (struct hl_list_entry){ STATUS, 1 };
	ck_assert_int_eq(run(3), HL_EPERM);
	ck_assert_uint_eq(line.slot[0].done, 2);
	ck_assert_uint_eq(kvm.nr, 2);
}
END_TEST

START_TEST(reading_fills_in)
{
	make(130);
	for (unsigned int i = 0; i < 130; i++)
		put(i, i % 5 ? 0x400 + i % 128 : HL_TEST_MSR + i % 64);
	ck_assert_int_eq(line_call(HL_OP_MSR_READ, LINE_LIST, 130), 130);
	for (unsigned int i = 0; i < 130; i++)
		ck_assert_uint_eq(entry(i)->b, i % 5 ? entry(i)->a * 3 : 7);
	put(70, TSC);
	put(71, COUNTER);
	ck_assert_int_eq(line_call(HL_OP_MSR_READ, LINE_LIST, 130), HL_EPERM);
	ck_assert_uint_eq(line.slot[0].done, 70);
	ck_assert_uint_eq(entry(70)->b, 70);
	ck_assert_uint_eq(entry(71)->b, 71);
	put(70, FAULTS);
	ck_assert_int_eq(line_call(HL_OP_MSR_READ, LINE_LIST, 130), HL_EIO);
	put(70, ~0ull);
	ck_assert_int_eq(line_call(HL_OP_MSR_READ, LINE_LIST, 130), HL_EINVAL);
	ck_assert_uint_eq(kvm.nr, 0);
}
END_TEST

START_TEST(kvm_that_does_nothing)
{
	bed.kvm.msrs = NULL;
	make(10);
	ck_assert_int_eq(run(10), HL_EIO);
	ck_assert_uint_eq(line.slot[0].done, 0);
	ck_assert_int_eq(line_call(HL_OP_MSR_READ, LINE_LIST, 10), HL_EIO);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("msr");
	TCase *tc = tcase_create("msr");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sixty_four_are_one_ioctl);
	tcase_add_test(tc, long_lists_keep_their_order);
	tcase_add_test(tc, the_vmms_own_need_no_ioctl);
	tcase_add_test(tc, refused_entries_stop_the_list);
	tcase_add_test(tc, what_is_never_on_the_list);
	tcase_add_test(tc, only_what_the_processor_has);
	tcase_add_test(tc, a_status_is_only_cleared);
	tcase_add_test(tc, reading_fills_in);
	tcase_add_test(tc, kvm_that_does_nothing);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
