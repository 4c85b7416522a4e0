/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's TSC, and the host's beside the host's clock. */
#ifndef CORE_TSC_H
#define CORE_TSC_H

#include <stdbool.h>
#include <stdint.h>

struct vm;

/*
 * What the guest's TSC is ahead of the host's, the same on all vCPUs, which
 * stand still (vmm/core/hold.h) or have not started.  0; -ERANGE if they
 * differ or run at another rate than the host's; or -errno, as before Linux
 * 5.16.
 */
int tsc_offset(const struct vm *vm, uint64_t *offset);

/* Gives all vCPUs the first one's.  Before they start; as above. */
int tsc_level(const struct vm *vm, uint64_t *offset);

/*
 * Makes KVM look again whether the host's TSC is a clock, for which the vCPUs
 * are stopped.  It notices itself when it no longer is, never that it is again.
 * Any thread that may wait for vCPUs.
 */
void tsc_renew(struct vm *vm);

/* One moment by both clocks. */
struct tsc_pair {
	uint64_t host_tsc;
	int64_t realtime; /* CLOCK_REALTIME, ns */
};

/*
 * False: the host's clock is not its TSC, or KVM does not count on the vCPUs'
 * being alike.  Any thread.
 */
bool tsc_read_pair(const struct vm *vm, struct tsc_pair *pair);

#endif
