// SPDX-License-Identifier: GPL-2.0-only
/* TSC offsets and exact pairs, as KVM tells them (Linux 5.16 and later). */
#include "vmm/core/tsc.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "vmm/core/hold.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

static int attr(const struct vcpu *vcpu, unsigned long what, uint64_t *offset)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)offset,
	};

	return ioctl(vcpu->fd, what, &attr) < 0 ? -errno : 0;
}

/* Scaling would make ticks of ours and the guest's differ. */
static bool scaled(const struct vm *vm, const struct vcpu *vcpu)
{
	int host = ioctl(vm->fd, KVM_GET_TSC_KHZ, 0);

	return host > 0 && (unsigned int)host != vcpu_tsc_khz(vcpu);
}

int tsc_offset(const struct vm *vm, uint64_t *offset)
{
	int err = attr(&vm->vcpu[0], KVM_GET_DEVICE_ATTR, offset);

	if (!err && scaled(vm, &vm->vcpu[0]))
		err = -ERANGE;
	for (unsigned int i = 1; !err && i < vm->nr_cpus; i++) {
		uint64_t other;

		err = attr(&vm->vcpu[i], KVM_GET_DEVICE_ATTR, &other);
		if (!err && other != *offset)
			err = -ERANGE;
	}
	return err;
}

int tsc_level(const struct vm *vm, uint64_t *offset)
{
	int err = attr(&vm->vcpu[0], KVM_GET_DEVICE_ATTR, offset);

	for (unsigned int i = 1; !err && i < vm->nr_cpus; i++) {
		uint64_t other;

		err = attr(&vm->vcpu[i], KVM_GET_DEVICE_ATTR, &other);
		/* Usually KVM made them alike already. */
		if (!err && other != *offset)
			err = attr(&vm->vcpu[i], KVM_SET_DEVICE_ATTR, offset);
	}
	return err ? err : tsc_offset(vm, offset);
}

/* It looks when somebody writes a TSC, which then need not change. */
void tsc_renew(struct vm *vm)
{
	uint64_t offset;

	hold_begin(vm);
	if (hold_wait(vm) && !tsc_offset(vm, &offset))
		attr(&vm->vcpu[0], KVM_SET_DEVICE_ATTR, &offset);
	hold_end(vm);
}

bool tsc_read_pair(const struct vm *vm, struct tsc_pair *pair)
{
	const uint32_t both = KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
	struct kvm_clock_data data = { 0 };

	if (ioctl(vm->fd, KVM_GET_CLOCK, &data) < 0 ||
	    (data.flags & both) != both)
		return false;
	pair->host_tsc = data.host_tsc;
	pair->realtime = (int64_t)data.realtime;
	return true;
}
