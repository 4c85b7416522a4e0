/* SPDX-License-Identifier: GPL-2.0-only */
/* The line without KVM: memory, hypercalls, and the guest's side of slots. */
#ifndef UNIT_LIB_LINE_H
#define UNIT_LIB_LINE_H

#include <stdint.h>

#include "hypercalls/call.h"
#include "hypercalls/hypercalls.h"
#include "hypercalls/line.h"
#include "hypercalls/table.h"
#include "include/hotline/async.h"
#include "include/hotline/test.h"
#include "vmm/backend/msr.h"
#include "vmm/backend/selftest.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define LINE_MEM   (4ull << 20)
#define LINE_PAGE  0x10000ull /* guest-physical, of the call page */
#define LINE_LIST  0x20000ull /* where lists begin */
#define LINE_CPUS  2
#define LINE_RINGS 3 /* with HL_FEATURE_ASYNC */
#define LINE_GSI   7

extern struct line_bed {
	struct vm vm;
	struct vcpu vcpu[LINE_CPUS]; /* threads that never start */
	struct hypercalls *hc;
	struct selftest *test;
	struct clock *clock;   /* without a TSC */
	struct yield *yield;   /* by pulls; YIELD_RATE */
	struct msr_rules msrs; /* of a processor without a PMU */
	struct hl_call *slot;  /* the first CPU's call page */
} line;

void line_setup_with(uint64_t features);
void line_setup(void);
void line_teardown(void);

/* Fills a slot as a guest does. */
struct hl_call *line_slot(unsigned int i, uint16_t op, uint64_t arg0,
			  uint64_t arg1);
/* A crossing of the first CPU. */
int64_t line_go(unsigned int first, unsigned int nr);
/* One call from slot 0 to its end, by as many crossings as it takes. */
int64_t line_call(uint16_t op, uint64_t arg0, uint64_t arg1);

/* Guest memory. */
void *line_ptr(uint64_t addr);
/* A list of pages one after another, entry i being { i + 1, i }. */
void line_make_list(uint64_t addr, unsigned int entries);

#endif
