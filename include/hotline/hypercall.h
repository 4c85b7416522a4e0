/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * The line: how a guest kernel calls the hotline VMM.
 *
 * A processor that wants to call has a call page, 64 slots of 64 bytes.  It
 * fills slots, makes one crossing by one of the transports below, and reads
 * each slot's result.  All fields are little-endian.  Numbers never change
 * their meaning; what is new comes with a feature bit.
 *
 * The same file is in the VMM and in the guest kernel.
 */
#ifndef HOTLINE_HYPERCALL_H
#define HOTLINE_HYPERCALL_H

#include <linux/types.h>

/*
 * Discovery: CPUID leaves, beside KVM's own at 0x40000000.
 *
 * HL_CPUID_BASE	EAX: highest leaf of ours; EBX, ECX, EDX: the
 *			signature, 12 bytes with its NUL
 * HL_CPUID_FEATURES	EAX: HL_ABI_VERSION; EBX: HL_FEATURE_*, bits 31:0;
 *			ECX: bits 63:32; EDX: HL_ADVICE_*, what the host
 *			thinks worth using
 * HL_CPUID_TRANSPORT	EAX: HL_TRANSPORT_*; EBX: first of the HL_LINE_* ports;
 *			ECX: the GSI of the first ring's completion interrupt
 *			(edge, active high), that of ring r being r more; ~0
 *			if there are none; EDX: number of rings
 *
 * A device tree says the same in a node "hotline,hypercall-1".
 */
#define HL_CPUID_BASE	   0x40000100
#define HL_CPUID_FEATURES  0x40000101
#define HL_CPUID_TRANSPORT 0x40000102
#define HL_CPUID_SIGNATURE "hotline-vmm"

/* A guest uses the line only if it knows the version. */
#define HL_ABI_VERSION	 1

#define HL_FEATURE_ASYNC (1ULL << 0) /* rings: include/hotline/async.h */
#define HL_FEATURE_TEST	 (1ULL << 1) /* include/hotline/test.h */
#define HL_FEATURE_CLOCK (1ULL << 2) /* include/hotline/clock.h */
#define HL_FEATURE_TIMER (1ULL << 3) /* include/hotline/timer.h */
#define HL_FEATURE_MSR	 (1ULL << 4) /* include/hotline/msr.h */
#define HL_FEATURE_YIELD (1ULL << 5) /* include/hotline/yield.h */

#define HL_ADVICE_ASYNC	 (1U << 0) /* rings pay for slow calls */
#define HL_ADVICE_HALT	 (1U << 1) /* so does HL_OP_TIMER_HALT */

/*
 * Transports.  HL_TRANSPORT_PIO is always there.
 *
 * Either way the crossing names slots of the call page by HL_RUN().  They are
 * run in order.  The time of one crossing is bounded: slots whose result is
 * still HL_NOT_RUN were not, or not wholly, and the guest names them again.
 * Each crossing does some work, so that this ends.
 *
 * HL_TRANSPORT_VMCALL	VMCALL or VMMCALL with rax = HL_VMCALL_NR, rbx = 0,
 *			rcx = HL_VMCALL_RUN, rdx = HL_RUN().  rax is then the
 *			number of slots finished, or a HL_E* status.
 * HL_TRANSPORT_PIO	32-bit write of HL_RUN() to HL_LINE_RUN
 *
 * Only the kernel may call: KVM refuses VMCALL, the I/O permission bitmap OUT,
 * from a less privileged ring.
 */
#define HL_TRANSPORT_VMCALL (1U << 0)
#define HL_TRANSPORT_PIO    (1U << 1)

#define HL_VMCALL_NR	    12 /* KVM_HC_MAP_GPA_RANGE, linux/kvm_para.h */
#define HL_VMCALL_RUN	    1

/* nr 1..64 slots from `first` on, first + nr <= 64; other bits are zero. */
#define HL_RUN(first, nr) ((nr) | (first) << 8)
#define HL_RUN_NR(run)	  ((run)&0xff)
#define HL_RUN_FIRST(run) ((run) >> 8)

/* Ports, relative to the first; 32-bit accesses. */
#define HL_LINE_RUN 0x0 /* W: HL_RUN(); reads return ~0 */
/*
 * RW: the page frame number of this processor's call page, ~0 for none.  What
 * is not RAM is not taken, which reading back shows.
 */
#define HL_LINE_PAGE 0x4
/*
 * W: the number of a ring with new entries.  The write itself needs no answer,
 * so it does not wait for the VMM (an ioeventfd); reads return ~0.
 */
#define HL_LINE_DOORBELL 0x8
#define HL_LINE_PORTS	 0xc /* how many ports */

/* One call. */
struct hl_call {
	__u16 op;    /* IN: HL_OP_* */
	__u16 flags; /* IN: HL_CALL_* */
	/*
	 * List calls, IN/OUT: entries done; 0 in a new call.  Others: zero.
	 */
	__u32 done;
	/*
	 * OUT: >= 0 what the call says, < 0 a HL_E* status.  IN: HL_NOT_RUN.
	 * In a ring's entry IN: the cookie, returned with the completion.
	 */
	__s64 result;
	__u64 arg[6]; /* IN: see the op; those it does not name are zero */
};

#define HL_SLOTS   64 /* struct hl_call in a call page */

#define HL_NOT_RUN (-0x7fffffffffffffffLL - 1)

/* flags */
#define HL_CALL_BARRIER 0x1 /* rings: starts when all before it completed */

/*
 * List calls take arg[0] = guest-physical address of the first list page,
 * arg[1] = number of entries.  Entries are done in order.  On an error the
 * result is its status and `done` the index of the entry that it is about: the
 * guest may go on behind it.  Without one, the result is the number of
 * entries.  Whether entries are written back is said at the op.
 *
 * All list pages but the last are full.
 */
#define HL_LIST_ENTRIES 255   /* per page */
#define HL_LIST_MAX	16320 /* entries of one call: 64 pages */

struct hl_list_entry { /* two words, whose meaning is the op's */
	__u64 a;
	__u64 b;
};

struct hl_list_page {
	__u64 next; /* IN: guest-physical address of the next; 0 in the last */
	__u64 zero;
	struct hl_list_entry entry[HL_LIST_ENTRIES];
};

_Static_assert(sizeof(struct hl_call) == 64, "a slot");
_Static_assert(sizeof(struct hl_list_page) == 4096, "a page");

/* Statuses; the values of Linux' errno of the same name, for ever. */
#define HL_ENOENT    (-2)   /* no such object */
#define HL_EIO	     (-5)   /* the host failed to do it */
#define HL_EAGAIN    (-11)  /* not now: try again later */
#define HL_ENOMEM    (-12)  /* the host has no memory for it */
#define HL_EPERM     (-1)   /* not allowed to this guest */
#define HL_EFAULT    (-14)  /* an address is not in RAM, or not aligned */
#define HL_EBUSY     (-16)  /* in use */
#define HL_EINVAL    (-22)  /* an argument is out of range */
#define HL_ENOSYS    (-38)  /* no such op, or its feature is off */
#define HL_ETIME     (-62)  /* its time ran out */
#define HL_EALREADY  (-114) /* too late: it runs already */
#define HL_ECANCELED (-125) /* cancelled before it ran */

/*
 * Ops, 16 to a family.  Arguments and results are at the family's header, or
 * here for the first.
 */
#define HL_OP_NULL 0x0000 /* does nothing; returns 0 */

/* Families: include/hotline/<name>.h */
#define HL_OPS_ASYNC 0x0010
#define HL_OPS_TEST  0x0020
#define HL_OPS_CLOCK 0x0030
#define HL_OPS_TIMER 0x0040
#define HL_OPS_MSR   0x0050
#define HL_OPS_YIELD 0x0060
#define HL_OPS_MAX   0x0100

#endif
