// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into a VMM that is counted, never into one that is timed: keeps
 * KVM's binary statistics of each vCPU open, so that the runner can take them
 * from outside without root.  Runs in the VMM's own threads, in place of its
 * ioctl().  hotline needs no such help: it keeps them open itself.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;
	long ret;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	ret = syscall(SYS_ioctl, fd, request, arg);
	if (request == KVM_CREATE_VCPU && ret >= 0) {
		int saved = errno;

		syscall(SYS_ioctl, (int)ret, KVM_GET_STATS_FD, 0);
		errno = saved;
	}
	return (int)ret;
}
