/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * Many MSRs by one crossing: the same as RDMSR and WRMSR one after another on
 * this processor, for those MSRs that the host lets a list touch.
 */
#ifndef HOTLINE_MSR_H
#define HOTLINE_MSR_H

#include "hypercall.h"

/*
 * List call, entries are read only: writes b to MSR a, whose bits 63:32 are
 * zero.  What stops it, with `done` the index of the entry:
 *
 * HL_EPERM	not by this way: the host's list has not this MSR, or not with
 *		this value.  Nothing is written and nothing said about the MSR;
 *		WRMSR does what it always does.
 * HL_EIO	the processor refuses: where WRMSR raises #GP
 * HL_EINVAL	a has bits 63:32
 */
#define HL_OP_MSR_WRITE (HL_OPS_MSR + 0)
/* List call, entries are written back: b = MSR a.  Stops for the same. */
#define HL_OP_MSR_READ (HL_OPS_MSR + 1)

#endif
