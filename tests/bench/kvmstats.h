/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM's counters of another process' vCPUs, without root (pidfd_getfd). */
#ifndef BENCH_KVMSTATS_H
#define BENCH_KVMSTATS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define KVMSTATS_VCPUS 64

enum kvmstat {
	KVMSTAT_EXITS,	    /* all returns of the processor to KVM */
	KVMSTAT_IRQ_EXITS,  /* of them, for an interrupt of the host */
	KVMSTAT_HALT_EXITS, /* of them, HLT */
	KVMSTAT_IO_EXITS,   /* of them, port I/O, wherever it was handled */
	KVMSTAT_MMIO_EXITS, /* accesses handed to the VMM */
	KVMSTAT_NR
};

struct kvmstats_vcpu {
	int fd;
	uint64_t offset[KVMSTAT_NR]; /* of the value in fd; 0 = not there */
	char id[48];
};

struct kvmstats {
	struct kvmstats_vcpu vcpu[KVMSTATS_VCPUS];
	unsigned int nr;
	struct statsfd_page *page; /* or NULL: no statsfd.so in there */
};

struct kvmstats_values {
	uint64_t sum[KVMSTAT_NR]; /* over all vCPUs */
	uint64_t user;		  /* returns of KVM_RUN to the VMM */
	uint64_t by_reason[64];	  /* of them, KVM_EXIT_* */
};

/* 0, or -ENOENT: the process keeps no statistics open; or -errno. */
int kvmstats_open(struct kvmstats *s, pid_t pid, int pidfd);
void kvmstats_read(const struct kvmstats *s, struct kvmstats_values *v);
void kvmstats_close(struct kvmstats *s);

#endif
