/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Holding the vCPUs: while anybody wants it their threads stay out of KVM_RUN,
 * each with its last exit completed, so that their state is whole and the
 * vCPU ioctls of other threads do not wait.
 */
#ifndef CORE_HOLD_H
#define CORE_HOLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct vcpu;
struct vm;

struct hold {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	unsigned int holders; /* who wants it */
	unsigned int held;    /* vCPU threads that stand still */
	atomic_bool wanted;   /* holders, for a look without the lock */
};

void hold_init(struct hold *hold);
void hold_exit(struct hold *hold);

/* Any thread; does not wait.  Each begin has its end. */
void hold_begin(struct vm *vm);
/*
 * Waits until all stand still.  False: the machine ends.  Neither on the I/O
 * thread, for which a vCPU may wait, nor on a vCPU's.
 */
bool hold_wait(struct vm *vm);
/* Whether all stand still by now. */
bool hold_done(struct vm *vm);
void hold_end(struct vm *vm);

/* The vCPU's thread, between two KVM_RUNs of which the last said EINTR. */
void hold_here(struct vcpu *vcpu);
/* vm_end()'s: lets everybody go. */
void hold_wake(struct vm *vm);

#endif
