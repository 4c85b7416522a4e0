// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's processors did with a guest's vCPUs that contend for a lock,
 * beside a hog.  Not samples, but a line per stretch of time: case, thread,
 * from, to (us), state and processor, with tabs between; state "taken": how
 * often the lock was.  The runner's only thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/hog.h"
#include "tests/bench/session.h"
#include "tests/bench/vmsched.h"

#define TRACING "/sys/kernel/tracing"
#define THREADS 9
#define HOG	"hog"

enum state { UNKNOWN, RUNNING, WAITING, HALTED };

static const char *const state_names[] = {
	[RUNNING] = "running",
	[WAITING] = "preempted",
	[HALTED] = "halted",
};

/* A thread, and what it has been doing since when. */
struct track {
	char name[16];
	int pid;
	enum state state;
	double since; /* us */
	int cpu;
};

static int cpus[VMSCHED_CPUS];
static struct track tracks[THREADS];
static unsigned int nr_tracks;

static int set(const char *name, const char *value)
{
	char path[96];
	int fd, err;

	snprintf(path, sizeof(path), TRACING "/%s", name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	err = fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return err;
}

static int tracing_prepare(void)
{
	int err;

	mount("tracefs", TRACING, "tracefs", 0, NULL);
	err = set("tracing_on", "0");
	err = err ? err : set("trace_clock", "mono");
	err = err ? err : set("buffer_size_kb", "8192");
	err = err ? err : set("events/sched/sched_switch/enable", "1");
	err = err ? err : set("events/sched/sched_wakeup/enable", "1");
	return err;
}

static void tracing_end(void)
{
	set("events/enable", "0");
	set("trace", "");
	set("buffer_size_kb", "16");
}

static struct track *track_of(int pid)
{
	for (unsigned int i = 0; i < nr_tracks; i++)
		if (tracks[i].pid == pid)
			return &tracks[i];
	return NULL;
}

static void print_stretch(const char *vmm, const struct track *t, double end)
{
	printf("%s\t%s\t%.1f\t%.1f\t%s\t%d\n", vmm, t->name, t->since, end,
	       state_names[t->state], t->cpu == cpus[1]);
}

/* What it was before its first event, that one tells. */
static void become(const char *vmm, struct track *t, enum state before,
		   enum state state, double now, int cpu)
{
	if (!t)
		return;
	if (t->state == UNKNOWN) {
		t->state = before;
		t->cpu = cpu;
	}
	if (t->state == state)
		return;
	print_stretch(vmm, t, now);
	t->state = state;
	t->since = now;
	t->cpu = cpu;
}

static long number_behind(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

/* The processor is in brackets, the time in seconds before the event. */
static void take_event(const char *vmm, const char *line, double start)
{
	const char *event = strstr(line, ": sched_"), *at = event;
	const char *state = strstr(line, "prev_state=");
	int cpu = (int)number_behind(line, "[");
	double now;

	if (!event)
		return;
	while (at > line && at[-1] != ' ')
		at--;
	now = (strtod(at, NULL) - start) * 1e6;
	if (!state) {
		struct track *t = track_of((int)number_behind(line, " pid="));

		/* One that has not gone to sleep yet just stays. */
		if (t && t->state != RUNNING)
			become(vmm, t, HALTED, WAITING, now, cpu);
		return;
	}
	become(vmm, track_of((int)number_behind(line, "prev_pid=")), RUNNING,
	       state[strlen("prev_state=")] == 'R' ? WAITING : HALTED, now,
	       cpu);
	become(vmm, track_of((int)number_behind(line, "next_pid=")), WAITING,
	       RUNNING, now, cpu);
}

static int print_trace(const char *vmm, double start, double end)
{
	FILE *f = fopen(TRACING "/trace", "re");
	char line[512];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		take_event(vmm, line, start);
	fclose(f);
	for (unsigned int i = 0; i < nr_tracks; i++)
		if (tracks[i].state != UNKNOWN)
			print_stretch(vmm, &tracks[i], (end - start) * 1e6);
	return 0;
}

static void find_tracks(struct session *s)
{
	char name[16];

	for (nr_tracks = 0; nr_tracks < s->machine.cpus; nr_tracks++) {
		struct track *t = &tracks[nr_tracks];

		*t = (struct track){ 0 };
		snprintf(t->name, sizeof(t->name), "vCPU %u", nr_tracks);
		snprintf(name, sizeof(name), "vcpu%u", nr_tracks);
		t->pid = vmsched_thread(s->vm.pid, name);
	}
	tracks[nr_tracks] = (struct track){ .name = HOG, .pid = hog_pid() };
	nr_tracks++;
}

static int do_trace(struct session *s, const struct yield_op *op)
{
	struct session_result r;
	char command[96];
	double start, end;
	unsigned int loops;
	int err;

	err = session_do(s, "line work 20000\n", &r);
	if (err)
		return err;
	loops = (unsigned int)(op->inside_us * 20000e3 /
			       session_value(&r, "total"));
	snprintf(command, sizeof(command), "line contend %s %u %u %u %u\n",
		 op->what, s->machine.cpus, loops, loops, op->ms);
	find_tracks(s);
	hogs_work();
	set("trace", "");
	set("tracing_on", "1");
	start = (double)now_ns() / 1e9;
	err = session_do(s, command, &r);
	end = (double)now_ns() / 1e9;
	set("tracing_on", "0");
	hogs_rest();
	if (!err)
		err = print_trace(s->vmm->name, start, end);
	if (!err)
		printf("%s\t-\t0\t%.1f\ttaken\t%llu\n", s->vmm->name,
		       session_value(&r, "total") / 1e3,
		       (unsigned long long)r.ops);
	fflush(stdout);
	return err;
}

unsigned int bench_convoy(const struct bench_row *row,
			  const struct bench_options *opt)
{
	static struct session s[SESSIONS];
	unsigned int failed = 0, n = session_init_all(s, SESSIONS, row, opt);
	int err = vmsched_cpus(cpus);

	err = err ? err : vmsched_confine(cpus);
	err = err ? err : hog_start(cpus[1]);
	err = err ? err : tracing_prepare();
	if (err) {
		fprintf(stderr, "bench: tracing: %s\n", strerror(-err));
		hogs_stop();
		return 1;
	}
	for (unsigned int i = n; i--;) {
		failed += session_start(&s[i]) ||
			  do_trace(&s[i], row->yield->ops);
		session_stop(&s[i]);
	}
	tracing_end();
	hogs_stop();
	return failed;
}
