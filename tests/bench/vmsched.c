// SPDX-License-Identifier: GPL-2.0-only
/* What the host's scheduler did, from /proc.  The runner's only thread. */
#include "tests/bench/vmsched.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOMAINS "/sys/kernel/debug/sched/domains"

int vmsched_cpus(int cpu[VMSCHED_CPUS])
{
	cpu_set_t set;
	int n = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -errno;
	for (int i = 0; i < CPU_SETSIZE && n < VMSCHED_CPUS; i++)
		if (CPU_ISSET(i, &set))
			cpu[n++] = i;
	return n == VMSCHED_CPUS ? 0 : -ENODEV;
}

int vmsched_pin(pid_t tid, int cpu, int other)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (other >= 0)
		CPU_SET(other, &set);
	return sched_setaffinity(tid, sizeof(set), &set) ? -errno : 0;
}

int vmsched_confine(const int cpu[VMSCHED_CPUS])
{
	return vmsched_pin(0, cpu[0], cpu[1]);
}

static FILE *open_of(pid_t pid, const char *tid, const char *name)
{
	char path[320];

	snprintf(path, sizeof(path), "/proc/%d/task/%s/%s", (int)pid, tid,
		 name);
	return fopen(path, "re");
}

/* Adds the numbers behind name in one of the thread's files. */
static void add_value(pid_t pid, const char *tid, const char *file,
		      const char *name, uint64_t *sum)
{
	FILE *f = open_of(pid, tid, file);
	char line[160];

	while (f && fgets(line, sizeof(line), f)) {
		const char *at = strchr(line, ':');

		if (at && !strncmp(line, name, strlen(name)))
			*sum += strtoull(at + 1, NULL, 10);
	}
	if (f)
		fclose(f);
}

static void add_thread(pid_t pid, const char *tid, struct vmsched *v)
{
	FILE *f = open_of(pid, tid, "schedstat");
	unsigned long long ns = 0;

	if (f && fscanf(f, "%llu", &ns) == 1)
		v->run_ns += ns;
	if (f)
		fclose(f);
	add_value(pid, tid, "status", "voluntary_ctxt", &v->voluntary);
	add_value(pid, tid, "status", "nonvoluntary_ctxt", &v->involuntary);
	add_value(pid, tid, "sched", "se.nr_migrations", &v->migrations);
}

void vmsched_read(pid_t pid, struct vmsched *v)
{
	char path[64];
	struct dirent *e;
	DIR *dir;

	memset(v, 0, sizeof(*v));
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			add_thread(pid, e->d_name, v);
	if (dir)
		closedir(dir);
}

uint64_t vmsched_sleeps(pid_t pid, pid_t tid)
{
	uint64_t n = 0;
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)tid);
	add_value(pid, text, "status", "voluntary_ctxt", &n);
	return n;
}

pid_t vmsched_thread(pid_t pid, const char *name)
{
	char path[64], line[32];
	struct dirent *e;
	pid_t found = 0;
	DIR *dir;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir))) {
		f = e->d_name[0] != '.' ? open_of(pid, e->d_name, "comm")
					: NULL;
		if (!f)
			continue;
		if (fgets(line, sizeof(line), f)) {
			line[strcspn(line, "\n")] = '\0';
			found = strcmp(line, name) ? 0 : (pid_t)atoi(e->d_name);
		}
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* busy_factor: how many times rarer a busy processor looks for a balance. */
void vmsched_calm(void)
{
	FILE *f = fopen("/sys/kernel/debug/sched/verbose", "we");
	char path[320];

	if (!f)
		return;
	fputs("Y", f);
	fclose(f);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		for (int level = 0; level < 8; level++) {
			snprintf(path, sizeof(path),
				 DOMAINS "/cpu%d/domain%d/busy_factor", cpu,
				 level);
			f = fopen(path, "we");
			if (!f && !level)
				return;
			if (!f)
				break;
			fputs("1000", f);
			fclose(f);
		}
}
