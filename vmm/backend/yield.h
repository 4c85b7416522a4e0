/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Directed yields (include/hotline/yield.h): what has the host run a vCPU's
 * thread now.
 */
#ifndef BACKEND_YIELD_H
#define BACKEND_YIELD_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;
struct vm;
struct yield;

/* Bits: what may be done for a vCPU. */
#define YIELD_PULL  0x1 /* it comes to the processor of who asks */
#define YIELD_LEASE 0x2 /* it runs before others where it is: lease.h */

#define YIELD_RATE  4000 /* yields a second, a good default */

struct yield_options {
	unsigned int ways; /* YIELD_*; 0: calls do nothing */
	bool kvm; /* the guest may do it by KVM's call, where it pays */
	unsigned int rate; /* yields a second of one vCPU, > 0 */
};

/* Before the vCPUs start.  NULL with errno set. */
struct yield *yield_new(struct vm *vm, const struct yield_options *opt);
/* After they have ended.  NULL is fine. */
void yield_free(struct yield *y);

/*
 * Runs the vCPU with that APIC id for `caller`, whose thread this is, and which
 * halts next if it `halts`.  1: done; 0: it need not be; -ENOENT, -EINVAL,
 * -EAGAIN, -EPERM as the calls' results are.
 */
int yield_to(struct yield *y, struct vcpu *caller, uint64_t id, bool halts);

/* The page of hints is there in guest memory; 0: nowhere.  0 or -EFAULT. */
int yield_set_page(struct yield *y, uint64_t addr);

#endif
