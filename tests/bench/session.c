// SPDX-License-Identifier: GPL-2.0-only
/* One VMM making the machine of one row.  The runner's only thread. */
#include "tests/bench/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRELOAD BENCH_DIR "/statsfd.so"
#define ERRORS	"/tmp/bench.err"

/* Far more than anything here takes: what exceeds it hangs. */
#define BOOT_NS 60000000000ull
#define OP_NS	300000000000ull

unsigned int session_init_all(struct session *s, const struct bench_row *row,
			      const struct bench_options *opt)
{
	unsigned int n = 0;

	for (size_t i = 0; i < vmms_count && n < SESSIONS; i++) {
		if ((row->vmm && strcmp(row->vmm, vmms[i].name)) ||
		    (opt->vmm && strcmp(opt->vmm, vmms[i].name)))
			continue;
		memset(&s[n], 0, sizeof(s[n]));
		s[n].row = row;
		s[n].opt = opt;
		s[n].vmm = &vmms[i];
		s[n].machine = row->machine;
		s[n].machine.tap = (unsigned int)i;
		if (vmms[i].args(&s[n].machine, &s[n].args))
			n++;
	}
	return n;
}

static void show_errors(void)
{
	char line[256];
	FILE *f = fopen(ERRORS, "re");

	while (f && fgets(line, sizeof(line), f))
		fprintf(stderr, "  %s", line);
	if (f)
		fclose(f);
}

int session_start(struct session *s)
{
	bool count = s->opt->mode == MODE_COUNT;
	char line[128];
	int err = vmproc_start(&s->vm, s->args.v, count ? PRELOAD : NULL,
			       ERRORS);

	if (!err)
		err = vmproc_expect(&s->vm, "READY", line, sizeof(line),
				    s->vm.started + BOOT_NS);
	if (!err)
		return 0;
	bench_fault(s->row, s->vmm->name, "no READY", strerror(-err));
	show_errors();
	session_stop(s);
	return err;
}

void session_stop(struct session *s)
{
	kvmstats_close(&s->stats);
	vmproc_stop(&s->vm);
}

int session_counts(struct session *s, struct kvmstats_values *v)
{
	int err = 0;

	if (!s->stats.nr)
		err = kvmstats_open(&s->stats, s->vm.pid, s->vm.pidfd);
	if (err)
		bench_fault(s->row, s->vmm->name, "KVM's statistics",
			    strerror(-err));
	else
		kvmstats_read(&s->stats, v);
	return err;
}

/* The guest's clock and ours must agree, or neither is to be believed. */
static void compare_clocks(struct session *s, const char *command,
			   uint64_t inside, uint64_t outside)
{
	uint64_t slack = 2000000 + outside / 20;

	if (inside > outside || outside - inside > slack)
		fprintf(stderr,
			"bench: %s: %s: %.3f ms by the guest's clock, %.3f by ours\n",
			s->vmm->name, command, (double)inside / 1e6,
			(double)outside / 1e6);
}

int session_do(struct session *s, const char *command, struct session_result *r)
{
	uint64_t start = now_ns(), deadline = start + OP_NS;
	unsigned long long ns, ops, bytes;
	char line[256];
	int err = vmproc_say(&s->vm, command);

	do
		err = err ? err : vmproc_line(&s->vm, line, sizeof(line), deadline);
	while (!err && strncmp(line, "R ", 2) && strncmp(line, "E ", 2));
	if (err) {
		bench_fault(s->row, s->vmm->name, command, strerror(-err));
		show_errors();
		return -1;
	}
	if (sscanf(line, "R %llu %llu %llu", &ns, &ops, &bytes) != 3) {
		bench_fault(s->row, s->vmm->name, command, line);
		return -1;
	}
	compare_clocks(s, command, ns, now_ns() - start);
	*r = (struct session_result){ .ns = ns, .ops = ops, .bytes = bytes };
	return 0;
}

void session_sample(const struct session *s, const char *metric,
		    const char *unit, const char *mode, double value)
{
	bench_sample(s->row, s->vmm->name, metric, unit, mode, value);
}
