/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * Directed yield: who waits for a lock says for whom.  HL_FEATURE_YIELD.
 *
 * The processor that holds the lock may be off its host processor, because
 * the host runs something else there.  The calls here have the host run it
 * now, in the caller's place if need be.  They are for a waiter that has seen
 * its holder preempted (struct kvm_steal_time says so) and are of the calling
 * processor: they can't be posted.
 *
 * KVM has such a call, too: KVM_HC_SCHED_YIELD, linux/kvm_para.h, which takes
 * the same argument.  It stays within KVM, but moves nobody to another host
 * processor, and does nothing if the caller is alone on its own.
 */
#ifndef HOTLINE_YIELD_H
#define HOTLINE_YIELD_H

#include "hypercall.h"

/*
 * arg[0]: the APIC id of the processor to run.  The caller may lose its host
 * processor to it.  Returns 1 if the host acted, 0 if there is nothing to be
 * done, as the processor runs or is halted.  HL_ENOENT: no such processor.
 * HL_EINVAL: the caller's own.  HL_EAGAIN: too many of late; nothing was done.
 * HL_EPERM: there is no way that this host allows.
 */
#define HL_OP_YIELD_TO (HL_OPS_YIELD + 0)
/*
 * The same, and then halts the caller as HLT does, unless the result is < 0:
 * until an interrupt if they are enabled, an NMI, or KVM_HC_KICK_CPU.  A kick
 * that came before it halts wakes it, too.  Make it with interrupts disabled;
 * arg[1]: HL_YIELD_IRQ enables them together with the halt (as
 * HL_OP_TIMER_HALT does), 0 leaves them.  Ends its crossing: what is named
 * behind it is not run.
 */
#define HL_OP_YIELD_HALT (HL_OPS_YIELD + 1)
#define HL_YIELD_IRQ	 0x1
/*
 * arg[0]: the guest-physical address of a page, aligned, which the host fills
 * and keeps up to date as struct hl_yield_hints; 0: it leaves the page alone
 * from now on.  A machine has one such page, the last one named.  Returns 0.
 * HL_EFAULT: it is not RAM.
 */
#define HL_OP_YIELD_PAGE (HL_OPS_YIELD + 2)

/*
 * How a processor's yields are made best at present.  The host looks at what
 * its processors have to run while yields are being made, so that this follows
 * the load by some 10 ms.  A guest without the page calls.
 */
#define HL_YIELD_NONE 0 /* not at all: nobody is kept waiting */
#define HL_YIELD_KVM  1 /* KVM_HC_SCHED_YIELD */
#define HL_YIELD_CALL 2 /* the calls above */

struct hl_yield_hints {
	__u8 way[256]; /* HL_YIELD_*, of the calling processor, by APIC id */
	__u64 zero[480];
};

_Static_assert(sizeof(struct hl_yield_hints) == 4096, "a page");

#endif
