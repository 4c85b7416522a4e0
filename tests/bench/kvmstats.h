/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM's counters of another process' vCPUs. */
#ifndef BENCH_KVMSTATS_H
#define BENCH_KVMSTATS_H

#include <stdint.h>
#include <sys/types.h>

#define KVMSTATS_VCPUS 64

struct kvmstats_vcpu {
	int fd;
	uint64_t exits; /* where that value is in fd */
	char id[48];
};

struct kvmstats {
	struct kvmstats_vcpu vcpu[KVMSTATS_VCPUS];
	unsigned int nr;
};

struct kvmstats_values {
	/*
	 * The statistic "exits", over all vCPUs: every return of the processor
	 * to KVM, those for the host's own interrupts among them.
	 */
	uint64_t exits;
	/*
	 * Every return of KVM_RUN, of all VMs: the tracepoint
	 * kvm:kvm_userspace_exit, for no statistic has it. Needs root.
	 */
	uint64_t user;
	/*
	 * Writes of all VMs to the local APIC's timer, TSC deadline or initial
	 * count, that exited: the tracepoint kvm:kvm_msr.
	 */
	uint64_t timer;
};

/* Begins to count what tracepoints say, once, before any VMM.  0 or -errno. */
int kvmstats_trace(void);

/* 0, or -ENOENT: the process keeps no statistics open; or -errno. */
int kvmstats_open(struct kvmstats *s, pid_t pid, int pidfd);
void kvmstats_read(const struct kvmstats *s, struct kvmstats_values *v);
void kvmstats_close(struct kvmstats *s);

#endif
