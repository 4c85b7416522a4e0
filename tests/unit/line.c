// SPDX-License-Identifier: GPL-2.0-only
/* Slots, call pages, the table, and how long a crossing lasts. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "hypercalls/ring.h"
#include "lib_line.h"
#include "tests/unit/lib_run.h"

START_TEST(a_call_returns_its_result)
{
	ck_assert_int_eq(line_call(HL_OP_NULL, 0, 0), 0);
	ck_assert_int_eq(line_call(HL_OP_TEST_COUNT, 5, 0), 0);
	ck_assert_int_eq(line_call(HL_OP_TEST_COUNT, 0, 0), 5);
}
END_TEST

START_TEST(slots_run_in_order)
{
	for (unsigned int i = 0; i < HL_SLOTS; i++)
		line_slot(i, HL_OP_TEST_COUNT, i, 0);
	ck_assert_int_eq(line_go(0, 64), 64);
	for (unsigned int i = 0, sum = 0; i < HL_SLOTS; sum += i++)
		ck_assert_int_eq(line.slot[i].result, sum);
	for (unsigned int i = 0; i < HL_SLOTS; i++)
		line_slot(i, HL_OP_NULL, 0, 0);
	ck_assert_int_eq(line_go(60, 4), 4);
	for (unsigned int i = 0; i < HL_SLOTS; i++)
		ck_assert(line.slot[i].result == (i < 60 ? HL_NOT_RUN : 0));
}
END_TEST

START_TEST(crossings_that_name_no_slots)
{
	static const uint64_t bad[] = {
		0,
		65,
		0xff,
		HL_RUN(64, 1),
		HL_RUN(1, 64),
		HL_RUN(63, 2),
		HL_RUN(5, 0),
		1ull << 32 | 1,
		1ull << 63,
		HL_RUN(~0ull, 1),
		~0ull,
	};

	line_slot(0, HL_OP_NULL, 0, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(line_run(&line.hc->cpu[0], bad[i]), HL_EINVAL);
	ck_assert(line.slot[0].result == HL_NOT_RUN);
	ck_assert_int_eq(line_run(&line.hc->cpu[1], HL_RUN(0, 1)), HL_EFAULT);
}
END_TEST

START_TEST(malformed_calls_are_refused)
{
	struct hl_call *c;

	ck_assert_int_eq(line_call(HL_OP_NULL, 1, 0), HL_EINVAL);
	ck_assert_int_eq(line_call(HL_OP_TEST_COUNT, 1, 1), HL_EINVAL);
	c = line_slot(0, HL_OP_NULL, 0, 0);
	c->arg[5] = 1;
	line_go(0, 1);
	ck_assert_int_eq(c->result, HL_EINVAL);
	c = line_slot(0, HL_OP_NULL, 0, 0);
	c->done = 1;
	line_go(0, 1);
	ck_assert_int_eq(c->result, HL_EINVAL);
	ck_assert_uint_eq(c->done, 1);
	for (uint32_t flags = 1; flags < 0x10000; flags <<= 1) {
		c = line_slot(0, HL_OP_NULL, 0, 0);
		c->flags = (uint16_t)flags;
		line_go(0, 1);
		ck_assert_int_eq(c->result, HL_EINVAL);
	}
	c->result = 0;
	ck_assert_int_eq(line_go(0, 1), 1);
	ck_assert_int_eq(c->result, HL_EINVAL);
}
END_TEST

START_TEST(ops_that_are_not_there)
{
	for (uint32_t op = 0; op < 0x10000; op++)
		if (op >= call_rows || !call_table[op].name)
			ck_assert_int_eq(line_call((uint16_t)op, 0, 0),
					 HL_ENOSYS);
}
END_TEST

static const uint64_t features_on[] = { 0, HL_FEATURE_TEST };

START_TEST(ops_whose_feature_is_off)
{
	line_teardown();
	line_setup_with(features_on[_i]);
	ck_assert_int_eq(line_call(HL_OP_NULL, 0, 0), 0);
	for (unsigned int op = 0; op < call_rows; op++)
		if (call_table[op].feature & ~features_on[_i])
			ck_assert_int_eq(line_call((uint16_t)op, 0, 0),
					 HL_ENOSYS);
}
END_TEST

START_TEST(call_pages)
{
	struct line_cpu *cpu = &line.hc->cpu[0];
	uint32_t last = (LINE_MEM >> 12) - 1;

	line_set_page(cpu, last + 1);
	ck_assert_uint_eq(cpu->pfn, LINE_PAGE >> 12);
	line_set_page(cpu, 0xfffffffe);
	ck_assert_uint_eq(cpu->pfn, LINE_PAGE >> 12);
	ck_assert_int_eq(line_call(HL_OP_NULL, 0, 0), 0);
	line_set_page(cpu, last);
	ck_assert_uint_eq(cpu->pfn, last);
	line.slot = line_ptr((uint64_t)last << 12);
	for (unsigned int i = 0; i < HL_SLOTS; i++)
		line_slot(i, HL_OP_NULL, 0, 0);
	ck_assert_int_eq(line_go(0, 64), 64);
	line_set_page(cpu, ~0u);
	ck_assert_uint_eq(cpu->pfn, ~0u);
	ck_assert_int_eq(line_go(0, 1), HL_EFAULT);
}
END_TEST

/* A clock that is over at once. */
START_TEST(each_crossing_does_some_work)
{
	struct hl_call *c;
	int crossings = 0;

	line.hc->crossing_ticks = 1;
	for (unsigned int i = 0; i < HL_SLOTS; i++)
		line_slot(i, i % 3 ? HL_OP_NULL : HL_OP_TEST_COUNT, 0, 0);
	for (unsigned int i = 0; i < HL_SLOTS; i += CALL_UNTIMED) {
		ck_assert(line.slot[i].result == HL_NOT_RUN);
		ck_assert_int_eq(line_go(i, HL_SLOTS - i), CALL_UNTIMED);
		ck_assert_int_eq(line.slot[i + CALL_UNTIMED - 1].result, 0);
	}
	/* Those that go the long way are looked at one by one. */
	line_slot(0, HL_OP_NULL, 1, 0);
	line_slot(1, HL_OP_NULL, 0, 0);
	ck_assert_int_eq(line_go(0, 2), 1);
	line_make_list(LINE_LIST, 1000);
	c = line_slot(0, HL_OP_TEST_INVERT, LINE_LIST, 1000);
	line_slot(1, HL_OP_NULL, 0, 0);
	while (c->result == HL_NOT_RUN && crossings < 1000) {
		uint32_t before = c->done;

		line_go(0, 2);
		ck_assert_uint_gt(c->done, before);
		ck_assert_uint_le(c->done - before, CALL_BATCH_MAX);
		crossings++;
	}
	ck_assert_int_eq(c->result, 1000);
	ck_assert_uint_eq(c->done, 1000);
	ck_assert_int_ge(crossings, 1000 / CALL_BATCH_MAX);
	ck_assert(line.slot[1].result == HL_NOT_RUN);
}
END_TEST

START_TEST(a_slow_call_ends_its_crossing)
{
	line_slot(0, HL_OP_TEST_DELAY, 1000, 7);
	line_slot(1, HL_OP_NULL, 0, 0);
	ck_assert_int_eq(line_go(0, 2), 1);
	ck_assert_int_eq(line.slot[0].result, 7);
	ck_assert(line.slot[1].result == HL_NOT_RUN);
	/* Only its own: not one that begins with no call at all. */
	line_slot(0, 0x99, 0, 0);
	ck_assert_int_eq(line_go(0, 2), 2);
}
END_TEST

START_TEST(rows_make_sense)
{
	unsigned int rows = 0;

	ck_assert_uint_le(call_rows, HL_OPS_MAX);
	for (unsigned int op = 0; op < call_rows; op++) {
		const struct call_row *row = &call_table[op];

		if (!row->name)
			continue;
		rows++;
		ck_assert_ptr_nonnull(row->doc);
		for (unsigned int i = 0; i < CALL_ARGS; i++) {
			ck_assert_int_eq(!row->arg[i], i >= row->args);
		}
		ck_assert(!row->one == (row->kind != CALL_ONE));
		ck_assert(!row->list == (row->kind == CALL_ONE));
		if (row->kind == CALL_ONE)
			continue;
		ck_assert(row->arg[0] && row->arg[1]);
		ck_assert(row->batch && row->batch <= CALL_BATCH_MAX);
		ck_assert(row->max && row->max <= HL_LIST_MAX);
	}
	ck_assert_uint_ge(rows, 7);
}
END_TEST

static struct hl_call call(uint16_t op, uint64_t a, uint64_t b)
{
	return (struct hl_call){ .op = op,
				 .result = HL_NOT_RUN,
				 .arg = { a, b } };
}

START_TEST(posted_calls)
{
	struct hl_call c = call(0x99, 0, 0);

	ck_assert_int_eq(hypercall_admit(line.hc, &c), HL_ENOSYS);
	ck_assert_int_eq(hypercall_execute(line.hc, &c), HL_ENOSYS);
	c = call(HL_OP_NULL, 0, 0);
	ck_assert_int_eq(hypercall_admit(line.hc, &c), RINGS_SHORT);
	ck_assert_int_eq(hypercall_execute(line.hc, &c), 0);
	c.arg[3] = 3;
	ck_assert_int_eq(hypercall_execute(line.hc, &c), HL_EINVAL);
	c = call(HL_OP_TEST_DELAY, 10, 4);
	ck_assert_int_eq(hypercall_admit(line.hc, &c), RINGS_LONG);
	ck_assert_int_eq(hypercall_execute(line.hc, &c), 4);
	/* However long the list, it comes back done. */
	line.hc->crossing_ticks = 1;
	line_make_list(LINE_LIST, 10000);
	c = call(HL_OP_TEST_SUM, LINE_LIST, 10000);
	ck_assert_int_eq(hypercall_admit(line.hc, &c), RINGS_LONG);
	ck_assert_int_eq(hypercall_execute(line.hc, &c), 10000);
	ck_assert_uint_eq(c.done, 10000);
	/* But for the machine's end. */
	vm_end(&line.vm, 0);
	c.done = 0;
	ck_assert_int_eq(hypercall_execute(line.hc, &c), HL_ECANCELED);
	ck_assert_uint_lt(c.done, 10000);
}
END_TEST

/* A ring opened by a call, a call posted to it, its completion. */
START_TEST(rings_are_wired)
{
	struct hl_ring *ring;
	struct hl_call *posted;
	uint64_t irqs = 0;

	line_teardown();
	line_setup_with(HL_FEATURE_ASYNC);
	ring = line_ptr(LINE_LIST);
	posted = (void *)((uint8_t *)ring + HL_RING_CALLS);
	ck_assert_int_eq(line_call(HL_OP_RING_CLOSE, LINE_RINGS, 0), HL_EINVAL);
	line_slot(0, HL_OP_RING_OPEN, 2, LINE_LIST)->arg[2] = 16;
	ck_assert_int_eq(line_go(0, 1), 1);
	ck_assert_int_eq(line.slot[0].result, 0);
	*posted = (struct hl_call){ .op = HL_OP_NULL, .result = 77 };
	__atomic_store_n(&ring->call_tail, 1, __ATOMIC_SEQ_CST);
	eventfd_write(rings_doorbell(line.hc->rings, 2), 1);
	for (int i = 0; i < 5000 && !irqs; i++) {
		const struct timespec ms = { .tv_nsec = 1000000 };

		nanosleep(&ms, NULL);
		if (read(line.vm.irq.fd[LINE_GSI + 2], &irqs, sizeof(irqs)) < 0)
			irqs = 0;
	}
	ck_assert_uint_eq(irqs, 1);
	ck_assert_uint_eq(ring->completion_tail, 1);
	ck_assert_int_eq(line_call(HL_OP_RING_CANCEL, 2, 77), HL_ENOENT);
	ck_assert_int_eq(line_call(HL_OP_RING_CLOSE, 2, 0), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("line");
	TCase *tc = tcase_create("line");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, line_setup, line_teardown);
	tcase_add_test(tc, a_call_returns_its_result);
	tcase_add_test(tc, slots_run_in_order);
	tcase_add_test(tc, crossings_that_name_no_slots);
	tcase_add_test(tc, malformed_calls_are_refused);
	tcase_add_test(tc, ops_that_are_not_there);
	tcase_add_loop_test(tc, ops_whose_feature_is_off, 0, 2);
	tcase_add_test(tc, call_pages);
	tcase_add_test(tc, each_crossing_does_some_work);
	tcase_add_test(tc, a_slow_call_ends_its_crossing);
	tcase_add_test(tc, rows_make_sense);
	tcase_add_test(tc, posted_calls);
	tcase_add_test(tc, rings_are_wired);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
