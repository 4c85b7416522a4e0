/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * The clock page: the host's time without an exit.  HL_FEATURE_CLOCK.
 *
 * One page of guest-physical memory that the VMM writes and the guest can only
 * read.  It begins with a struct vmclock_abi (Linux:
 * include/uapi/linux/vmclock-abi.h, of 6.13), for guests that know that and
 * for programs; struct hl_clock lies HL_CLOCK_OFFSET behind it and is what a
 * clocksource reads.
 *
 * The page's clock is monotonic: on one processor and between processors it
 * never goes back, nor does it when the page changes, the machine is paused or
 * the host's clock is set.  It runs at the rate of the host's CLOCK_MONOTONIC,
 * that is, slewed as the host's is, on through a pause.
 */
#ifndef HOTLINE_CLOCK_H
#define HOTLINE_CLOCK_H

#include "hypercall.h"

/*
 * CPUID: EAX, EBX: guest-physical address of the page, low and high half;
 * ECX: the GSI (edge, active high) by which the host says that HL_CLOCK_VALID,
 * wall_ns or the disruption marker changed, ~0 if there is none; EDX: 0.
 * In a device tree: a node "amazon,vmclock" with that page and interrupt.
 */
#define HL_CPUID_CLOCK	0x40000103

#define HL_CLOCK_OFFSET 0x100 /* of struct hl_clock in the page, bytes */

struct hl_clock {
	/*
	 * Odd while the host writes.  A reader takes it before and after what
	 * it reads and starts again unless both are the same and even.
	 */
	__u32 seq;
	__u32 flags; /* HL_CLOCK_* */
	/* The clock: ns + ((TSC - tsc) * mult >> 32); ns if TSC < tsc. */
	__u64 tsc;  /* ticks of the guest's TSC */
	__u64 ns;   /* the clock at that tick */
	__u64 mult; /* nanoseconds per tick, in units of 2^-32 */
	/*
	 * What to add to the clock for the host's CLOCK_REALTIME, ns since
	 * 1970 (UTC).  It changes only when that clock is set, or when the
	 * host slept while the TSC went on.
	 */
	__s64 wall_ns;
	__u64 wall_sets; /* how often it did, since the start */
	/*
	 * Bound of the wall time's distance from the host's, ns, while the page
	 * is younger than two of the host's periods (20 ms, unless it was told
	 * otherwise); then it grows by a five-hundredth of the age.
	 */
	__u64 wall_error;
	__u64 disruptions; /* as in vmclock: time went on without the guest */
	__u64 zero[8];
};

/*
 * The host's TSC is a clock.  Without it the guest takes another clocksource;
 * wall_ns is then 0 and HL_OP_CLOCK_READ the only way to the host's time.
 */
#define HL_CLOCK_VALID 0x1

_Static_assert(sizeof(struct hl_clock) == 128, "the clock");

/* The page's clock, or what it would be without HL_CLOCK_VALID; ns. */
#define HL_OP_CLOCK_READ (HL_OPS_CLOCK + 0)
/* The host's CLOCK_REALTIME; ns since 1970. */
#define HL_OP_CLOCK_WALL (HL_OPS_CLOCK + 1)

#endif
