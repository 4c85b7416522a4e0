/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host's scheduler did with the threads of a process, and where. */
#ifndef BENCH_VMSCHED_H
#define BENCH_VMSCHED_H

#include <stdint.h>
#include <sys/types.h>

/* The processors that are measured on, two of those that we may use. */
#define VMSCHED_CPUS 2

struct vmsched {
	uint64_t run_ns; /* on a processor */
	uint64_t voluntary, involuntary, migrations;
};

/* The first two of our processors: 0, or -errno. */
int vmsched_cpus(int cpu[VMSCHED_CPUS]);
/* Holds us and what we start from now on to these. */
int vmsched_confine(const int cpu[VMSCHED_CPUS]);

/* Of all threads that the process has. */
void vmsched_read(pid_t pid, struct vmsched *v);
/* The thread that has this name, or 0. */
pid_t vmsched_thread(pid_t pid, const char *name);
/* How often it has slept. */
uint64_t vmsched_sleeps(pid_t pid, pid_t tid);
/* Holds a thread to cpu, or to both of them if other is not -1. */
int vmsched_pin(pid_t tid, int cpu, int other);

/*
 * Has the kernel leave threads where they are, but for a processor that has
 * nothing else to do, as far as that can be had.
 */
void vmsched_calm(void);

#endif
