/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One virtual machine: the KVM descriptors, memory, buses and vCPUs, and how
 * it ends.  Everything but the end is constant once vCPUs run.
 */
#ifndef CORE_VM_H
#define CORE_VM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/core/bus.h"
#include "vmm/core/hold.h"
#include "vmm/core/irq.h"
#include "vmm/core/mem.h"

struct event_loop;
struct kvm_cpuid2;
struct stats_part;
struct vcpu;

/*
 * vm_end() codes: an enum exit_code, or this plus the status of the command
 * that the guest was started for.
 */
#define VM_END_COMMAND 0x100

#define VM_MAX_CPUS    254 /* xAPIC ids that every guest can address */

struct vm {
	int kvm_fd, fd;
	int run_size;	  /* bytes of struct kvm_run mapping */
	bool shares_regs; /* KVM_SYNC_X86_REGS, if asked for, in kvm_run */
	struct mem mem;
	struct bus pio, mmio, msr;
	struct irq_chip irq;
	struct vcpu *vcpu; /* array */
	unsigned int nr_cpus;
	struct kvm_cpuid2 *cpuid; /* for all vCPUs, APIC ids apart */
	struct event_loop *loop;  /* the I/O thread's */
	atomic_int end;		  /* vm_end()'s code; -1 = still running */
	atomic_uint running;	  /* vCPU threads; the last one stops loop */
	struct hold hold;	  /* of the vCPUs */
	/* Memory slots in use; set-up's, then vmm/backend/clock.c's. */
	uint32_t slots;
	/*
	 * Who answers a crossing of the line (hypercalls/line.c), on the
	 * vCPU's thread: cpu is its vcpu->line, run is HL_RUN(), the result
	 * what VMCALL leaves in rax.  NULL: nobody; then line_port is no port
	 * either.
	 */
	int64_t (*line)(void *cpu, uint64_t run);
	uint32_t line_port; /* HL_LINE_RUN, taken before pio is searched */
	int stats_fd;	    /* KVM_GET_STATS_FD of the VM, or -1 */
	struct stats_part *parts; /* others' statistics */
	/* exits_watch(): 0, or the number of the request; such so far */
	atomic_uint watch_exits;
	unsigned int exit_rounds;
};

struct vm_options {
	const char *kvm_path; /* /dev/kvm */
	unsigned int cpus;    /* checked; vm_add_cpus() makes them */
	unsigned int pins;    /* IOAPIC pins */
	struct mem_options mem;
};

/*
 * Opens KVM, lays out memory, creates the irqchip.  Returns 0 or, after an
 * error() that says what and how to mend it, an enum exit_code.
 */
int vm_init(struct vm *vm, const struct vm_options *opt);
/* Creates the vCPUs (not started); vm->cpuid is final then.  As above. */
int vm_add_cpus(struct vm *vm, unsigned int cpus);
void vm_exit(struct vm *vm);

/*
 * Ends the machine: the first caller's code wins.  Any thread, also a vCPU's
 * from a device handler; returns at once.  The I/O loop goes on until the last
 * vCPU thread is gone, so that none waits for it in vain.
 */
void vm_end(struct vm *vm, int code);

static inline bool vm_ended(const struct vm *vm)
{
	/* In one order with vcpu->tid, so that no end goes without its kick. */
	return atomic_load(&vm->end) >= 0;
}

/* "running", "pausing", "paused" or "ending".  Any thread. */
const char *vm_state(struct vm *vm);

/*
 * KVM_IOEVENTFD: `fd` is signalled by guest writes at addr instead of an exit
 * to us.  len 0 = any length; match < 0 = any value.  0 or -errno.
 */
int vm_ioeventfd(struct vm *vm, bool pio, uint64_t addr, unsigned int len,
		 int64_t match, int fd);

/*
 * VMCALLs of the one number that KVM may leave to us, HL_VMCALL_NR, exit.
 * False if this host cannot (before Linux 5.14).  Before any vCPU.
 */
bool vm_exit_on_vmcall(struct vm *vm);

/*
 * Accesses to the MSRs [first, first + nr) exit and come to the MSR bus.
 * Before any vCPU.  0 or -errno; -ENOSYS before Linux 5.10.
 */
int vm_exit_on_msrs(struct vm *vm, uint32_t first, uint32_t nr);

/*
 * Lets the guest read [addr, addr + size) from `host` without an exit; writes
 * still come to the MMIO bus.  -ENOSYS if the host cannot (then reads come to
 * the bus, too), -errno.
 */
int vm_add_rom(struct vm *vm, uint64_t addr, void *host, uint64_t size);

#endif
