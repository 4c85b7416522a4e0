// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's binary statistics (Documentation/virt/kvm/api.rst, 4.133), taken by
 * pidfd_getfd(2) from the descriptors that a VMM or statsfd.so keeps open.  The
 * runner's only thread.
 */
#include "tests/bench/kvmstats.h"

#include <dirent.h>
#include <errno.h>
#include <linux/kvm.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Later kernels add the vCPU's number. */
#define VCPU_LINK  "anon_inode:kvm-vcpu-stats"
#define TRACEPOINT "/sys/kernel/debug/tracing/events/kvm/%s/id"

enum { USER, TIMER, COUNTERS };
static int counter[COUNTERS] = { -1, -1 };

static int find_exits(struct kvmstats_vcpu *v)
{
	struct kvm_stats_header head;
	size_t stride;
	char *descs;

	if (pread(v->fd, &head, sizeof(head), 0) != sizeof(head))
		return -EIO;
	if (pread(v->fd, v->id, sizeof(v->id) - 1, head.id_offset) <= 0)
		return -EIO;
	stride = sizeof(struct kvm_stats_desc) + head.name_size;
	descs = calloc(head.num_desc, stride);
	if (!descs || pread(v->fd, descs, stride * head.num_desc,
			    head.desc_offset) <= 0) {
		free(descs);
		return -EIO;
	}
	for (size_t i = 0; i < head.num_desc; i++) {
		struct kvm_stats_desc *d = (void *)(descs + i * stride);

		if (!strcmp(d->name, "exits"))
			v->exits = head.data_offset + d->offset;
	}
	free(descs);
	return v->exits ? 0 : -EPROTO;
}

/* A VMM that keeps its own and statsfd.so make two descriptors of one vCPU. */
static void add_vcpu(struct kvmstats *s, int fd)
{
	struct kvmstats_vcpu *v = &s->vcpu[s->nr];

	if (s->nr == KVMSTATS_VCPUS)
		goto drop;
	memset(v, 0, sizeof(*v));
	v->fd = fd;
	if (find_exits(v))
		goto drop;
	for (unsigned int i = 0; i < s->nr; i++)
		if (!strcmp(s->vcpu[i].id, v->id))
			goto drop;
	s->nr++;
	return;
drop:
	close(fd);
}

int kvmstats_open(struct kvmstats *s, pid_t pid, int pidfd)
{
	char dir[64], path[512], link[128];
	struct dirent *e;
	DIR *d;

	memset(s, 0, sizeof(*s));
	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	d = opendir(dir);
	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		ssize_t n;

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		if (!strncmp(link, VCPU_LINK, strlen(VCPU_LINK)))
			add_vcpu(s, (int)syscall(SYS_pidfd_getfd, pidfd,
						 atoi(e->d_name), 0));
	}
	closedir(d);
	return s->nr ? 0 : -ENOENT;
}

static int trace(const char *name, const char *filter)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.inherit = 1,
	};
	unsigned long long id;
	char path[96];
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), TRACEPOINT, name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (fscanf(f, "%llu", &id) != 1)
		id = 0;
	fclose(f);
	attr.config = id;
	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			  PERF_FLAG_FD_CLOEXEC);
	if (fd < 0 || (filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter)))
		return -errno;
	return fd;
}

/* The counters are ours, and all processes that we start inherit them. */
int kvmstats_trace(void)
{
	counter[USER] = trace("kvm_userspace_exit", NULL);
	if (counter[USER] < 0)
		return counter[USER];
	counter[TIMER] = trace("kvm_msr", "write == 1 && (ecx == 0x6e0 || "
					  "ecx == 0x838)");
	return counter[TIMER] < 0 ? counter[TIMER] : 0;
}

void kvmstats_read(const struct kvmstats *s, struct kvmstats_values *v)
{
	uint64_t value;

	memset(v, 0, sizeof(*v));
	for (unsigned int i = 0; i < s->nr; i++)
		if (pread(s->vcpu[i].fd, &value, sizeof(value),
			  (off_t)s->vcpu[i].exits) == sizeof(value))
			v->exits += value;
	if (read(counter[USER], &value, sizeof(value)) == sizeof(value))
		v->user = value;
	if (read(counter[TIMER], &value, sizeof(value)) == sizeof(value))
		v->timer = value;
}

void kvmstats_close(struct kvmstats *s)
{
	for (unsigned int i = 0; i < s->nr; i++)
		close(s->vcpu[i].fd);
	memset(s, 0, sizeof(*s));
}
