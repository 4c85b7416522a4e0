// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's lock whose holder shares its host processor with hogs, and is off
 * it as another vCPU comes for the lock, which is alone on the other processor:
 * how long until the holder runs.  The runner's thread, and a child that keeps
 * the holder among the hogs.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/hog.h"
#include "tests/bench/session.h"
#include "tests/bench/vmsched.h"

#define SAMPLES 160
#define REST_US 12000 /* between two of them */
#define KEEP_US 2000

static int cpu[VMSCHED_CPUS]; /* the waiter's, the holder's */

/*
 * The holder may run on either processor, so that it can be moved to where the
 * waiter was.  What it then is, is put right before the next sample.
 */
static void keep(pid_t vmm, pid_t holder)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	vmsched_pin(0, cpu[0], -1);
	for (;;) {
		if (vmsched_cpu_of(vmm, holder) != cpu[1]) {
			vmsched_pin(holder, cpu[1], -1);
			vmsched_pin(holder, cpu[0], cpu[1]);
		}
		usleep(KEEP_US);
	}
}

/* All that is not the holder is held to the waiter's processor. */
static pid_t start_keeper(struct session *s)
{
	pid_t waiter = vmsched_thread(s->vm.pid, "vcpu0");
	pid_t holder = vmsched_thread(s->vm.pid, "vcpu1");
	pid_t pid;

	if (!waiter || !holder || vmsched_pin(waiter, cpu[0], -1))
		return -ESRCH;
	pid = fork();
	if (!pid)
		keep(s->vm.pid, holder);
	return pid;
}

static void print(struct session *s, const struct yield_op *op,
		  const struct session_result *r, const struct vmsched *before,
		  const struct vmsched *after)
{
	static const struct {
		const char *name, *what;
	} values[] = {
		{ "p50", ", until it runs, p50" },
		{ "p99", ", until it runs, p99" },
		{ "max", ", until it runs, max" },
		{ "taken_p50", ", until taken, p50" },
		{ "taken_p99", ", until taken, p99" },
	};
	char metric[64];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(metric, sizeof(metric), "%s%s", op->metric,
			 values[i].what);
		session_sample(s, metric, "us", "wall",
			       session_value(r, values[i].name) / 1e3);
	}
	fprintf(stderr, "bench: %s: yields so far:", s->vmm->name);
	for (unsigned int i = 0; i < r->nr_more; i++)
		if (!strncmp(r->more[i].name, "yield_", 6))
			fprintf(stderr, " %s %.0f", r->more[i].name + 6,
				r->more[i].value);
	fputc('\n', stderr);
	snprintf(metric, sizeof(metric), "%s, migrations", op->metric);
	session_sample(s, metric, "per sample", "wall",
		       (double)(after->migrations - before->migrations) /
			       (double)r->ops);
}

static int do_op(struct session *s, const struct yield_op *op)
{
	struct vmsched before, after;
	struct session_result r;
	char command[64];
	pid_t keeper = start_keeper(s);
	int err;

	if (keeper < 0)
		return (int)keeper;
	snprintf(command, sizeof(command), "line holder %s %d %d\n", op->what,
		 SAMPLES, REST_US);
	hogs_work();
	vmsched_read(s->vm.pid, &before);
	err = session_do(s, command, &r);
	vmsched_read(s->vm.pid, &after);
	hogs_rest();
	kill(keeper, SIGKILL);
	waitpid(keeper, NULL, 0);
	if (!err)
		print(s, op, &r, &before, &after);
	return err;
}

static int do_surely(struct session *s, const struct yield_op *op)
{
	int err = do_op(s, op);

	for (int i = 0; err && err != -EPROTO && i < RESTARTS; i++) {
		session_stop(s);
		err = session_start(s);
		if (!err)
			err = do_op(s, op);
	}
	return err;
}

/* One machine at a time: an idle one's interrupts would be in the way. */
static int do_vmm(struct session *s, const struct yield_op *ops)
{
	int err = session_start(s);

	for (; !err && ops->metric; ops++)
		err = do_surely(s, ops);
	session_stop(s);
	return err;
}

unsigned int bench_holder(const struct bench_row *row,
			  const struct bench_options *opt)
{
	static struct session s[SESSIONS];
	unsigned int failed = 0, n = session_init_all(s, SESSIONS, row, opt);
	int err = vmsched_cpus(cpu);

	if (!err)
		err = vmsched_confine(cpu);
	vmsched_calm();
	for (unsigned int i = 0; i < row->yield->hogs && !err; i++)
		err = hog_start(cpu[1]);
	if (err) {
		fprintf(stderr, "bench: two processors and hogs: %s\n",
			strerror(-err));
		return 1;
	}
	/* Each run is a distribution of its own: two do. */
	for (unsigned int run = 0; run < opt->runs && run < 2; run++)
		for (unsigned int i = 0; i < n; i++)
			failed += do_vmm(&s[i], row->yield->ops) != 0;
	hogs_stop();
	return failed;
}
