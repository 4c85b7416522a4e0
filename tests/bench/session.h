/* SPDX-License-Identifier: GPL-2.0-only */
/* One VMM making the machine of one row. */
#ifndef BENCH_SESSION_H
#define BENCH_SESSION_H

#include "tests/bench/bench.h"
#include "tests/bench/kvmstats.h"
#include "tests/bench/vmproc.h"

#define SESSIONS 8 /* VMMs at once */
#define VALUES	 32
/*
 * How often a machine that hangs is made anew before it has failed.  The bed's
 * QEMU now and then delivers an interrupt of the guest a second time when L1's
 * timer falls due behind it (the exception_index that helper_vmrun() leaves),
 * and a handler that holds a lock then waits for itself.
 */
#define RESTARTS 8

struct session {
	const struct bench_row *row;
	const struct bench_options *opt;
	const struct vmms_vmm *vmm;
	struct vmms_machine machine;
	struct vmms_args args;
	struct vmproc vm;
	struct kvmstats stats;
	uint64_t user_before; /* returns of KVM_RUN before it was started */
	uint64_t asked_ns;    /* the next operation lasts so long by itself */
	uint64_t limit_ns; /* more than it takes, if not 0; else the mode's */
	/* Of its life: how often a waiter wished another vCPU to run ... */
	double wished, acted, refused; /* ... and what hotline made of it */
	bool failed;
};

/* Those of at most max that can do this row, made ready; their number. */
unsigned int session_init_all(struct session *s, unsigned int max,
			      const struct bench_row *row,
			      const struct bench_options *opt);

/* Starts it and waits for READY.  0, or -errno after bench_fault(). */
int session_start(struct session *s);
void session_stop(struct session *s);

/* KVM's counters since its start: 0, or -errno after bench_fault(). */
int session_counts(struct session *s, struct kvmstats_values *v);

/*
 * Has the guest do one thing.  0 and its result, or after bench_fault()
 * -EPROTO: the guest says no, -EOPNOTSUPP: it lacks something, -ETIMEDOUT: it
 * hangs, or another -errno.
 */
struct session_value {
	char name[24];
	double value;
};
struct session_result {
	uint64_t ns, ops, bytes, p50, p99, min, mean, max;
	uint64_t cpu_ns; /* of the VMM's threads, meanwhile */
	struct session_value more[VALUES];
	unsigned int nr_more;
};
int session_do(struct session *s, const char *command,
	       struct session_result *r);

/* One of the values that came with it, or 0. */
double session_value(const struct session_result *r, const char *name);

void session_sample(const struct session *s, const char *metric,
		    const char *unit, const char *mode, double value);

#endif
