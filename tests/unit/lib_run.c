// SPDX-License-Identifier: GPL-2.0-only
#include "tests/unit/lib_run.h"

int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	/* CK_VERBOSITY and CK_FORK=no are for those who debug. */
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
