/* SPDX-License-Identifier: GPL-2.0-only */
/* What statsfd.so counts in a VMM and the runner reads by mapping it. */
#ifndef BENCH_STATSFD_H
#define BENCH_STATSFD_H

#include <stdatomic.h>
#include <stdint.h>

#define STATSFD_NAME	"bench-kvm-run"
#define STATSFD_REASONS 64 /* KVM_EXIT_* */

struct statsfd_page {
	_Atomic uint64_t returns; /* of KVM_RUN, all vCPUs */
	_Atomic uint64_t by_reason[STATSFD_REASONS];
};

#endif
