/* SPDX-License-Identifier: GPL-2.0-only */
/* How the host schedules a thread, as sched_setattr() has it. */
#ifndef BACKEND_SCHED_H
#define BACKEND_SCHED_H

#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* linux/sched/types.h, which clashes with sched.h */
struct sched_how {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

/* -1 with errno set, or 0.  tid 0: the caller. */
static inline int sched_how_get(pid_t tid, struct sched_how *how)
{
	return (int)syscall(SYS_sched_getattr, tid, how, sizeof(*how), 0);
}

static inline int sched_how_set(pid_t tid, struct sched_how *how)
{
	how->size = sizeof(*how);
	return (int)syscall(SYS_sched_setattr, tid, how, 0);
}

#endif
