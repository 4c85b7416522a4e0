/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The beginning of the clock page, as guests know it that know nothing of us:
 * the vmclock ABI, version 1, of Linux 6.13 and later
 * (include/uapi/linux/vmclock-abi.h; https://uapi-group.org/specifications/specs/vmclock).
 * Declared here anew, as older hosts' headers lack it.  Little-endian.
 */
#ifndef BACKEND_VMCLOCK_H
#define BACKEND_VMCLOCK_H

#include <stdint.h>

struct vmclock {
	/* Constant. */
	uint32_t magic;
	uint32_t size; /* of the region, bytes */
	uint16_t version;
	uint8_t counter;   /* VMCLOCK_COUNTER_* */
	uint8_t time_type; /* VMCLOCK_TIME_UTC */
	/* Odd while what follows is written. */
	uint32_t seq;
	uint64_t disruption_marker;
	uint64_t flags; /* VMCLOCK_HAS_* */
	uint8_t zero[2];
	uint8_t status;	       /* VMCLOCK_STATUS_* */
	uint8_t leap_smearing; /* 0: none */
	int16_t tai_offset_s;
	uint8_t leap;	      /* VMCLOCK_LEAP_* */
	uint8_t period_shift; /* below: periods are in 2^-(64 + this) s */
	uint64_t counter_value;
	uint64_t period; /* of the counter */
	uint64_t period_esterror, period_maxerror;
	/* The time at counter_value; fraction in 2^-64 s. */
	uint64_t time_s, time_fraction;
	uint64_t time_esterror_ns, time_maxerror_ns;
};

_Static_assert(sizeof(struct vmclock) == 104, "version 1");

#define VMCLOCK_MAGIC	0x4b4c4356 /* "VCLK" */
#define VMCLOCK_VERSION 1

enum {
	VMCLOCK_COUNTER_TSC = 1,
	VMCLOCK_COUNTER_INVALID = 0xff,
	VMCLOCK_TIME_UTC = 0,
};

enum vmclock_flags { /* which fields mean something */
		     VMCLOCK_HAS_TAI_OFFSET = 1 << 0,
		     VMCLOCK_HAS_PERIOD_ESTERROR = 1 << 3,
		     VMCLOCK_HAS_PERIOD_MAXERROR = 1 << 4,
		     VMCLOCK_HAS_TIME_ESTERROR = 1 << 5,
		     VMCLOCK_HAS_TIME_MAXERROR = 1 << 6,
};

enum vmclock_status {
	VMCLOCK_STATUS_UNKNOWN,
	VMCLOCK_STATUS_INITIALIZING,
	VMCLOCK_STATUS_SYNCHRONIZED,
	VMCLOCK_STATUS_FREERUNNING,
	VMCLOCK_STATUS_UNRELIABLE,
};

enum vmclock_leap {
	VMCLOCK_LEAP_NONE,
	VMCLOCK_LEAP_PRE_POS, /* one is to be inserted */
	VMCLOCK_LEAP_PRE_NEG,
	VMCLOCK_LEAP_POS, /* in it: 23:59:60 */
	VMCLOCK_LEAP_POST_POS,
	VMCLOCK_LEAP_POST_NEG,
};

#endif
