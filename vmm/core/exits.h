/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where in the guest the exits to this process come from: while somebody
 * wants to know, each vCPU notes its RIP at every EXITS_EVERYth of them.
 */
#ifndef CORE_EXITS_H
#define CORE_EXITS_H

#include <stdbool.h>
#include <stdio.h>

struct exits;
struct vcpu;
struct vm;

#define EXITS_EVERY 7 /* prime, so that no loop hides behind it */

/*
 * Starts anew, or stops.  I/O thread.  Without memory for a vCPU's notes, it
 * takes none.
 */
void exits_watch(struct vm *vm, bool on);

/* vCPU thread, with vm->watch_exits set, behind KVM_RUN. */
void exits_note(struct vcpu *vcpu);

/*
 * Lines "RIP REASON SAMPLES", the most frequent first, RIP in hexadecimal; at
 * the end perhaps "0 other SAMPLES".  I/O thread.
 */
void exits_print(struct vm *vm, FILE *out);

#endif
