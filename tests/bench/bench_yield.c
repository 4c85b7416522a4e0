// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks in guests with as many vCPUs as the host has processors for them, or
 * more, beside hogs or not.  All guests are up, and take turns, run by run.
 * The runner's only thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/hog.h"
#include "tests/bench/session.h"
#include "tests/bench/vmsched.h"

#define WORK_LOOPS 20000

/* What a turn took of the host, and of those who have to share it. */
struct turn {
	struct vmsched before, after;
	uint64_t start, end; /* ns */
	uint64_t hogs;
};

/* Guests that had to be started again, of this row. */
static unsigned int remade;

/* Rounds of the guest's loop in a microsecond; the same for all of them. */
static double loops_per_us;

static int calibrate(struct session *s)
{
	struct session_result r;
	char command[64];
	int err;

	snprintf(command, sizeof(command), "line work %d\n", WORK_LOOPS);
	err = session_do(s, command, &r);
	if (err)
		return err;
	loops_per_us = WORK_LOOPS * 1e3 / session_value(&r, "total");
	session_sample(s, "a PAUSE", "ns", "wall",
		       session_value(&r, "paused") / WORK_LOOPS);
	return 0;
}

static void make_command(const struct session *s, const struct yield_op *op,
			 char *buf, size_t size)
{
	unsigned int cpus = s->machine.cpus;
	unsigned int loops = (unsigned int)(op->inside_us * loops_per_us) + 1;

	if (op->kind == YIELD_CONTEND)
		snprintf(buf, size, "line contend %s %u %u %u %u\n", op->what,
			 cpus, loops, loops, op->ms);
	else if (op->kind == YIELD_STORM)
		snprintf(buf, size, "mmap %u %u\n", cpus, op->ms);
	else
		snprintf(buf, size, "program %s %u\n", op->what, cpus);
}

static void sample(struct session *s, const struct yield_op *op,
		   const char *what, const char *unit, double value)
{
	char metric[64];

	snprintf(metric, sizeof(metric), "%s%s", op->metric, what);
	session_sample(s, metric, unit, "wall", value);
}

static void print_contend(struct session *s, const struct yield_op *op,
			  const struct session_result *r)
{
	double all = (double)s->machine.cpus * session_value(r, "total");

	sample(s, op, "", "taken/s", (double)r->ops * 1e3 / op->ms);
	sample(s, op, ", wait p50", "us", (double)r->p50 / 1e3);
	sample(s, op, ", wait p99", "us", (double)r->p99 / 1e3);
	sample(s, op, ", waiting of the vCPUs' time", "%",
	       session_value(r, "waited") / all * 100);
	sample(s, op, ", fairness", "least/most",
	       session_value(r, "least") / session_value(r, "most"));
}

static void print_turn(struct session *s, const struct yield_op *op,
		       const struct turn *t)
{
	double seconds = (double)(t->end - t->start) / 1e9;

	sample(s, op, ", processor time", "%",
	       (double)(t->after.run_ns - t->before.run_ns) / 1e7 / seconds);
	sample(s, op, ", switches", "per s",
	       (double)(t->after.voluntary + t->after.involuntary -
			t->before.voluntary - t->before.involuntary) /
		       seconds);
	sample(s, op, ", migrations", "per s",
	       (double)(t->after.migrations - t->before.migrations) / seconds);
	if (s->row->yield->hogs)
		sample(s, op, ", left to hogs", "hog rounds/s",
		       (double)t->hogs / seconds);
}

/* What KVM makes of its own call nobody knows. */
static void print_yields(struct session *s, const struct yield_op *op,
			 const struct session_result *r, bool first)
{
	double wished = s->wished, acted = s->acted, refused = s->refused;
	double per = 1e3 / (double)r->ops;

	s->wished = session_value(r, "yield_sleep") +
		    session_value(r, "yield_spin");
	s->acted = session_value(r, "yield_acted");
	s->refused = session_value(r, "yield_refused");
	if (first || !s->wished)
		return;
	sample(s, op, ", yields wished", "per 1000 taken",
	       (s->wished - wished) * per);
	sample(s, op, ", yields that acted", "per 1000 taken",
	       (s->acted - acted) * per);
	sample(s, op, ", yields refused", "per 1000 taken",
	       (s->refused - refused) * per);
}

static int do_turn(struct session *s, const struct yield_op *op, bool first)
{
	struct session_result r;
	struct turn t;
	char command[96];
	int err;

	make_command(s, op, command, sizeof(command));
	s->limit_ns = op->kind == YIELD_LOAD ? 0 : YIELD_LIMIT_NS;
	hogs_work();
	vmsched_read(s->vm.pid, &t.before);
	t.hogs = hogs_done();
	t.start = now_ns();
	err = session_do(s, command, &r);
	t.end = now_ns();
	t.hogs = hogs_done() - t.hogs;
	vmsched_read(s->vm.pid, &t.after);
	hogs_rest();
	if (!err && op->kind == YIELD_CONTEND)
		print_yields(s, op, &r, first);
	if (err || first)
		return err;
	if (op->kind == YIELD_CONTEND)
		print_contend(s, op, &r);
	else if (op->kind == YIELD_STORM)
		sample(s, op, "", "done/s", (double)r.ops / (double)r.ns * 1e9);
	else
		sample(s, op, "", "ms", (double)r.ns / 1e6);
	print_turn(s, op, &t);
	return 0;
}

/* A guest that hangs or dies is made anew, and counted. */
static int do_surely(struct session *s, const struct yield_op *op, bool first)
{
	int err = do_turn(s, op, first);

	for (int i = 0; err && err != -EPROTO && i < RESTARTS; i++) {
		session_stop(s);
		err = session_start(s);
		remade++;
		if (!err)
			err = do_turn(s, op, first);
	}
	return err;
}

static int start_hogs(const struct bench_row *row)
{
	int cpu[VMSCHED_CPUS], err = vmsched_cpus(cpu);

	if (!err)
		err = vmsched_confine(cpu);
	for (unsigned int i = 0; i < row->yield->hogs && !err; i++)
		err = hog_start(cpu[i % VMSCHED_CPUS]);
	if (err)
		fprintf(stderr, "bench: two processors and %u hogs: %s\n",
			row->yield->hogs, strerror(-err));
	return err;
}

/* Once more than asked for, to warm up. */
static unsigned int do_op(struct session *s, unsigned int n,
			  const struct yield_op *op, unsigned int runs)
{
	unsigned int failed = 0;

	for (unsigned int run = 0; run <= runs; run++)
		for (unsigned int i = 0; i < n; i++)
			if (!s[i].failed && do_surely(&s[i], op, !run)) {
				s[i].failed = true;
				failed++;
			}
	return failed;
}

unsigned int bench_yield(const struct bench_row *row,
			 const struct bench_options *opt)
{
	static struct session s[SESSIONS];
	unsigned int failed = 0, n = session_init_all(s, SESSIONS, row, opt);

	if (start_hogs(row))
		return 1;
	for (unsigned int i = 0; i < n; i++) {
		s[i].failed = session_start(&s[i]) || (!i && calibrate(&s[i]));
		failed += s[i].failed;
	}
	for (const struct yield_op *op = row->yield->ops; op->metric; op++)
		if (!opt->metric || !strcmp(opt->metric, op->metric))
			failed += do_op(s, n, op, opt->runs);
	for (unsigned int i = 0; i < n; i++)
		session_stop(&s[i]);
	session_sample(&s[0], "guests that hung or died", "times", "wall",
		       remade);
	hogs_stop();
	return failed;
}
