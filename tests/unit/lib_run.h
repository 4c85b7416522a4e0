/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of each unit test program's main(). */
#ifndef TESTS_UNIT_LIB_RUN_H
#define TESTS_UNIT_LIB_RUN_H

#include <check.h>

/* Runs the suite and frees it; what main() returns. */
int unit_run(Suite *suite);

#endif
