/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU's timer, which is the one that KVM has for its local APIC: armed here,
 * kept and delivered by KVM.  The vCPU's own thread, outside KVM_RUN; a NULL
 * vCPU is refused.
 */
#ifndef BACKEND_TIMER_H
#define BACKEND_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* The deadline in ticks of the guest's TSC; 0: none.  0 or -errno. */
int timer_set(struct vcpu *vcpu, uint64_t deadline);

/* Is an exit that KVM handles itself about as dear as one to us? */
bool timer_is_nested(void);

#endif
