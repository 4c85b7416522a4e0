// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps one idle VM with one vCPU alive in L1.  KVM flips static keys when the
 * first VM comes and the last one goes; under QEMU's multi-threaded TCG that
 * text patching can crash L1.  With a VM that never goes it does not happen.
 * Returns once the VM exists; a child holds it for as long as L1 runs.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int vm_create(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm;

	if (kvm < 0)
		return -1;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return -1;
	/* Its APIC stays disabled, which pins the key that counts such APICs. */
	if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0)
		return -1;
	return ioctl(vm, KVM_CREATE_VCPU, 0);
}

int main(void)
{
	char done;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		err(1, "pipe");
	/* The child makes the VM: a VM belongs to the process that made it. */
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		if (vm_create() < 0)
			err(1, "no guard VM");
		if (write(fds[1], "", 1) != 1)
			err(1, "write");
		close(fds[1]);
		setsid();
		for (;;)
			pause();
	}
	close(fds[1]);
	return read(fds[0], &done, 1) == 1 ? 0 : 1;
}
