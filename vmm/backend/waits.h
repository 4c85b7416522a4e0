/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does a vCPU wait for a processor of the host?  Asked of KVM without waiting
 * for the vCPU, and by what KVM tells the guest.
 */
#ifndef BACKEND_WAITS_H
#define BACKEND_WAITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

struct waits {		    /* of one vCPU */
	unsigned int known; /* looks that the next is good for; its thread's */
	/* The guest's byte that says so, or NULL. */
	const uint8_t *_Atomic preempted;
};

/* The vCPU's own thread, now and then: each time that it asks about others. */
void waits_learn(struct waits *w, const struct vcpu *vcpu);

/*
 * Any thread.  False: it runs or halts, or did so just now.  Who has never
 * learnt may wait; a guest that lies about its vCPUs fools itself alone.
 */
bool waits_maybe(const struct waits *w, const struct vcpu *vcpu);

#endif
