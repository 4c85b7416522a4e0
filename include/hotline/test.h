/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * Calls and registers that exist to test and to measure the line.  The VMM has
 * them only if it is asked to (HL_FEATURE_TEST).
 */
#ifndef HOTLINE_TEST_H
#define HOTLINE_TEST_H

#include "hypercall.h"

/* Adds arg[0] to a counter of the whole guest; returns what it was. */
#define HL_OP_TEST_COUNT (HL_OPS_TEST + 0)
/* List call, entries are read only: adds each a ^ b to the same counter. */
#define HL_OP_TEST_SUM (HL_OPS_TEST + 1)
/*
 * List call, entries are written back: b = ~a.  An a of 0 is refused with
 * HL_EINVAL.
 */
#define HL_OP_TEST_INVERT (HL_OPS_TEST + 2)
/*
 * Sleeps arg[0] nanoseconds, at most HL_TEST_DELAY_MAX, then returns arg[1].
 * May be posted to a ring.
 */
#define HL_OP_TEST_DELAY  (HL_OPS_TEST + 3)
#define HL_TEST_DELAY_MAX 100000000
/*
 * Waits until HL_OP_TEST_WAKE was called as often for cell arg[0] as this, at
 * most arg[1] nanoseconds (up to HL_TEST_WAIT_MAX): 0, or HL_ETIME.  Breaks
 * the rule of async.h on purpose when it is not posted to a ring.
 */
#define HL_OP_TEST_WAIT	 (HL_OPS_TEST + 4)
#define HL_OP_TEST_WAKE	 (HL_OPS_TEST + 5) /* arg[0]: cell */
#define HL_TEST_CELLS	 16
#define HL_TEST_WAIT_MAX 5000000000
/*
 * How often the calling processor has left the guest so far, this call
 * included: by KVM's count.  HL_EIO: KVM has none.
 */
#define HL_OP_TEST_EXITS (HL_OPS_TEST + 8)

/*
 * The same work, adding to the counter of HL_OP_TEST_COUNT, by one trap per
 * operation: a 32-bit write to a port, to memory, or a WRMSR, all of which the
 * VMM emulates.  Reads return the counter.
 */
#define HL_TEST_PORT	  0x0630
#define HL_TEST_MMIO	  0xd0002000
#define HL_TEST_MMIO_SIZE 0x1000
#define HL_TEST_MSR	  0x484c0000
#define HL_TEST_MSRS	  64 /* MSRs from there on, all alike */

#endif
