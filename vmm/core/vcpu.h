/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU and its thread, which owns everything here but the marked fields.
 */
#ifndef CORE_VCPU_H
#define CORE_VCPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/core/counter.h"
#include "vmm/core/vm.h"

struct exits;
struct kvm_msr_entry;
struct kvm_run;

enum vcpu_counter { /* exits to this process, by reason */
		    VCPU_PIO,
		    VCPU_MMIO,
		    VCPU_MSR,
		    VCPU_HYPERCALL,
		    VCPU_EOI,
		    VCPU_INTR,
		    VCPU_OTHER,
		    VCPU_COUNTERS
};

/* Somebody wants to know when the vCPU's thread next comes out of KVM_RUN. */
struct vcpu_hook {
	void (*back)(struct vcpu_hook *hook, struct vcpu *vcpu); /* on it */
};

struct vcpu {
	struct vm *vm;
	unsigned int id; /* APIC id */
	int fd;
	int stats_fd; /* KVM_GET_STATS_FD, or -1 */
	struct kvm_run *run;
	pthread_t thread;
	bool started;	       /* main thread: pthread_join() is due */
	atomic_int tid;	       /* set while it may be kicked, by any thread */
	pthread_mutex_t hands; /* who holds it keeps the thread from ending */
	struct vcpu_hook *_Atomic hook; /* or NULL; set with hands held */
	void *line; /* vm->line()'s own; set before the thread starts */
	_Atomic uint64_t count[VCPU_COUNTERS]; /* read by any thread */
	struct exits *_Atomic exits;	       /* vmm/core/exits.c; or NULL */
	/* vcpu_where(): the asker's question, the thread's answer */
	atomic_int where_state;
	_Atomic uint64_t where_rip;
};

struct vcpu_regs { /* architectural state at the entry point */
	uint64_t rip, rsp, rsi, rbx;
	uint64_t cr3; /* 0: protected mode without paging (PVH) */
	uint64_t gdt; /* guest-physical address of a GDT to use */
};

static inline void vcpu_count(struct vcpu *vcpu, enum vcpu_counter what)
{
	counter_add(&vcpu->count[what], 1);
}

/* The vCPU whose thread this is, or NULL. */
struct vcpu *vcpu_self(void);
/* From now on this thread is the vCPU's: its own, or a test's. */
void vcpu_adopt(struct vcpu *vcpu);

int vcpu_init(struct vcpu *vcpu, struct vm *vm, unsigned int id);
void vcpu_exit(struct vcpu *vcpu);

/* Boot processor only, before it starts.  0 or -errno. */
int vcpu_set_boot_regs(struct vcpu *vcpu, const struct vcpu_regs *regs);

/*
 * Hands the vCPU over with its local APIC in x2APIC mode, as firmware may:
 * the kernel then need not silence the IOAPIC to switch it.  Before it starts.
 * 0 or -errno.
 */
int vcpu_set_x2apic(struct vcpu *vcpu);

/*
 * KVM's MSRs of the vCPU, by the host's rules.  Before it starts, or on its own
 * thread outside of KVM_RUN: others wait for it.  Of many, up to VCPU_MSRS_MAX:
 * how many KVM did from the first on, the next being one that it refuses; or
 * -errno.  Of one: 0, -EIO if KVM refuses it, or another -errno; *value is left
 * alone then.
 */
#define VCPU_MSRS_MAX 64
int vcpu_set_msrs(struct vcpu *vcpu, const struct kvm_msr_entry *e,
		  unsigned int nr);
int vcpu_get_msrs(const struct vcpu *vcpu, struct kvm_msr_entry *e,
		  unsigned int nr);
int vcpu_set_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value);
int vcpu_get_msr(const struct vcpu *vcpu, uint32_t msr, uint64_t *value);

/* Thread creation; 0 or -errno.  The others wait for INIT/SIPI in the kernel. */
int vcpu_start(struct vcpu *vcpu);
/* Makes KVM_RUN return soon.  Any thread. */
void vcpu_kick(struct vcpu *vcpu);
/* After vm_end(): waits for the thread. */
void vcpu_join(struct vcpu *vcpu);

/* TSC ticks per ms, the guest's and ours; 0 if KVM does not say. */
unsigned int vcpu_tsc_khz(const struct vcpu *vcpu);

/*
 * Where a running vCPU is: asks its thread and waits at most 2 s.
 * False if it did not answer.
 */
bool vcpu_where(struct vcpu *vcpu, uint64_t *rip);

#endif
