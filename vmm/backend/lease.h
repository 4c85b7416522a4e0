/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leases: a vCPU's thread runs before all others of its host processor, as
 * SCHED_FIFO, for LEASE_NS at most or until it next comes back to us.  All those
 * of a machine are a tenth of one processor's time at most.
 */
#ifndef BACKEND_LEASE_H
#define BACKEND_LEASE_H

#include <stdbool.h>

struct leases;
struct vcpu;
struct vm;

#define LEASE_NS 200000

/* Does this host let us?  0, or -errno of what it says to SCHED_FIFO. */
int lease_allowed(void);

/* Before the vCPUs start.  NULL with errno set. */
struct leases *leases_new(struct vm *vm);
/* After they have ended.  NULL is fine. */
void leases_free(struct leases *l);

/*
 * For the vCPU's thread `tid`, which is kept from ending meanwhile
 * (vcpu->hands).  1: it has one from now on; 0: it has one, or is a real-time
 * thread by its user's will; -EAGAIN: the machine has had its share of them, or
 * another -errno.  A vCPU's thread.
 */
int lease_begin(struct leases *l, struct vcpu *vcpu, int tid);

#endif
