/* SPDX-License-Identifier: GPL-2.0-only */
/* What memory a VMM and its helpers use beside the guest's RAM. */
#ifndef BENCH_VMMEM_H
#define BENCH_VMMEM_H

#include <stdint.h>
#include <sys/types.h>

/* Bytes, summed over the process and all its descendants. */
struct vmmem {
	uint64_t pss, private, rss;
	uint64_t ram; /* size of the mappings that were left out */
};

/*
 * Leaves out the mappings that are at least three quarters of ram bytes: the
 * guest's.  0, -ERANGE when those are not about ram in all, or -errno.
 */
int vmmem_read(struct vmmem *m, pid_t pid, uint64_t ram);

#endif
