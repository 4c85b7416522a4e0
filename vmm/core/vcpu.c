// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU thread: KVM_RUN, and one handler per exit reason.  Follow an exit
 * from run_loop() through exits[] to a bus, and from there to a device.
 */
#include "vmm/core/vcpu.h"

#include <errno.h>
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "include/hotline/hypercall.h"
#include "vmm/core/cpuid.h"
#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/exits.h"
#include "vmm/core/hold.h"
#include "vmm/core/log.h"

#define KICK_SIGNAL SIGUSR1

enum { WHERE_IDLE, WHERE_ASKED, WHERE_KNOWN };
#define WHERE_MS 2000

/* Also for the signal handler, which must reach its own thread's vCPU. */
static __thread struct vcpu *self;

struct vcpu *vcpu_self(void)
{
	return self;
}

void vcpu_adopt(struct vcpu *vcpu)
{
	self = vcpu;
}

/*
 * The flag closes the gap between run_loop()'s check and KVM_RUN: a signal
 * that comes there makes KVM_RUN return at once.
 */
static void kicked(int sig)
{
	(void)sig;
	if (self)
		self->run->immediate_exit = 1;
}

static int install_kick(void)
{
	struct sigaction sa = { .sa_handler = kicked };

	return sigaction(KICK_SIGNAL, &sa, NULL) < 0 ? -errno : 0;
}

int vcpu_init(struct vcpu *vcpu, struct vm *vm, unsigned int id)
{
	int err;

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);
	if (vcpu->fd < 0)
		return -errno;
	vcpu->run = mmap(NULL, (size_t)vm->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		err = -errno;
		goto err_fd;
	}
	err = cpuid_apply(vm->cpuid, vcpu->fd, id);
	if (err)
		goto err_map;
	vcpu->stats_fd = ioctl(vcpu->fd, KVM_GET_STATS_FD, NULL);
	return 0;

err_map:
	munmap(vcpu->run, (size_t)vm->run_size);
err_fd:
	close(vcpu->fd);
	return err;
}

void vcpu_exit(struct vcpu *vcpu)
{
	free(vcpu->exits);
	munmap(vcpu->run, (size_t)vcpu->vm->run_size);
	if (vcpu->stats_fd >= 0)
		close(vcpu->stats_fd);
	close(vcpu->fd);
}

static void search_pio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	unsigned int len = run->io.size;
	struct bus *bus = &vcpu->vm->pio;

	for (uint32_t i = 0; i < run->io.count; i++, data += len) {
		uint64_t val = 0;

		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&val, data, len);
			bus_write(bus, run->io.port, len, val);
		} else {
			bus_read(bus, run->io.port, len, &val);
			memcpy(data, &val, len);
		}
	}
}

/*
 * The line is worth a short cut: no search, no counter that others write, too.
 */
static void exit_io(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	const struct vm *vm = vcpu->vm;

	vcpu_count(vcpu, VCPU_PIO);
	if (run->io.port == vm->line_port && run->io.size == 4 &&
	    run->io.count == 1 && run->io.direction == KVM_EXIT_IO_OUT)
		vm->line(vcpu->line, *(const uint32_t *)((const uint8_t *)run +
							 run->io.data_offset));
	else
		search_pio(vcpu);
}

static void exit_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct bus *bus = &vcpu->vm->mmio;
	uint64_t val = 0;

	vcpu_count(vcpu, VCPU_MMIO);
	if (run->mmio.is_write) {
		memcpy(&val, run->mmio.data, run->mmio.len);
		bus_write(bus, run->mmio.phys_addr, run->mmio.len, val);
	} else {
		bus_read(bus, run->mmio.phys_addr, run->mmio.len, &val);
		memcpy(run->mmio.data, &val, run->mmio.len);
	}
}

static void exit_hypercall(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	const struct vm *vm = vcpu->vm;

	vcpu_count(vcpu, VCPU_HYPERCALL);
	if (vm->line && run->hypercall.nr == HL_VMCALL_NR &&
	    !run->hypercall.args[0] && run->hypercall.args[1] == HL_VMCALL_RUN)
		run->hypercall.ret =
			(uint64_t)vm->line(vcpu->line, run->hypercall.args[2]);
	else
		run->hypercall.ret = (uint64_t)-KVM_ENOSYS;
}

static void exit_rdmsr(struct vcpu *vcpu)
{
	uint64_t val;

	vcpu_count(vcpu, VCPU_MSR);
	vcpu->run->msr.error =
		!bus_read(&vcpu->vm->msr, vcpu->run->msr.index, 8, &val);
	vcpu->run->msr.data = val;
}

static void exit_wrmsr(struct vcpu *vcpu)
{
	vcpu_count(vcpu, VCPU_MSR);
	vcpu->run->msr.error = !bus_write(&vcpu->vm->msr, vcpu->run->msr.index,
					  8, vcpu->run->msr.data);
}

static void exit_intr(struct vcpu *vcpu)
{
	vcpu_count(vcpu, VCPU_INTR);
}

/*
 * The guest acknowledged a level-triggered interrupt.  All our lines are
 * edges, so there is no level left to look at.
 */
static void exit_eoi(struct vcpu *vcpu)
{
	vcpu_count(vcpu, VCPU_EOI);
}

static void exit_shutdown(struct vcpu *vcpu)
{
	vm_end(vcpu->vm, EXIT_TRIPLE);
}

static void exit_system_event(struct vcpu *vcpu)
{
	vcpu_count(vcpu, VCPU_OTHER);
	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		vm_end(vcpu->vm, EXIT_OK);
		break;
	case KVM_SYSTEM_EVENT_RESET:
		vm_end(vcpu->vm, EXIT_REBOOT);
		break;
	case KVM_SYSTEM_EVENT_CRASH:
		vm_end(vcpu->vm, EXIT_PANIC);
		break;
	}
}

static void give_up(struct vcpu *vcpu, const char *what, uint64_t detail)
{
	struct kvm_regs regs = { 0 };

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	error("vCPU %u at rip 0x%llx: %s (0x%llx)", vcpu->id,
	      (unsigned long long)regs.rip, what, (unsigned long long)detail);
	vm_end(vcpu->vm, EXIT_KVM);
}

static void exit_fail_entry(struct vcpu *vcpu)
{
	give_up(vcpu,
		"the processor refused to enter the guest, hardware reason",
		vcpu->run->fail_entry.hardware_entry_failure_reason);
}

static void exit_internal(struct vcpu *vcpu)
{
	give_up(vcpu, "KVM cannot emulate what the guest does, suberror",
		vcpu->run->internal.suberror);
}

static void (*const exits[])(struct vcpu *vcpu) = {
	[KVM_EXIT_IO] = exit_io,
	[KVM_EXIT_MMIO] = exit_mmio,
	[KVM_EXIT_HYPERCALL] = exit_hypercall,
	[KVM_EXIT_X86_RDMSR] = exit_rdmsr,
	[KVM_EXIT_X86_WRMSR] = exit_wrmsr,
	[KVM_EXIT_INTR] = exit_intr,
	[KVM_EXIT_IRQ_WINDOW_OPEN] = exit_intr,
	[KVM_EXIT_IOAPIC_EOI] = exit_eoi,
	[KVM_EXIT_SHUTDOWN] = exit_shutdown,
	[KVM_EXIT_SYSTEM_EVENT] = exit_system_event,
	[KVM_EXIT_FAIL_ENTRY] = exit_fail_entry,
	[KVM_EXIT_INTERNAL_ERROR] = exit_internal,
};

static void dispatch(struct vcpu *vcpu)
{
	uint32_t reason = vcpu->run->exit_reason;

	if (reason < sizeof(exits) / sizeof(exits[0]) && exits[reason])
		exits[reason](vcpu);
	else
		give_up(vcpu, "unexpected KVM exit, reason", reason);
}

static void answer_where(struct vcpu *vcpu)
{
	struct kvm_regs regs = { 0 };
	int asked = WHERE_ASKED;

	if (atomic_load(&vcpu->where_state) != asked)
		return;
	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	atomic_store(&vcpu->where_rip, regs.rip);
	atomic_compare_exchange_strong(&vcpu->where_state, &asked, WHERE_KNOWN);
}

static void run_loop(struct vcpu *vcpu)
{
	hold_here(vcpu);
	while (!vm_ended(vcpu->vm)) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
			if (atomic_load_explicit(&vcpu->vm->watch_exits,
						 memory_order_relaxed))
				exits_note(vcpu);
			dispatch(vcpu);
			continue;
		}
		/* EAGAIN: a vCPU that waits for its start-up IPI was woken. */
		if (errno != EINTR && errno != EAGAIN) {
			give_up(vcpu, "KVM_RUN failed, errno", (uint64_t)errno);
			return;
		}
		vcpu_count(vcpu, VCPU_INTR);
		vcpu->run->immediate_exit = 0;
		answer_where(vcpu);
		hold_here(vcpu);
	}
}

static void *thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct vm *vm = vcpu->vm;

	vcpu_adopt(vcpu);
	/* Before run_loop() looks for the end: who ends the VM looks here. */
	atomic_store(&vcpu->tid, gettid());
	run_loop(vcpu);
	atomic_store(&vcpu->tid, 0);
	vcpu_adopt(NULL); /* a kick under way is nobody's */
	if (atomic_fetch_sub(&vm->running, 1) == 1)
		event_stop(vm->loop);
	return NULL;
}

int vcpu_start(struct vcpu *vcpu)
{
	char name[16];
	int err = install_kick();

	if (err)
		return err;
	atomic_fetch_add(&vcpu->vm->running, 1);
	err = pthread_create(&vcpu->thread, NULL, thread, vcpu);
	if (err) {
		atomic_fetch_sub(&vcpu->vm->running, 1);
		return -err;
	}
	vcpu->started = true;
	snprintf(name, sizeof(name), "vcpu%u", vcpu->id);
	pthread_setname_np(vcpu->thread, name);
	return 0;
}

void vcpu_kick(struct vcpu *vcpu)
{
	pid_t tid = atomic_load(&vcpu->tid);

	if (tid)
		tgkill(getpid(), tid, KICK_SIGNAL);
}

void vcpu_join(struct vcpu *vcpu)
{
	if (!vcpu->started)
		return;
	pthread_join(vcpu->thread, NULL);
	vcpu->started = false;
}

unsigned int vcpu_tsc_khz(const struct vcpu *vcpu)
{
	int khz = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);

	return khz > 0 ? (unsigned int)khz : 0;
}

bool vcpu_where(struct vcpu *vcpu, uint64_t *rip)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	bool known = false;

	atomic_store(&vcpu->where_state, WHERE_ASKED);
	vcpu_kick(vcpu);
	for (int i = 0; i < WHERE_MS && !known; i++) {
		nanosleep(&ms, NULL);
		known = atomic_load(&vcpu->where_state) == WHERE_KNOWN;
	}
	atomic_store(&vcpu->where_state, WHERE_IDLE);
	*rip = atomic_load(&vcpu->where_rip);
	return known;
}
