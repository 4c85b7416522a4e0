// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics.  The binary format is Documentation/virt/kvm/api.rst, 4.133
 * (KVM_GET_STATS_FD): header, id, descriptors, then 64-bit values.
 */
#include "vmm/core/stats.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/core/counter.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define STATS_MAX    512 /* descriptors; hosts have about 60 */
#define NAME_MAX_LEN 128

struct sum { /* one statistic over all vCPUs */
	char name[NAME_MAX_LEN];
	uint64_t value;
};

struct sums {
	struct sum *sum;
	size_t nr;
};

struct finder {
	const char *name;
	uint64_t value;
	bool found;
};

static int pread_all(int fd, void *buf, size_t len, off_t off)
{
	ssize_t n = pread(fd, buf, len, off);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* fn gets each scalar's name and where its value is. */
static int each_place(int fd, void (*fn)(void *ctx, const char *name, off_t at),
		      void *ctx)
{
	struct kvm_stats_header head;
	size_t stride;
	char *descs;
	int err;

	err = pread_all(fd, &head, sizeof(head), 0);
	if (err)
		return err;
	if (head.name_size > NAME_MAX_LEN || head.num_desc > STATS_MAX)
		return -EPROTO;
	stride = sizeof(struct kvm_stats_desc) + head.name_size;
	descs = malloc(stride * head.num_desc);
	if (!descs)
		return -ENOMEM;
	err = pread_all(fd, descs, stride * head.num_desc, head.desc_offset);
	for (uint32_t i = 0; !err && i < head.num_desc; i++) {
		struct kvm_stats_desc *d = (void *)(descs + i * stride);

		if (d->size == 1) /* others are histograms */
			fn(ctx, d->name, (off_t)head.data_offset + d->offset);
	}
	free(descs);
	return err;
}

struct reader {
	int fd, err;
	void (*fn)(void *ctx, const char *name, uint64_t value);
	void *ctx;
};

static void read_one(void *ctx, const char *name, off_t at)
{
	struct reader *r = ctx;
	uint64_t value;

	if (!r->err)
		r->err = pread_all(r->fd, &value, sizeof(value), at);
	if (!r->err)
		r->fn(r->ctx, name, value);
}

int stats_each(int fd, void (*fn)(void *ctx, const char *name, uint64_t value),
	       void *ctx)
{
	struct reader r = { .fd = fd, .fn = fn, .ctx = ctx };
	int err = each_place(fd, read_one, &r);

	return err ? err : r.err;
}

struct place {
	const char *name;
	off_t at;
};

static void find_place(void *ctx, const char *name, off_t at)
{
	struct place *p = ctx;

	if (!strcmp(name, p->name))
		p->at = at;
}

int stats_place(int fd, const char *name, off_t *at)
{
	struct place p = { .name = name, .at = -1 };
	int err = each_place(fd, find_place, &p);

	*at = p.at;
	return !err && p.at < 0 ? -ENOENT : err;
}

static void find_one(void *ctx, const char *name, uint64_t value)
{
	struct finder *f = ctx;

	if (!f->found && !strcmp(name, f->name)) {
		f->value = value;
		f->found = true;
	}
}

int stats_read(int fd, const char *name, uint64_t *value)
{
	struct finder f = { .name = name };
	int err = stats_each(fd, find_one, &f);

	if (err)
		return err;
	if (!f.found)
		return -ENOENT;
	*value = f.value;
	return 0;
}

static void add_one(void *ctx, const char *name, uint64_t value)
{
	struct sums *sums = ctx;
	struct sum *s;

	for (size_t i = 0; i < sums->nr; i++) {
		if (!strcmp(sums->sum[i].name, name)) {
			sums->sum[i].value += value;
			return;
		}
	}
	if (sums->nr == STATS_MAX)
		return;
	s = &sums->sum[sums->nr++];
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->value = value;
}

static const char *const counter_names[VCPU_COUNTERS] = {
	[VCPU_PIO] = "pio",	[VCPU_MMIO] = "mmio",
	[VCPU_MSR] = "msr",	[VCPU_HYPERCALL] = "hypercall",
	[VCPU_EOI] = "eoi",	[VCPU_INTR] = "signal",
	[VCPU_OTHER] = "other",
};

static uint64_t count_all(struct vm *vm, int what)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		n += counter_get(&vm->vcpu[i].count[what]);
	return n;
}

/* Fills sums (malloc()ed) with KVM's statistics over all vCPUs. */
static void collect(struct vm *vm, struct sums *sums)
{
	sums->nr = 0;
	sums->sum = calloc(STATS_MAX, sizeof(*sums->sum));
	if (!sums->sum)
		return;
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		if (vm->vcpu[i].stats_fd >= 0)
			stats_each(vm->vcpu[i].stats_fd, add_one, sums);
	if (vm->stats_fd >= 0)
		stats_each(vm->stats_fd, add_one, sums);
}

static void each_range(struct vm *vm, FILE *out, const char *fmt,
		       const char *between)
{
	struct bus *const buses[] = { &vm->pio, &vm->mmio, &vm->msr };
	const char *sep = "";

	for (size_t b = 0; b < sizeof(buses) / sizeof(buses[0]); b++) {
		for (unsigned int i = 0; i < buses[b]->nr; i++) {
			struct bus_range *r = &buses[b]->range[i];

			fputs(sep, out);
			fprintf(out, fmt, buses[b]->name,
				(unsigned long long)r->base, r->name,
				(unsigned long long)__atomic_load_n(
					&r->reads, __ATOMIC_RELAXED),
				(unsigned long long)__atomic_load_n(
					&r->writes, __ATOMIC_RELAXED));
			sep = between;
		}
	}
}

void stats_add(struct vm *vm, struct stats_part *part)
{
	part->next = vm->parts;
	vm->parts = part;
}

void stats_want_times(struct vm *vm, bool on)
{
	for (struct stats_part *p = vm->parts; p; p = p->next)
		if (p->want_times)
			p->want_times(p->ctx, on);
}

void stats_print_json(struct vm *vm, FILE *out)
{
	struct sums sums;

	collect(vm, &sums);
	fprintf(out, "{\"state\":\"%s\",\"vcpus\":%u,\"userspace_exits\":{",
		vm_state(vm), vm->nr_cpus);
	for (int i = 0; i < VCPU_COUNTERS; i++)
		fprintf(out, "%s\"%s\":%llu", i ? "," : "", counter_names[i],
			(unsigned long long)count_all(vm, i));
	fputs("},\"kvm\":{", out);
	for (size_t i = 0; i < sums.nr; i++)
		fprintf(out, "%s\"%s\":%llu", i ? "," : "", sums.sum[i].name,
			(unsigned long long)sums.sum[i].value);
	fputs("},\"ranges\":[", out);
	each_range(vm, out,
		   "{\"bus\":\"%s\",\"base\":%llu,\"name\":\"%s\","
		   "\"reads\":%llu,\"writes\":%llu}",
		   ",");
	fputc(']', out);
	for (struct stats_part *p = vm->parts; p; p = p->next) {
		fprintf(out, ",\"%s\":", p->name);
		p->json(p->ctx, out);
	}
	fputs("}\n", out);
	free(sums.sum);
}

void stats_print_text(struct vm *vm, FILE *out)
{
	struct sums sums;

	collect(vm, &sums);
	fprintf(out, "state: %s\n", vm_state(vm));
	fputs("exits to this process\n", out);
	for (int i = 0; i < VCPU_COUNTERS; i++)
		fprintf(out, "  %-34s %12llu\n", counter_names[i],
			(unsigned long long)count_all(vm, i));
	fputs("KVM's own counters, all vCPUs (those that are not zero)\n", out);
	for (size_t i = 0; i < sums.nr; i++)
		if (sums.sum[i].value)
			fprintf(out, "  %-34s %12llu\n", sums.sum[i].name,
				(unsigned long long)sums.sum[i].value);
	fputs("accesses by range: bus, base, device, reads, writes\n", out);
	each_range(vm, out, "  %-4s 0x%-10llx %-16s %12llu %12llu", "\n");
	fputc('\n', out);
	for (struct stats_part *p = vm->parts; p; p = p->next)
		p->text(p->ctx, out);
	free(sums.sum);
}
