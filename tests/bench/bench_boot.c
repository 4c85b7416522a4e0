// SPDX-License-Identifier: GPL-2.0-only
/* Boots: from exec to the guest's READY.  The runner's only thread. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/kvmstats.h"
#include "tests/bench/session.h"
#include "tests/bench/vmproc.h"

static void print_counts(struct session *s)
{
	struct kvmstats_values v;

	if (session_counts(s, &v))
		return;
	session_sample(s, "exec to READY", "exits", "count", (double)v.exits);
	session_sample(s, "exec to READY", "exits to the VMM", "count",
		       (double)v.user);
}

/* One boot.  first: only to warm up. */
static int boot_once(struct session *s, bool first)
{
	uint64_t end;
	int err = session_start(s);

	end = now_ns();
	if (!err && !first && s->opt->mode == MODE_COUNT)
		print_counts(s);
	else if (!err && !first)
		session_sample(s, "exec to READY", "ms",
			       bench_mode_names[s->opt->mode],
			       (double)(end - s->vm.started) / 1e6);
	session_stop(s);
	return err;
}

unsigned int bench_boot(const struct bench_row *row,
			const struct bench_options *opt)
{
	static struct session s[SESSIONS];
	unsigned int failed = 0, n = session_init_all(s, SESSIONS, row, opt);

	for (unsigned int run = 0; run <= opt->runs; run++) {
		for (unsigned int i = 0; i < n; i++) {
			if (s[i].failed)
				continue;
			for (int try = 0; try <= RESTARTS; try++) {
				s[i].failed = boot_once(&s[i], !run) != 0;
				if (!s[i].failed)
					break;
			}
			failed += s[i].failed;
		}
	}
	return failed;
}
