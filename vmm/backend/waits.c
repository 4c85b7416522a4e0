// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/backend/waits.h"

#include <asm/kvm_para.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "vmm/core/stats.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

/* The guest may move its struct: looks until the MSR is read again. */
#define LOOKS 256

/* Where the vCPU has its struct kvm_steal_time; 0: nowhere. */
static uint64_t steal_time(const struct vcpu *vcpu)
{
	uint64_t value;

	if (vcpu_get_msr(vcpu, MSR_KVM_STEAL_TIME, &value) ||
	    !(value & KVM_MSR_ENABLED))
		return 0;
	return value & KVM_STEAL_VALID_BITS;
}

/* Only its own thread can ask for a vCPU's MSRs without waiting for it. */
void waits_learn(struct waits *w, const struct vcpu *vcpu)
{
	const struct kvm_steal_time *st = NULL;
	uint64_t addr;

	if (w->known--)
		return;
	w->known = LOOKS;
	addr = steal_time(vcpu);
	if (addr)
		st = mem_ptr(&vcpu->vm->mem, gpa(addr), sizeof(*st));
	atomic_store(&w->preempted, st ? &st->preempted : NULL);
}

enum halts { NO, YES, UNKNOWN };

/* KVM's "blocking": a halt, or the wait for a start-up IPI. */
static enum halts halts(const struct vcpu *vcpu)
{
	static _Atomic off_t place; /* the same in every vCPU; 0: not known */
	off_t at = atomic_load(&place);
	uint64_t blocking;

	if (vcpu->stats_fd < 0)
		return UNKNOWN;
	if (!at) {
		stats_place(vcpu->stats_fd, "blocking", &at);
		atomic_store(&place, at);
	}
	if (at <= 0 || pread(vcpu->stats_fd, &blocking, sizeof(blocking), at) !=
			       sizeof(blocking))
		return UNKNOWN;
	return blocking ? YES : NO;
}

/* By the clock of what the thread has run, which is that of now. */
static bool runs(const struct vcpu *vcpu)
{
	int tid = atomic_load(&vcpu->tid);
	/* As pthread_getcpuclockid() makes it, of a thread that may be gone. */
	clockid_t clock = (clockid_t)(~(unsigned int)tid << 3 | 6);
	struct timespec a, b;

	return tid && !clock_gettime(clock, &a) && !clock_gettime(clock, &b) &&
	       (a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec);
}

/*
 * KVM says "preempted" of a vCPU that lost its processor between two
 * instructions of the guest, from then on until it is back; before Linux 5.19
 * also of one that halts, which to take for a waiting one does no harm.  A
 * system call would make the way to the holder a tenth longer.
 *
 * Of one that lost it during an exit KVM says nothing.
 */
bool waits_maybe(const struct waits *w, const struct vcpu *vcpu)
{
	const uint8_t *byte = atomic_load(&w->preempted);

	if (!byte)
		return halts(vcpu) != YES;
	if (__atomic_load_n(byte, __ATOMIC_RELAXED) & KVM_VCPU_PREEMPTED)
		return true;
	return !runs(vcpu) && halts(vcpu) == NO;
}
