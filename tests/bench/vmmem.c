// SPDX-License-Identifier: GPL-2.0-only
/* Memory of a VMM from /proc/PID/smaps.  The runner's only thread. */
#include "tests/bench/vmmem.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first character of a mapping's own line is a digit of its address. */
static bool is_mapping(const char *line, uint64_t *size)
{
	unsigned long long from, to;
	char perms[8];

	if (sscanf(line, "%llx-%llx %7s", &from, &to, perms) != 3)
		return false;
	*size = to - from;
	return true;
}

static void add_line(struct vmmem *m, const char *line)
{
	char name[64];
	unsigned long long kib;

	if (sscanf(line, "%63[^:]: %llu kB", name, &kib) != 2)
		return;
	if (!strcmp(name, "Pss"))
		m->pss += kib << 10;
	else if (!strcmp(name, "Rss"))
		m->rss += kib << 10;
	else if (!strcmp(name, "Private_Clean") ||
		 !strcmp(name, "Private_Dirty"))
		m->private += kib << 10;
}

static int add_process(struct vmmem *m, pid_t pid, uint64_t ram)
{
	char path[64], line[512];
	bool guest = false;
	uint64_t size;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (is_mapping(line, &size)) {
			guest = size >= ram / 4 * 3;
			m->ram += guest ? size : 0;
		} else if (!guest) {
			add_line(m, line);
		}
	}
	fclose(f);
	return 0;
}

static int add_tree(struct vmmem *m, pid_t pid, uint64_t ram);

/* The children that one thread started. */
static int add_children(struct vmmem *m, pid_t pid, const char *thread,
			uint64_t ram)
{
	char path[96];
	int child, err = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", (int)pid,
		 thread);
	f = fopen(path, "re");
	while (f && !err && fscanf(f, "%d", &child) == 1)
		err = add_tree(m, child, ram);
	if (f)
		fclose(f);
	return err;
}

static int add_tree(struct vmmem *m, pid_t pid, uint64_t ram)
{
	int err = add_process(m, pid, ram);
	char path[64];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && !err && (e = readdir(d)))
		if (e->d_name[0] != '.')
			err = add_children(m, pid, e->d_name, ram);
	if (d)
		closedir(d);
	return err;
}

int vmmem_read(struct vmmem *m, pid_t pid, uint64_t ram)
{
	int err;

	memset(m, 0, sizeof(*m));
	err = add_tree(m, pid, ram);
	if (err)
		return err;
	/* A VMM may round up for huge pages, not more. */
	return m->ram < ram || m->ram > ram + (8 << 20) ? -ERANGE : 0;
}
