/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * Split-phase calls: a guest posts calls to a ring, goes on, and learns of
 * their completion by an interrupt or by polling.  HL_FEATURE_ASYNC.
 *
 * The rule behind them: a call made by a crossing (include/hotline/hypercall.h)
 * never waits for anything that another processor of this guest must do first.
 * What may wait is posted here, and the poster holds no lock meanwhile that
 * the host's work could need.
 *
 * A ring lies in physically contiguous guest memory:
 *
 *	struct hl_ring
 *	struct hl_call	     call[entries]  from offset HL_RING_CALLS
 *	struct hl_completion completion[entries]  right behind
 *
 * The indices run freely modulo 2^32; entry i is at i % entries.
 *
 * The guest writes entries, then call_tail, then, if HL_RING_SLEEPS is set and
 * call_head says that calls are left, the ring's number to HL_LINE_DOORBELL.
 * The host then takes a call, if there is room, before it sets the flag again:
 * as long as call_head stays where it was, the guest need not tell it of more.
 * The host takes calls in order while there is room for their completions, so
 * that none is ever lost: at most `entries` calls are taken whose completions
 * the guest has not consumed.
 * They run side by side and complete in any order, but for HL_CALL_BARRIER.
 * Each taken call completes exactly once.
 *
 * The host writes completions, then completion_tail, then raises the ring's
 * interrupt unless HL_RING_POLLED is set.  The guest consumes and writes
 * completion_head.  Who asks to be woken (the host sets SLEEPS, the guest clears
 * POLLED) looks at the index once more behind a full barrier; who writes an
 * index reads the flag behind one.  Room made by completion_head needs a
 * doorbell if the guest knows of calls not taken yet.
 */
#ifndef HOTLINE_ASYNC_H
#define HOTLINE_ASYNC_H

#include "hypercall.h"

struct hl_ring {
	__u32 call_tail;       /* guest writes: calls posted */
	__u32 guest_flags;     /* guest writes: HL_RING_POLLED */
	__u32 completion_head; /* guest writes: completions consumed */
	__u32 zero0[13];
	__u32 call_head;       /* host writes: calls taken */
	__u32 host_flags;      /* host writes: HL_RING_SLEEPS, HL_RING_BROKEN */
	__u32 completion_tail; /* host writes: completions written */
	__u32 zero1[13];
};

#define HL_RING_CALLS  128 /* offset of call[] */

#define HL_RING_POLLED 0x1 /* guest: no interrupt, I look myself */
#define HL_RING_SLEEPS 0x1 /* host: ring the doorbell for new calls */
/* host: the indices made no sense; nothing happens until it is closed. */
#define HL_RING_BROKEN 0x2

struct hl_completion {
	__u64 cookie; /* the call's `result` as posted */
	__s64 result;
	__u32 done; /* list calls: as in struct hl_call */
	__u32 zero;
};

#define HL_RING_MAX 4096 /* entries */

_Static_assert(sizeof(struct hl_ring) == HL_RING_CALLS, "header");
_Static_assert(sizeof(struct hl_completion) == 24, "completion");

/*
 * arg[0]: ring number, below CPUID's; arg[1]: guest-physical address, a
 * multiple of 4096; arg[2]: entries, a power of two up to HL_RING_MAX.  The
 * host expects all indices to be zero.  Returns 0; HL_EBUSY: it is open.
 */
#define HL_OP_RING_OPEN (HL_OPS_ASYNC + 0)
/*
 * arg[0]: ring number.  Takes no more calls, and returns HL_EAGAIN until the
 * last one taken has ended; then 0, and the memory is the guest's again.
 * Completions are still delivered as long as there is room.
 */
#define HL_OP_RING_CLOSE (HL_OPS_ASYNC + 1)
/*
 * arg[0]: ring number; arg[1]: cookie.  A call taken but not started completes
 * with HL_ECANCELED and 0 is returned.  HL_EALREADY: it runs; HL_ENOENT: no
 * such call is in the host's hands.
 */
#define HL_OP_RING_CANCEL (HL_OPS_ASYNC + 2)

#endif
