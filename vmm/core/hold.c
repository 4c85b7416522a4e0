// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holding the vCPUs.  A thread stands still only behind a KVM_RUN that returned
 * with EINTR: by then KVM has taken the answer of the exit before.
 */
#include "vmm/core/hold.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

void hold_init(struct hold *hold)
{
	pthread_mutex_init(&hold->lock, NULL);
	pthread_cond_init(&hold->moved, NULL);
	hold->holders = hold->held = 0;
	atomic_init(&hold->wanted, false);
}

void hold_exit(struct hold *hold)
{
	pthread_cond_destroy(&hold->moved);
	pthread_mutex_destroy(&hold->lock);
}

void hold_begin(struct vm *vm)
{
	struct hold *hold = &vm->hold;

	pthread_mutex_lock(&hold->lock);
	hold->holders++;
	atomic_store(&hold->wanted, true);
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		vcpu_kick(&vm->vcpu[i]);
	pthread_mutex_unlock(&hold->lock);
}

/* A vCPU that starts later stops before its first KVM_RUN. */
static bool all_still(struct vm *vm)
{
	return vm->hold.holders && vm->hold.held >= atomic_load(&vm->running);
}

bool hold_wait(struct vm *vm)
{
	struct hold *hold = &vm->hold;

	pthread_mutex_lock(&hold->lock);
	while (!vm_ended(vm) && !all_still(vm))
		pthread_cond_wait(&hold->moved, &hold->lock);
	pthread_mutex_unlock(&hold->lock);
	return !vm_ended(vm);
}

bool hold_done(struct vm *vm)
{
	bool done;

	pthread_mutex_lock(&vm->hold.lock);
	done = all_still(vm);
	pthread_mutex_unlock(&vm->hold.lock);
	return done;
}

void hold_end(struct vm *vm)
{
	struct hold *hold = &vm->hold;

	pthread_mutex_lock(&hold->lock);
	if (!--hold->holders) {
		atomic_store(&hold->wanted, false);
		pthread_cond_broadcast(&hold->moved);
	}
	pthread_mutex_unlock(&hold->lock);
}

void hold_here(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct hold *hold = &vm->hold;

	if (!atomic_load(&hold->wanted))
		return;
	pthread_mutex_lock(&hold->lock);
	hold->held++;
	pthread_cond_broadcast(&hold->moved);
	while (hold->holders && !vm_ended(vm))
		pthread_cond_wait(&hold->moved, &hold->lock);
	hold->held--;
	pthread_mutex_unlock(&hold->lock);
	/*
	 * Tells a guest that uses kvmclock not to take the time for a lock-up
	 * of its own; KVM refuses it for others.
	 */
	ioctl(vcpu->fd, KVM_KVMCLOCK_CTRL, 0);
}

void hold_wake(struct vm *vm)
{
	pthread_mutex_lock(&vm->hold.lock);
	pthread_cond_broadcast(&vm->hold.moved);
	pthread_mutex_unlock(&vm->hold.lock);
}
