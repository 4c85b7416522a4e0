// SPDX-License-Identifier: GPL-2.0-only
/* One VMM making the machine of one row.  The runner's only thread. */
#include "tests/bench/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PRELOAD "/bench/statsfd.so" /* counts are made in L1 only */
#define ERRORS	"/tmp/bench.err"

/*
 * More than anything here takes: what exceeds it hangs.  A second of counted
 * instructions is half a minute for people.
 */
static const struct {
	uint64_t boot_ns, op_ns;
} patience[MODE_NR] = {
	[MODE_ICOUNT] = { 1000000000, 500000000 },
	[MODE_WALL] = { 240000000000, 480000000000 },
	[MODE_COUNT] = { 1000000000, 500000000 },
};

static bool is_wanted(const char *list, const char *name)
{
	size_t len = strlen(name);

	if (!list)
		return true;
	for (const char *at = strstr(list, name); at; at = strstr(at + 1, name))
		if ((at == list || at[-1] == ',') && strchr(",", at[len]))
			return true;
	return false;
}

unsigned int session_init_all(struct session *s, unsigned int max,
			      const struct bench_row *row,
			      const struct bench_options *opt)
{
	unsigned int n = 0;

	for (size_t i = 0; i < vmms_count && n < max; i++) {
		if (!is_wanted(opt->vmms, vmms[i].name))
			continue;
		memset(&s[n], 0, sizeof(s[n]));
		s[n].row = row;
		s[n].opt = opt;
		s[n].vmm = &vmms[i];
		s[n].machine = row->machine;
		s[n].machine.place = (unsigned int)i;
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

/* Processor time of the VMM and of its guest, in clock ticks. */
static unsigned long long ticks_of(pid_t pid)
{
	unsigned long long user = 0, system = 0;
	char path[64], line[512] = "", *after;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f) && (after = strrchr(line, ')')))
		sscanf(after,
		       ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
		       &user, &system);
	if (f)
		fclose(f);
	return user + system;
}

/* What the guest said last, which is why it is dead. */
static void show_output(struct session *s)
{
	uint64_t deadline = now_ns() + 100000000;
	char line[256];

	while (!vmproc_line(&s->vm, line, sizeof(line), deadline))
		fprintf(stderr, "  | %s\n", line);
}

/*
 * A guest that spins was hit by the bed's wrong interrupt; one that sleeps
 * waits for something that its VMM owes it.
 */
static void explain(struct session *s, const char *what, int err)
{
	unsigned long long before = ticks_of(s->vm.pid);
	const char *why = strerror(-err);

	if (err == -ETIMEDOUT) {
		usleep(50000);
		why = ticks_of(s->vm.pid) > before + 2 ? "hangs, spinning"
						       : "hangs, sleeping";
	}
	bench_fault(s->row, s->vmm->name, what, why);
	if (err != -ETIMEDOUT)
		show_output(s);
	show_errors();
}

int session_start(struct session *s)
{
	bool count = s->opt->mode == MODE_COUNT && s->row->kind != KIND_MEMORY;
	struct kvmstats_values before;
	char line[128];
	int err;

	kvmstats_read(&s->stats, &before);
	s->user_before = before.user;
	err = vmproc_start(&s->vm, s->args.v, count ? PRELOAD : NULL, ERRORS);
	if (!err)
		err = vmproc_expect(&s->vm, "READY", line, sizeof(line),
				    s->vm.started +
					    patience[s->opt->mode].boot_ns);
	if (!err)
		return 0;
	explain(s, "no READY", err);
	session_stop(s);
	return err;
}

void session_stop(struct session *s)
{
	kvmstats_close(&s->stats);
	s->wished = s->acted = s->refused = 0;
	vmproc_stop(&s->vm);
}

int session_counts(struct session *s, struct kvmstats_values *v)
{
	int err = 0;

	if (!s->stats.nr)
		err = kvmstats_open(&s->stats, s->vm.pid, s->vm.pidfd);
	if (err) {
		bench_fault(s->row, s->vmm->name, "KVM's statistics",
			    strerror(-err));
		return err;
	}
	kvmstats_read(&s->stats, v);
	v->user -= s->user_before;
	return 0;
}

/* The guest's clock and ours must agree, or neither is to be believed. */
static void compare_clocks(struct session *s, const char *command,
			   uint64_t inside, uint64_t outside)
{
	uint64_t slack = 10000000 + outside / 20;

	if (inside > outside || outside - inside > slack)
		fprintf(stderr,
			"bench: %s: %.*s: %.3f ms by the guest's clock, %.3f by ours\n",
			s->vmm->name, (int)strcspn(command, "\n"), command,
			(double)inside / 1e6, (double)outside / 1e6);
}

static uint64_t cpu_ns(const struct session *s)
{
	struct timespec t = { 0 };
	clockid_t clock;

	if (!clock_getcpuclockid(s->vm.pid, &clock))
		clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void take_value(struct session_result *r, const char *line)
{
	struct session_value *v = &r->more[r->nr_more];

	if (r->nr_more < VALUES &&
	    sscanf(line, "V %23s %lf", v->name, &v->value) == 2)
		r->nr_more++;
}

double session_value(const struct session_result *r, const char *name)
{
	for (unsigned int i = 0; i < r->nr_more; i++)
		if (!strcmp(r->more[i].name, name))
			return r->more[i].value;
	return 0;
}

static bool is_answer(const char *line)
{
	return *line && strchr("RES", *line) && line[1] == ' ';
}

/* The line with the answer; the values before it are kept. */
static int hear(struct session *s, struct session_result *r, char *line,
		size_t size, uint64_t deadline)
{
	int err;

	do {
		err = vmproc_line(&s->vm, line, size, deadline);
		if (!err)
			take_value(r, line);
	} while (!err && !is_answer(line));
	return err;
}

int session_do(struct session *s, const char *command, struct session_result *r)
{
	uint64_t start = now_ns(), cpu = cpu_ns(s),
		 limit = s->limit_ns ? s->limit_ns
				     : patience[s->opt->mode].op_ns,
		 deadline = start + limit + s->asked_ns;
	unsigned long long ns, ops, bytes, p50, p99, min, mean, max, waited;
	char line[256];
	int err = vmproc_say(&s->vm, command);

	*r = (struct session_result){ 0 };
	err = err ? err : hear(s, r, line, sizeof(line), deadline);
	if (err) {
		explain(s, command, err);
		return err;
	}
	if (line[0] == 'S') {
		bench_fault(s->row, s->vmm->name, command, line + 2);
		return -EOPNOTSUPP;
	}
	if (sscanf(line, "R %llu %llu %llu %llu %llu %llu %llu %llu %llu", &ns,
		   &ops, &bytes, &p50, &p99, &min, &mean, &max, &waited) != 9) {
		bench_fault(s->row, s->vmm->name, command, line);
		return -EPROTO;
	}
	/* Where processors are lacking the answer itself has to wait. */
	if (!s->row->yield)
		compare_clocks(s, command, ns + waited, now_ns() - start);
	r->cpu_ns = cpu_ns(s) - cpu;
	r->ns = ns;
	r->ops = ops;
	r->bytes = bytes;
	r->p50 = p50;
	r->p99 = p99;
	r->min = min;
	r->mean = mean;
	r->max = max;
	return 0;
}

void session_sample(const struct session *s, const char *metric,
		    const char *unit, const char *mode, double value)
{
	bench_sample(s->row, s->vmm->name, metric, unit, mode, value);
}
