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

/*
 * The next KVM_RUN enables interrupts, completes the instruction that brought
 * us here and blocks, as if STI and HLT came behind it, until there is an
 * interrupt: one that is pending already ends it at once.  vcpu_kick() ends the
 * block, as any signal does; the vCPU stays halted and the KVM_RUN after blocks
 * again.  0 or -errno; then interrupts may be enabled, but it does not halt.
 */
int timer_halt(struct vcpu *vcpu);

/* Is an exit that KVM handles itself about as dear as one to us? */
bool timer_is_nested(void);

#endif
