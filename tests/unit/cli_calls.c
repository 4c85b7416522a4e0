// SPDX-License-Identifier: GPL-2.0-only
/* Options of what the hypercalls bring. */
#include <check.h>

#include "tests/unit/lib_cli.h"
#include "tests/unit/lib_run.h"

START_TEST(test_timer)
{
	good("");
	ck_assert(!cfg.timer.off);
	ck_assert_int_eq(cfg.timer.halt_by_call, RUN_AUTO);
	good("--timer off");
	ck_assert(cfg.timer.off);
	good("--timer off --timer halt=call");
	ck_assert(!cfg.timer.off);
	ck_assert_int_eq(cfg.timer.halt_by_call, RUN_ON);
	good("--timer on,halt=exits");
	ck_assert_int_eq(cfg.timer.halt_by_call, RUN_OFF);
	good("--timer on,halt=auto");
	ck_assert_int_eq(cfg.timer.halt_by_call, RUN_AUTO);
}
END_TEST

START_TEST(test_yield)
{
	good("");
	ck_assert_int_eq(cfg.yield.how, RUN_YIELD_AUTO);
	ck_assert_int_eq(cfg.yield.rate, 0);
	good("--yield lease,rate=100");
	ck_assert_int_eq(cfg.yield.how, RUN_YIELD_LEASE);
	ck_assert_int_eq(cfg.yield.rate, 100);
	good("--yield rate=7 --yield off");
	ck_assert_int_eq(cfg.yield.how, RUN_YIELD_OFF);
	ck_assert_int_eq(cfg.yield.rate, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli_calls");
	TCase *tc = tcase_create("options");

	tcase_add_checked_fixture(tc, cli_setup, cli_teardown);
	tcase_add_test(tc, test_timer);
	tcase_add_test(tc, test_yield);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
