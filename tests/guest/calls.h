/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls by the line's port; each processor has a page of slots in the arena. */
#ifndef GUEST_CALLS_H
#define GUEST_CALLS_H

#include "guest.h"
#include "include/hotline/hypercall.h"

#define PAGE	      4096
#define CALLS_AT(cpu) (ARENA + (cpu)*PAGE)
#define CALLS(cpu)    ((volatile struct hl_call *)CALLS_AT(cpu))

/* Tells the VMM where the calling processor's slots are. */
void calls_set_page(uint64_t at);
/* The usual one. */
void calls_take_page(unsigned int cpu);

/* Slot i of a processor's; the other arguments are 0. */
volatile struct hl_call *calls_fill(unsigned int cpu, unsigned int i,
				    uint16_t op, uint64_t a, uint64_t b);

void calls_cross(uint32_t run);
/* The same with a call in it that halts, which enables interrupts. */
void calls_cross_and_halt(uint32_t run);

#endif
