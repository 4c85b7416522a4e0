// SPDX-License-Identifier: GPL-2.0-only
/* Lists, good and hostile, and the test calls. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib_line.h"
#include "tests/unit/lib_run.h"
#include "vmm/core/clock.h"

static uint64_t counter(void)
{
	return selftest_add(line.test, 0);
}

static struct hl_list_page *page(unsigned int i)
{
	return line_ptr(LINE_LIST + i * sizeof(struct hl_list_page));
}

START_TEST(lists_of_all_lengths)
{
	static const unsigned int lengths[] = {
		1,   2,	  63,  64,  65,	 127, 128,  129,  254,	      255,
		256, 257, 510, 511, 512, 765, 1000, 5000, HL_LIST_MAX
	};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned int n = lengths[i];
		uint64_t before = counter(), want = 0;

		line_make_list(LINE_LIST, n);
		for (uint64_t k = 0; k < n; k++)
			want += (k + 1) ^ k;
		ck_assert_int_eq(line_call(HL_OP_TEST_SUM, LINE_LIST, n), n);
		ck_assert_uint_eq(line.slot[0].done, n);
		ck_assert_uint_eq(counter() - before, want);
		ck_assert_int_eq(line_call(HL_OP_TEST_INVERT, LINE_LIST, n), n);
		for (uint64_t k = 0; k < n; k++)
			ck_assert_uint_eq(
				page((unsigned int)(k / 255))->entry[k % 255].b,
				~(k + 1));
	}
	ck_assert_int_eq(line_call(HL_OP_TEST_SUM, 0xdead, 0), 0);
}
END_TEST

START_TEST(an_error_names_its_entry)
{
	struct hl_call *c;

	line_make_list(LINE_LIST, 600);
	page(1)->entry[45].a = 0; /* number 300 */
	ck_assert_int_eq(line_call(HL_OP_TEST_INVERT, LINE_LIST, 600),
			 HL_EINVAL);
	c = &line.slot[0];
	ck_assert_uint_eq(c->done, 300);
	ck_assert_uint_eq(page(1)->entry[44].b, ~300ull);
	ck_assert_uint_eq(page(1)->entry[45].b, 300);
	ck_assert_uint_eq(page(1)->entry[46].b, 301);
	c->done++;
	c->result = HL_NOT_RUN;
	line_go(0, 1);
	ck_assert_int_eq(c->result, 600);
	ck_assert_uint_eq(page(1)->entry[45].b, 300);
	ck_assert_uint_eq(page(1)->entry[46].b, ~302ull);
	/* Behind the last entry there is nothing to do. */
	page(2)->entry[89].a = 0;
	ck_assert_int_eq(line_call(HL_OP_TEST_INVERT, LINE_LIST, 600),
			 HL_EINVAL);
}
END_TEST

START_TEST(lists_that_cannot_be)
{
	struct hl_call *c;

	line_make_list(LINE_LIST, 10);
	ck_assert_int_eq(line_call(HL_OP_TEST_SUM, LINE_LIST, HL_LIST_MAX + 1),
			 HL_EINVAL);
	ck_assert_int_eq(line_call(HL_OP_TEST_SUM, LINE_LIST, ~0ull),
			 HL_EINVAL);
	c = line_slot(0, HL_OP_TEST_SUM, LINE_LIST, 10);
	c->done = 11;
	line_go(0, 1);
	ck_assert_int_eq(c->result, HL_EINVAL);
	c = line_slot(0, HL_OP_TEST_SUM, LINE_LIST, 10);
	c->arg[2] = 1;
	line_go(0, 1);
	ck_assert_int_eq(c->result, HL_EINVAL);
}
END_TEST

START_TEST(addresses_that_are_no_pages)
{
	static const uint64_t bad[] = {
		LINE_MEM,   LINE_MEM - 8,   LINE_LIST + 8,
		~0ull,	    ~0xfffull,	    0xd0002000,
		1ull << 63, HL_TEST_MMIO,   LINE_MEM - 4096 + 16,
		0xfee00000, 0x100000000ull,
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(line_call(HL_OP_TEST_SUM, bad[i], 1),
				 HL_EFAULT);
		ck_assert_uint_eq(line.slot[0].done, 0);
		line_make_list(LINE_LIST, 600);
		page(1)->next = bad[i];
		ck_assert_int_eq(line_call(HL_OP_TEST_INVERT, LINE_LIST, 600),
				 HL_EFAULT);
		ck_assert_uint_eq(line.slot[0].done, 510);
	}
	line_make_list(LINE_LIST, 600);
	page(1)->zero = 1;
	ck_assert_int_eq(line_call(HL_OP_TEST_SUM, LINE_LIST, 600), HL_EINVAL);
	ck_assert_uint_eq(line.slot[0].done, 255);
	ck_assert_int_eq(line_call(HL_OP_TEST_SUM, LINE_MEM - 4096, 255), 255);
}
END_TEST

START_TEST(lists_that_eat_themselves)
{
	line_make_list(LINE_LIST, 255);
	page(0)->next = LINE_LIST;
	ck_assert_int_eq(line_call(HL_OP_TEST_INVERT, LINE_LIST, HL_LIST_MAX),
			 HL_LIST_MAX);
	/* The list is the call page: this call's own slot is an entry. */
	memset(line.slot, 0, 4096);
	line.slot[1] = (struct hl_call){ .op = HL_OP_TEST_INVERT,
					 .result = HL_NOT_RUN,
					 .arg = { LINE_PAGE, 255 } };
	line_go(1, 1);
	ck_assert_int_eq(line.slot[1].result, HL_EINVAL);
	ck_assert_uint_eq(line.slot[1].done, 0); /* the slot's own word 3 */
	for (unsigned int i = 0; i < 4096 / 8; i++)
		((uint64_t *)line.slot)[i] = LINE_PAGE;
	memset(line.slot, 0, 16);
	line_slot(1, HL_OP_TEST_INVERT, LINE_PAGE, HL_LIST_MAX);
	line_go(1, 1);
	ck_assert(line.slot[1].result != 0);
}
END_TEST

START_TEST(test_call_limits)
{
	ck_assert_int_eq(line_call(HL_OP_TEST_DELAY, 0, 9), 9);
	ck_assert_int_eq(line_call(HL_OP_TEST_DELAY, HL_TEST_DELAY_MAX + 1, 0),
			 HL_EINVAL);
	ck_assert_int_eq(line_call(HL_OP_TEST_DELAY, 0, 1ull << 63), HL_EINVAL);
	ck_assert_int_eq(line_call(HL_OP_TEST_WAIT, HL_TEST_CELLS, 0),
			 HL_EINVAL);
	ck_assert_int_eq(line_call(HL_OP_TEST_WAIT, 0, HL_TEST_WAIT_MAX + 1),
			 HL_EINVAL);
	ck_assert_int_eq(line_call(HL_OP_TEST_WAKE, HL_TEST_CELLS, 0),
			 HL_EINVAL);
	ck_assert_int_eq(line_call(HL_OP_TEST_WAIT, 1, 1000), HL_ETIME);
	ck_assert_int_eq(line_call(HL_OP_TEST_WAKE, 2, 0), 0);
	ck_assert_int_eq(line_call(HL_OP_TEST_WAIT, 2, HL_TEST_WAIT_MAX), 0);
}
END_TEST

static void *wait_on_second(void *arg)
{
	int64_t *result = arg;

	*result = selftest_wait(line.test, 3, HL_TEST_WAIT_MAX);
	return NULL;
}

START_TEST(a_wake_ends_a_wait)
{
	int64_t result = 99;
	pthread_t thread;

	pthread_create(&thread, NULL, wait_on_second, &result);
	ck_assert_int_eq(line_call(HL_OP_TEST_WAKE, 3, 0), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(result, 0);
}
END_TEST

START_TEST(the_end_ends_a_wait)
{
	uint64_t start = clock_ns();
	int64_t result = 99;
	pthread_t thread;

	pthread_create(&thread, NULL, wait_on_second, &result);
	vm_end(&line.vm, 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(result, HL_ECANCELED);
	selftest_delay(line.test, HL_TEST_DELAY_MAX);
	ck_assert_uint_lt(clock_ns() - start, 2000000000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("line_list");
	TCase *tc = tcase_create("line_list");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, line_setup, line_teardown);
	tcase_add_test(tc, lists_of_all_lengths);
	tcase_add_test(tc, an_error_names_its_entry);
	tcase_add_test(tc, lists_that_cannot_be);
	tcase_add_test(tc, addresses_that_are_no_pages);
	tcase_add_test(tc, lists_that_eat_themselves);
	tcase_add_test(tc, test_call_limits);
	tcase_add_test(tc, a_wake_ends_a_wait);
	tcase_add_test(tc, the_end_ends_a_wait);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
