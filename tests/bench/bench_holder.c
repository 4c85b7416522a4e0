// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's lock whose holder shares its host processor with hogs, and is off
 * it as another vCPU comes for the lock, which is alone on the other processor:
 * how long until the holder runs.  The runner's thread, and a child that lets
 * the holder go once it is where the hogs are and the waiter is busy.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/hog.h"
#include "tests/bench/session.h"
#include "tests/bench/vmsched.h"

#define SAMPLES 160
/*
 * Before a sample the waiter spins for REST_US.  The holder is held to the
 * hogs' processor until the waiter has not slept for SPIN_US.
 */
#define REST_US 60000
#define SPIN_US 15000

static int cpu[VMSCHED_CPUS]; /* the waiter's, the holder's */

struct holder {
	pid_t tid, child;
	int go; /* a byte there: let it go as soon as the waiter spins */
	unsigned int n;
	double until_run[SAMPLES], until_taken[SAMPLES]; /* us */
};

static void await_spin(pid_t vmm, pid_t waiter)
{
	uint64_t before, now = vmsched_sleeps(vmm, waiter);

	do {
		before = now;
		usleep(SPIN_US);
		now = vmsched_sleeps(vmm, waiter);
	} while (now != before);
}

/*
 * So that it can be moved to where the waiter was.  Nothing is done to it while
 * a sample is taken.
 */
static void let_go(pid_t vmm, pid_t waiter, pid_t holder, int go)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	vmsched_pin(0, cpu[0], -1);
	while (read(go, &byte, 1) == 1) {
		await_spin(vmm, waiter);
		vmsched_pin(holder, cpu[0], cpu[1]);
	}
	_exit(0);
}

static int start_child(struct session *s, struct holder *h)
{
	pid_t waiter = vmsched_thread(s->vm.pid, "vcpu0");
	int fds[2];

	h->tid = vmsched_thread(s->vm.pid, "vcpu1");
	if (!waiter || !h->tid || vmsched_pin(waiter, cpu[0], -1))
		return -ESRCH;
	if (pipe(fds))
		return -errno;
	h->child = fork();
	if (!h->child) {
		close(fds[1]);
		let_go(s->vm.pid, waiter, h->tid, fds[0]);
	}
	close(fds[0]);
	h->go = fds[1];
	return h->child < 0 ? -errno : 0;
}

static void stop_child(struct holder *h)
{
	close(h->go);
	if (h->child > 0) {
		kill(h->child, SIGKILL);
		waitpid(h->child, NULL, 0);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_of(struct session *s, const struct yield_op *op,
		     const char *what, double v[SAMPLES])
{
	static const struct {
		const char *name;
		unsigned int percent;
	} quantiles[] = { { "p50", 50 }, { "p99", 99 }, { "max", 100 } };
	char metric[64];

	qsort(v, SAMPLES, sizeof(*v), compare);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		snprintf(metric, sizeof(metric), "%s, until %s, %s", op->metric,
			 what, quantiles[i].name);
		session_sample(s, metric, "us", "wall",
			       v[(SAMPLES - 1) * quantiles[i].percent / 100]);
	}
}

static void print(struct session *s, const struct yield_op *op,
		  struct holder *h, const struct session_result *r)
{
	print_of(s, op, "it runs", h->until_run);
	print_of(s, op, "taken", h->until_taken);
	fprintf(stderr, "bench: %s: yields so far:", s->vmm->name);
	for (unsigned int i = 0; i < r->nr_more; i++)
		if (!strncmp(r->more[i].name, "yield_", 6))
			fprintf(stderr, " %s %.0f", r->more[i].name + 6,
				r->more[i].value);
	fputc('\n', stderr);
}

/* The guest's quantiles of one sample are that sample. */
static int sample(struct session *s, const char *command, struct holder *h,
		  struct session_result *r)
{
	int err;

	if (vmsched_pin(h->tid, cpu[1], -1) || write(h->go, "", 1) != 1)
		return -ESRCH;
	err = session_do(s, command, r);
	if (err)
		return err;
	h->until_run[h->n] = session_value(r, "p50") / 1e3;
	h->until_taken[h->n++] = session_value(r, "taken_p50") / 1e3;
	return 0;
}

static int do_op(struct session *s, const struct yield_op *op)
{
	struct holder h = { .go = -1 };
	struct session_result r;
	char command[64];
	int err = start_child(s, &h);

	s->limit_ns = YIELD_LIMIT_NS;
	snprintf(command, sizeof(command), "line holder %s 1 %d\n", op->what,
		 REST_US);
	hogs_work();
	while (!err && h.n < SAMPLES)
		err = sample(s, command, &h, &r);
	hogs_rest();
	stop_child(&h);
	if (!err)
		print(s, op, &h, &r);
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
