/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls that halt their caller.  The vCPU's own thread, outside KVM_RUN. */
#ifndef BACKEND_HALT_H
#define BACKEND_HALT_H

#include <stdbool.h>

struct vcpu;

/*
 * The next KVM_RUN completes the instruction that brought us here and blocks,
 * as if HLT came behind it, until there is an interrupt if they are enabled, an
 * NMI, or a kick by KVM_HC_KICK_CPU: one that is pending already ends it at
 * once.  With irqs it enables interrupts as it blocks, as if STI came before.
 * vcpu_kick() ends the block, as any signal does; the vCPU stays halted and the
 * KVM_RUN after blocks again.  0 or -errno; then interrupts may be enabled, but
 * it does not halt.  A NULL vCPU is refused.
 */
int halt_vcpu(struct vcpu *vcpu, bool irqs);

#endif
