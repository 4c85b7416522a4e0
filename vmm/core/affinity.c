// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/core/affinity.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int affinity_online(void)
{
	return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int affinity_get(pid_t tid, int online, cpu_set_t *cpus)
{
	if (sched_getaffinity(tid, sizeof(*cpus), cpus) < 0)
		return -errno;
	if (CPU_COUNT(cpus) >= online)
		memset(cpus, 0xff, sizeof(*cpus));
	return 0;
}
