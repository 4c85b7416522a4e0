// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits by guest address.  A vCPU's notes are written by its thread alone and
 * read by the I/O thread, which sees each number whole but not all at the same
 * time.
 */
#include "vmm/core/exits.h"

#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "vmm/core/counter.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define SLOTS	  512 /* a power of two */
#define TRIES	  8
#define LINES_MAX 4000

struct note {
	_Atomic uint64_t rip;
	_Atomic uint64_t samples; /* 0: free */
	atomic_uint reason;	  /* KVM_EXIT_* */
};

struct exits {
	atomic_uint round; /* that the notes belong to */
	unsigned int skip; /* exits until the next note */
	_Atomic uint64_t lost;
	struct note note[SLOTS];
};

struct sample {
	uint64_t rip, samples;
	unsigned int reason;
};

static void put(_Atomic uint64_t *n, uint64_t v)
{
	atomic_store_explicit(n, v, memory_order_relaxed);
}

void exits_watch(struct vm *vm, bool on)
{
	for (unsigned int i = 0; on && i < vm->nr_cpus; i++)
		if (!atomic_load(&vm->vcpu[i].exits))
			atomic_store(&vm->vcpu[i].exits,
				     calloc(1, sizeof(struct exits)));
	if (on)
		vm->exit_rounds++;
	atomic_store(&vm->watch_exits, on ? vm->exit_rounds : 0);
}

static void start(struct exits *e, unsigned int round)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		put(&e->note[i].samples, 0);
	put(&e->lost, 0);
	e->skip = 0;
	atomic_store_explicit(&e->round, round, memory_order_release);
}

static void note(struct exits *e, uint64_t rip, unsigned int reason)
{
	uint64_t hash = (rip ^ reason) * 0x9e3779b97f4a7c15ull >> 40;

	for (unsigned int i = 0; i < TRIES; i++) {
		struct note *n = &e->note[(hash + i) % SLOTS];
		uint64_t samples = counter_get(&n->samples);

		if (!samples) {
			put(&n->rip, rip);
			atomic_store_explicit(&n->reason, reason,
					      memory_order_relaxed);
		} else if (counter_get(&n->rip) != rip || n->reason != reason) {
			continue;
		}
		atomic_store_explicit(&n->samples, samples + 1,
				      memory_order_release);
		return;
	}
	counter_add(&e->lost, 1);
}

void exits_note(struct vcpu *vcpu)
{
	struct exits *e = atomic_load(&vcpu->exits);
	unsigned int round = atomic_load(&vcpu->vm->watch_exits);
	struct kvm_regs regs;

	if (!e || !round)
		return;
	if (atomic_load_explicit(&e->round, memory_order_relaxed) != round)
		start(e, round);
	if (e->skip--)
		return;
	e->skip = EXITS_EVERY - 1;
	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) == 0)
		note(e, regs.rip, vcpu->run->exit_reason);
}

static int by_place(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	if (x->rip != y->rip)
		return x->rip < y->rip ? -1 : 1;
	return (x->reason > y->reason) - (x->reason < y->reason);
}

static int by_number(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->samples < y->samples) - (x->samples > y->samples);
}

/* All vCPUs' notes of this round. */
static size_t collect(struct vm *vm, struct sample *s, uint64_t *lost)
{
	unsigned int round = atomic_load(&vm->watch_exits);
	size_t nr = 0;

	for (unsigned int i = 0; i < vm->nr_cpus; i++) {
		struct exits *e = atomic_load(&vm->vcpu[i].exits);

		if (!e || !round || atomic_load(&e->round) != round)
			continue;
		*lost += counter_get(&e->lost);
		for (unsigned int k = 0; k < SLOTS; k++) {
			s[nr].samples = atomic_load(&e->note[k].samples);
			s[nr].rip = counter_get(&e->note[k].rip);
			s[nr].reason = e->note[k].reason;
			nr += s[nr].samples > 0;
		}
	}
	return nr;
}

static size_t merge(struct sample *s, size_t nr)
{
	size_t out = 0;

	qsort(s, nr, sizeof(*s), by_place);
	for (size_t i = 0; i < nr; i++) {
		if (out && !by_place(&s[out - 1], &s[i]))
			s[out - 1].samples += s[i].samples;
		else
			s[out++] = s[i];
	}
	qsort(s, out, sizeof(*s), by_number);
	return out;
}

static const char *reason_name(unsigned int reason)
{
	switch (reason) {
	case KVM_EXIT_IO:
		return "pio";
	case KVM_EXIT_MMIO:
		return "mmio";
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		return "msr";
	case KVM_EXIT_HYPERCALL:
		return "hypercall";
	default:
		return "other";
	}
}

void exits_print(struct vm *vm, FILE *out)
{
	/* One more than there can be: collect() looks before it counts. */
	struct sample *s = calloc((size_t)vm->nr_cpus * SLOTS + 1, sizeof(*s));
	uint64_t lost = 0;
	size_t nr;

	if (!s)
		return;
	nr = merge(s, collect(vm, s, &lost));
	for (size_t i = 0; i < nr; i++) {
		if (i < LINES_MAX)
			fprintf(out, "%llx %s %llu\n",
				(unsigned long long)s[i].rip,
				reason_name(s[i].reason),
				(unsigned long long)s[i].samples);
		else
			lost += s[i].samples;
	}
	if (lost)
		fprintf(out, "0 other %llu\n", (unsigned long long)lost);
	free(s);
}
