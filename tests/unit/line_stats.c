// SPDX-License-Identifier: GPL-2.0-only
/* Counters of calls and of exits, and who switches the dear ones on. */
#include <check.h>
#include <jansson.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>

#include "lib_line.h"
#include "lib_mmio.h"
#include "tests/unit/lib_run.h"
#include "vmm/backend/wants.h"
#include "vmm/core/exits.h"
#include "vmm/core/stats.h"

static char *text;

static const char *printed(void (*print)(struct vm *vm, FILE *out))
{
	size_t len;
	FILE *f;

	free(text);
	f = open_memstream(&text, &len);
	print(&line.vm, f);
	fclose(f);
	return text;
}

/* The hypercalls' row of that name. */
static json_t *row(const char *name)
{
	static json_t *all;
	json_t *r;
	size_t i;

	json_decref(all);
	all = json_loads(printed(stats_print_json), 0, NULL);
	ck_assert_ptr_nonnull(all);
	json_array_foreach(
		json_object_get(json_object_get(all, "hypercalls"), "calls"), i,
		r) if (!strcmp(json_string_value(json_object_get(r, "name")),
			       name)) return r;
	ck_abort_msg("no row %s", name);
	return NULL;
}

static json_int_t number(const char *name, const char *key)
{
	return json_integer_value(json_object_get(row(name), key));
}

static json_int_t sum(const char *name, const char *key)
{
	json_int_t total = 0;
	json_t *n;
	size_t i;

	json_array_foreach(json_object_get(row(name), key), i, n)
		total += json_integer_value(n);
	return total;
}

START_TEST(calls_are_counted)
{
	struct hl_call c = { .op = HL_OP_NULL, .result = HL_NOT_RUN };

	line_call(HL_OP_NULL, 0, 0);
	line_call(HL_OP_NULL, 1, 0);
	line_call(0x77, 0, 0);
	hypercall_execute(line.hc, &c);
	ck_assert_int_eq(number("null", "calls"), 3);
	ck_assert_int_eq(number("null", "errors"), 1);
	ck_assert_int_eq(number("null", "posted"), 1);
	ck_assert_int_eq(number("unknown", "calls"), 1);
	ck_assert_int_eq(number("unknown", "errors"), 1);
	ck_assert_ptr_null(json_object_get(row("null"), "ns_log2"));
	ck_assert_ptr_nonnull(strstr(printed(stats_print_text), "\n  null "));
	ck_assert_ptr_null(strstr(text, "test_sum"));
}
END_TEST

/* One crossing of all kinds, of which each is counted where it belongs. */
START_TEST(a_mixed_multicall_is_counted)
{
	unsigned int n = 0;

	line_make_list(LINE_LIST, 4);
	for (int i = 0; i < 9; i++)
		line_slot(n++, HL_OP_TEST_COUNT, 1, 0);
	for (int i = 0; i < 3; i++)
		line_slot(n++, HL_OP_NULL, 0, 0);
	line_slot(n++, HL_OP_TEST_WAKE, HL_TEST_CELLS, 0);
	line_slot(n++, HL_OP_TEST_COUNT, 1, 0);
	line_slot(n++, HL_OP_TEST_WAKE, 0, 0);
	line_slot(n++, HL_OP_TEST_SUM, LINE_LIST, 4);
	line_slot(n++, HL_OP_TEST_COUNT, 1, 1);
	line_slot(n++, 0xfff0, 0, 0);
	line_slot(n++, HL_OP_NULL, 0, 0)->flags = 1;
	line_slot(n++, HL_OP_NULL, 0, 0)->done = 1;
	line_slot(n++, HL_OP_NULL, 0, 0);
	ck_assert_int_eq(line_go(0, n), n);
	ck_assert_int_eq(line.slot[12].result, HL_EINVAL);
	ck_assert_int_eq(line.slot[13].result, 9);
	ck_assert_int_eq(line.slot[n - 1].result, 0);
	ck_assert_int_eq(number("test_count", "calls"), 11);
	ck_assert_int_eq(number("test_count", "errors"), 1);
	ck_assert_int_eq(number("null", "calls"), 6);
	ck_assert_int_eq(number("null", "errors"), 2);
	ck_assert_int_eq(number("test_wake", "calls"), 2);
	ck_assert_int_eq(number("test_wake", "errors"), 1);
	ck_assert_int_eq(number("test_sum", "entries"), 4);
	ck_assert_int_eq(number("unknown", "calls"), 1);
}
END_TEST

/* In as many crossings as it takes, a list is one call. */
START_TEST(lists_are_counted)
{
	json_t *lengths;

	line_make_list(LINE_LIST, 600);
	line.hc->crossing_ticks = 1;
	ck_assert_int_eq(line_call(HL_OP_TEST_SUM, LINE_LIST, 600), 600);
	ck_assert_int_eq(line_call(HL_OP_TEST_SUM, LINE_LIST, 1), 1);
	ck_assert_int_eq(number("test_sum", "calls"), 2);
	ck_assert_int_eq(number("test_sum", "entries"), 601);
	lengths = json_object_get(row("test_sum"), "lengths_log2");
	ck_assert_int_eq(json_integer_value(json_array_get(lengths, 0)), 1);
	ck_assert_int_eq(json_integer_value(json_array_get(lengths, 9)), 1);
	ck_assert_uint_eq(json_array_size(lengths), 10);
	ck_assert_ptr_nonnull(strstr(printed(stats_print_text), " from 512 "));
}
END_TEST

START_TEST(times_are_counted_on_request)
{
	struct wants w = { .vm = &line.vm };
	bool a[WANTS] = { 0 }, b[WANTS] = { 0 };
	struct hl_call c = { .op = HL_OP_NULL, .result = HL_NOT_RUN };

	line_call(HL_OP_NULL, 0, 0);
	wants_add(&w, a, WANT_TIMES);
	wants_add(&w, a, WANT_TIMES);
	wants_add(&w, b, WANT_TIMES);
	line_slot(0, HL_OP_NULL, 0, 0);
	line_slot(1, HL_OP_NULL, 0, 0);
	ck_assert_int_eq(line_go(0, 2), 2);
	hypercall_execute(line.hc, &c);
	ck_assert_int_eq(sum("null", "ns_log2"), 3);
	wants_drop(&w, a);
	wants_drop(&w, a);
	line_call(HL_OP_NULL, 0, 0);
	ck_assert_int_eq(sum("null", "ns_log2"), 4);
	wants_drop(&w, b);
	ck_assert_ptr_null(json_object_get(row("null"), "ns_log2"));
	/* The next one's start with nothing. */
	wants_add(&w, b, WANT_TIMES);
	ck_assert_int_eq(sum("null", "ns_log2"), 0);
	line_call(HL_OP_NULL, 0, 0);
	ck_assert_int_eq(sum("null", "ns_log2"), 1);
	wants_drop(&w, b);
}
END_TEST

static void exits_of(struct vcpu *vcpu, uint64_t rip, unsigned int reason,
		     unsigned int samples)
{
	bed.kvm.regs.rip = rip;
	vcpu->run->exit_reason = reason;
	for (unsigned int i = 0; i < samples * EXITS_EVERY; i++)
		exits_note(vcpu);
}

START_TEST(exits_are_sampled)
{
	static struct kvm_run run;
	struct wants w = { .vm = &line.vm };
	bool a[WANTS] = { 0 };

	bed.kvm.on = true;
	for (unsigned int i = 0; i < LINE_CPUS; i++) {
		line.vcpu[i].fd = -1;
		line.vcpu[i].run = &run;
	}
	exits_of(&line.vcpu[0], 0x1000, KVM_EXIT_IO, 1); /* nobody asked */
	wants_add(&w, a, WANT_EXITS);
	ck_assert_str_eq(printed(exits_print), "");
	exits_of(&line.vcpu[0], 0x1000, KVM_EXIT_IO, 2);
	exits_of(&line.vcpu[1], 0x1000, KVM_EXIT_IO, 3);
	exits_of(&line.vcpu[1], 0x1000, KVM_EXIT_MMIO, 1);
	exits_of(&line.vcpu[1], 0xffffffff81000000, KVM_EXIT_X86_WRMSR, 7);
	ck_assert_str_eq(printed(exits_print), "ffffffff81000000 msr 7\n"
					       "1000 pio 5\n1000 mmio 1\n");
	wants_drop(&w, a);
	wants_add(&w, a, WANT_EXITS);
	ck_assert_str_eq(printed(exits_print), "");
	/* More places than there is room for. */
	for (uint64_t rip = 1; rip <= 5000; rip++)
		exits_of(&line.vcpu[0], rip, KVM_EXIT_IO, 1);
	ck_assert_ptr_nonnull(strstr(printed(exits_print), "\n0 other "));
	wants_drop(&w, a);
	for (unsigned int i = 0; i < LINE_CPUS; i++)
		free(line.vcpu[i].exits);
}
END_TEST

static void teardown(void)
{
	line_teardown();
	free(text);
	text = NULL;
}

int main(void)
{
	Suite *s = suite_create("line_stats");
	TCase *tc = tcase_create("line_stats");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, line_setup, teardown);
	tcase_add_test(tc, calls_are_counted);
	tcase_add_test(tc, a_mixed_multicall_is_counted);
	tcase_add_test(tc, lists_are_counted);
	tcase_add_test(tc, times_are_counted_on_request);
	tcase_add_test(tc, exits_are_sampled);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
