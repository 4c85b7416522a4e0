/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * The deadline timer.  HL_FEATURE_TIMER.
 *
 * The clock behind it is the processor's local APIC timer in TSC-deadline
 * mode, which the guest has programmed with its vector; the interrupt is the
 * APIC's.  So a write to the register and a call do the same, may be mixed,
 * and the last one holds.  In another mode of the APIC timer the deadline is
 * ignored, as the register ignores it.
 *
 * A write to the register is a cheaper exit than a crossing made for nothing
 * else.  The calls are for crossings that are made anyway, and for arming and
 * halting at once.  They are of the calling processor and can't be posted.
 */
#ifndef HOTLINE_TIMER_H
#define HOTLINE_TIMER_H

#include "hypercall.h"

/*
 * arg[0]: when to interrupt, an absolute value of this processor's TSC; 0:
 * never.  What has passed interrupts at once.  Returns 0.
 */
#define HL_OP_TIMER_SET (HL_OPS_TIMER + 0)
/*
 * The same, and then halts the processor with interrupts enabled, until an
 * interrupt.  Make it with interrupts disabled: they are enabled together with
 * the halt, so one that is pending then, or comes later, wakes it, and none can
 * come between.  Ends its crossing: what is named behind it is not run.
 * Returns 0 before the processor halts; with another result it does not halt,
 * and interrupts may be enabled or not.
 */
#define HL_OP_TIMER_HALT (HL_OPS_TIMER + 1)

#endif
