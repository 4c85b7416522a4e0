// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into a VMM that is counted, never into one that is timed: keeps
 * KVM's binary statistics of each vCPU open, and counts what KVM_RUN returned
 * with, so that the runner can take both from outside without root.  Runs in
 * the VMM's own threads, in place of its ioctl().
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/statsfd.h"

#define FD_MAX 4096 /* vCPUs with a higher descriptor are not counted */

int ioctl(int fd, unsigned long request, ...);

static struct statsfd_page *page;
static struct kvm_run *_Atomic run_of[FD_MAX];
static _Atomic long run_size;

/* A file that the runner finds by its name in /proc/PID/fd. */
static void make_page(void)
{
	int fd = (int)syscall(SYS_memfd_create, STATSFD_NAME, 0);
	void *p;

	if (fd < 0 || ftruncate(fd, sizeof(*page)))
		return;
	p = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0);
	page = p == MAP_FAILED ? NULL : p;
}

static void watch_vcpu(int vcpu)
{
	syscall(SYS_ioctl, vcpu, KVM_GET_STATS_FD, 0);
	if (!page)
		make_page();
}

/* Mapped at the vCPU's first run: its size may be asked for after its birth. */
static struct kvm_run *find_run(int vcpu)
{
	void *run;

	if (vcpu >= FD_MAX || !run_size)
		return NULL;
	if (!run_of[vcpu]) {
		run = mmap(NULL, (size_t)run_size, PROT_READ, MAP_SHARED, vcpu,
			   0);
		run_of[vcpu] = run == MAP_FAILED ? NULL : run;
	}
	return run_of[vcpu];
}

static void count_return(int vcpu, long ret)
{
	int saved = errno;
	struct kvm_run *run = page ? find_run(vcpu) : NULL;
	unsigned int reason;

	if (run) {
		reason = ret < 0 ? KVM_EXIT_INTR : run->exit_reason;
		atomic_fetch_add(&page->returns, 1);
		atomic_fetch_add(&page->by_reason[reason % STATSFD_REASONS], 1);
	}
	errno = saved;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;
	long ret;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	/* syscall() sets errno, and nothing below may change it. */
	ret = syscall(SYS_ioctl, fd, request, arg);
	if (request == KVM_RUN) {
		count_return(fd, ret);
	} else if (ret >= 0) {
		int saved = errno;

		if (request == KVM_GET_VCPU_MMAP_SIZE)
			run_size = ret;
		if (request == KVM_CREATE_VCPU)
			watch_vcpu((int)ret);
		errno = saved;
	}
	return (int)ret;
}
