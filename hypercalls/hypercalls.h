/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host side of the line (include/hotline/hypercall.h): made and taken down
 * here, called by vCPU threads through vm->line.
 */
#ifndef HYPERCALLS_HYPERCALLS_H
#define HYPERCALLS_HYPERCALLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "include/hotline/hypercall.h"
#include "vmm/core/stats.h"

struct call_quick;
struct clock;
struct call_row;
struct call_stats;
struct msr_rules;
struct rings;
struct selftest;
struct vm;
struct yield;

struct hypercalls_options {
	uint16_t port;	   /* first of HL_LINE_PORTS */
	uint64_t features; /* HL_FEATURE_* */
	unsigned int tsc_khz;
	unsigned int crossing_us;     /* how long one may take */
	struct selftest *test;	      /* with HL_FEATURE_TEST; outlives us */
	const struct msr_rules *msrs; /* with HL_FEATURE_MSR; outlives us */
	struct clock *clock;	      /* with HL_FEATURE_CLOCK; likewise */
	struct yield *yield;	      /* with HL_FEATURE_YIELD; likewise */
	/* with HL_FEATURE_ASYNC: */
	unsigned int rings, workers; /* workers: long calls at a time */
	unsigned int irq;	     /* GSI of ring 0, the others follow */
};

/* Of a crossing, or a piece of a posted call; see call.h. */
struct call_time {
	uint64_t start; /* TSC */
	bool over;	/* whatever the clock says */
	bool measure;	/* somebody wants to know how long calls take */
};

/* One vCPU's; its thread's own but for the statistics. */
struct line_cpu {
	struct hypercalls *hc;
	struct hl_call *page; /* call page in guest memory, or NULL */
	uint32_t pfn;	      /* of it, as the guest said; ~0 for none */
	atomic_uint timing;   /* what stats' times belong to, as below */
	_Atomic uint64_t crossings;
	struct call_time time;	  /* of the crossing at hand */
	struct call_stats *stats; /* by op; the last is for unknown ones */
};

struct hypercalls {
	struct vm *vm;
	uint16_t port;
	uint64_t crossing_ticks;		/* of the TSC */
	const struct call_row *row[HL_OPS_MAX]; /* by op; those this guest has */
	struct call_quick *quick; /* by op; those for the short way */
	uint32_t ns_per_tick;	  /* in units of 2^-24 */
	/* 0, or the number of the request that wants times. */
	atomic_uint timing;
	unsigned int nr_timings; /* such requests so far; the I/O thread's */
	struct selftest *test;
	struct clock *clock;
	struct yield *yield;
	const struct msr_rules *msrs;
	struct rings *rings; /* with HL_FEATURE_ASYNC */
	unsigned int nr_rings;
	unsigned int irq;	   /* GSI of ring 0, the others follow */
	struct call_stats *posted; /* of calls from rings, by op */
	struct stats_part part;
	unsigned int nr_cpus;
	struct line_cpu cpu[];
};

/* After the vCPUs are made, before they start.  NULL with errno set. */
struct hypercalls *hypercalls_new(struct vm *vm,
				  const struct hypercalls_options *opt);
/* After they have ended.  NULL is fine. */
void hypercalls_free(struct hypercalls *hc);

/*
 * May this call be posted to a ring?  RINGS_SHORT, RINGS_LONG or a HL_E*
 * (hypercalls/ring.h).
 */
int64_t hypercall_admit(const struct hypercalls *hc,
			const struct hl_call *call);
/*
 * Runs one copied call to its end, as long as it takes, but not past the
 * machine's: its result; call->done is what is reported with it.  Any thread
 * but a vCPU's.
 */
int64_t hypercall_execute(struct hypercalls *hc, struct hl_call *call);

#endif
