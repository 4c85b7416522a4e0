// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's binary statistics (Documentation/virt/kvm/api.rst, 4.133), taken from
 * the descriptors that a VMM or statsfd.so keeps open.  The runner's only
 * thread.
 */
#include "tests/bench/kvmstats.h"

#include <dirent.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/statsfd.h"

/* Later kernels add the vCPU's number. */
#define VCPU_LINK "anon_inode:kvm-vcpu-stats"

static const char *const names[KVMSTAT_NR] = {
	[KVMSTAT_EXITS] = "exits",	     [KVMSTAT_IRQ_EXITS] = "irq_exits",
	[KVMSTAT_HALT_EXITS] = "halt_exits", [KVMSTAT_IO_EXITS] = "io_exits",
	[KVMSTAT_MMIO_EXITS] = "mmio_exits",
};

static int find_offsets(struct kvmstats_vcpu *v)
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

		for (size_t k = 0; k < KVMSTAT_NR; k++)
			if (!strcmp(d->name, names[k]))
				v->offset[k] = head.data_offset + d->offset;
	}
	free(descs);
	return v->offset[KVMSTAT_EXITS] ? 0 : -EPROTO;
}

/* A VMM that keeps its own and statsfd.so make two descriptors of one vCPU. */
static void add_vcpu(struct kvmstats *s, int fd)
{
	struct kvmstats_vcpu *v = &s->vcpu[s->nr];

	memset(v, 0, sizeof(*v));
	v->fd = fd;
	if (s->nr == KVMSTATS_VCPUS || find_offsets(v))
		goto drop;
	for (unsigned int i = 0; i < s->nr; i++)
		if (!strcmp(s->vcpu[i].id, v->id))
			goto drop;
	s->nr++;
	return;
drop:
	close(fd);
}

static void add_page(struct kvmstats *s, int fd)
{
	void *p = mmap(NULL, sizeof(*s->page), PROT_READ, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		s->page = p;
	close(fd);
}

static int take_fd(int pidfd, const char *number)
{
	return (int)syscall(SYS_pidfd_getfd, pidfd, atoi(number), 0);
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
		if (n < 0)
			continue;
		link[n] = '\0';
		if (!strncmp(link, VCPU_LINK, strlen(VCPU_LINK)))
			add_vcpu(s, take_fd(pidfd, e->d_name));
		else if (strstr(link, "/memfd:" STATSFD_NAME))
			add_page(s, take_fd(pidfd, e->d_name));
	}
	closedir(d);
	return s->nr ? 0 : -ENOENT;
}

void kvmstats_read(const struct kvmstats *s, struct kvmstats_values *v)
{
	memset(v, 0, sizeof(*v));
	for (unsigned int i = 0; i < s->nr; i++) {
		for (size_t k = 0; k < KVMSTAT_NR; k++) {
			uint64_t off = s->vcpu[i].offset[k], value;

			if (off && pread(s->vcpu[i].fd, &value, sizeof(value),
					 (off_t)off) == sizeof(value))
				v->sum[k] += value;
		}
	}
	if (!s->page)
		return;
	v->user = s->page->returns;
	for (size_t i = 0; i < STATSFD_REASONS; i++)
		v->by_reason[i] = s->page->by_reason[i];
}

void kvmstats_close(struct kvmstats *s)
{
	for (unsigned int i = 0; i < s->nr; i++)
		close(s->vcpu[i].fd);
	if (s->page)
		munmap(s->page, sizeof(*s->page));
	memset(s, 0, sizeof(*s));
}
