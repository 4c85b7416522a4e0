/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine whose vCPUs are threads that sleep, and its directed yields. */
#ifndef UNIT_LIB_YIELD_H
#define UNIT_LIB_YIELD_H

#include "vmm/backend/yield.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define YIELD_CPUS 3
#define YIELD_MEM  (4ull << 20)
#define YIELD_PAGE 0x30000ull /* in it */

extern struct yield_bed {
	struct vm vm;
	struct vcpu vcpu[YIELD_CPUS]; /* the first has no thread: it asks */
	struct yield *yield;
} yb;

/* By pulls, as often as anybody likes. */
extern const struct yield_options yield_pulls;

void yield_make(const struct yield_options *opt);
void yield_unmake(void);
/* A number that the machine's statistics have. */
unsigned long long yield_stat(const char *name);

#endif
