/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of the host's processors a thread may use. */
#ifndef CORE_AFFINITY_H
#define CORE_AFFINITY_H

#include <sched.h>
#include <sys/types.h>

/* How many there are, all in all.  Reads a file. */
int affinity_online(void);

/*
 * In a form that gives the thread back what it had: the kernel keeps what it
 * is told as a limit, so who may use all that there are is told no limit, and
 * gets more if there is more one day.  0 or -errno; hosts with more processors
 * than a cpu_set_t holds say -EINVAL.
 */
int affinity_get(pid_t tid, int online, cpu_set_t *cpus);

#endif
