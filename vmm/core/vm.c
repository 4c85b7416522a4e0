// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual machine: set up and torn down on the main thread, ended from
 * any thread.
 */
#include "vmm/core/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "include/hotline/hypercall.h"
#include "vmm/core/cpuid.h"
#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"
#include "vmm/core/vcpu.h"

/*
 * Three pages that Intel hosts without unrestricted guest mode need, and the
 * page behind them, in the hole right below the reset vector.
 */
#define IDENTITY_MAP 0xfffbc000ul
#define TSS_ADDR     0xfffbd000ul

#define VM_MSRS_MAX  64 /* that one filter lets exit */

static int open_kvm(struct vm *vm, const char *path)
{
	int version;

	vm->kvm_fd = open(path, O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0) {
		int err = errno;

		error("cannot open %s: %s; `hotline doctor` says how to mend it",
		      path, strerror(err));
		return err == EACCES || err == EPERM ? EXIT_NOPERM
						     : EXIT_UNAVAIL;
	}
	version = ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		error("%s is not a KVM device of API version %d; see `hotline doctor`",
		      path, KVM_API_VERSION);
		return EXIT_UNAVAIL;
	}
	vm->run_size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	return 0;
}

static int check_cpus(struct vm *vm, unsigned int cpus)
{
	int max = ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);

	if (max <= 0 || max > VM_MAX_CPUS)
		max = VM_MAX_CPUS;
	if (cpus <= (unsigned int)max)
		return 0;
	error("--cpus %u: this host and machine allow at most %d", cpus, max);
	return EXIT_USAGE;
}

static int create_vm(struct vm *vm)
{
	uint64_t identity = IDENTITY_MAP;

	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->fd < 0) {
		error("KVM refuses to create a VM: %s; see `hotline doctor`",
		      strerror(errno));
		return EXIT_UNAVAIL;
	}
	/* Needed by some Intel hosts, refused by none that matter. */
	ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDR);
	vm->stats_fd = ioctl(vm->fd, KVM_GET_STATS_FD, NULL);
	vm->shares_regs =
		ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS) &
		KVM_SYNC_X86_REGS;
	return 0;
}

static int add_slot(struct vm *vm, uint64_t addr, void *host, uint64_t size,
		    uint32_t flags)
{
	struct kvm_userspace_memory_region slot = {
		.slot = vm->slots,
		.flags = flags,
		.guest_phys_addr = addr,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		return -errno;
	vm->slots++;
	return 0;
}

int vm_add_rom(struct vm *vm, uint64_t addr, void *host, uint64_t size)
{
	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) <= 0)
		return -ENOSYS;
	return add_slot(vm, addr, host, size, KVM_MEM_READONLY);
}

static int add_memory(struct vm *vm, const struct mem_options *opt)
{
	int err = mem_init(&vm->mem, opt);

	if (err) {
		error("--mem: cannot map %llu MiB for the guest: %s; ask for less or free some",
		      (unsigned long long)opt->size >> 20, strerror(-err));
		return EXIT_OSERR;
	}
	for (unsigned int i = 0; i < vm->mem.nr; i++) {
		const struct mem_region *r = &vm->mem.region[i];

		err = add_slot(vm, r->base, r->host, r->size, 0);
		if (err) {
			error("KVM refuses guest memory at 0x%llx: %s",
			      (unsigned long long)r->base, strerror(-err));
			mem_exit(&vm->mem);
			return EXIT_UNAVAIL;
		}
	}
	return 0;
}

int vm_add_cpus(struct vm *vm, unsigned int cpus)
{
	int err;

	vm->vcpu = calloc(cpus, sizeof(*vm->vcpu));
	if (!vm->vcpu) {
		error("--cpus %u: %s", cpus, strerror(errno));
		return EXIT_OSERR;
	}
	for (unsigned int i = 0; i < cpus; i++) {
		err = vcpu_init(&vm->vcpu[i], vm, i);
		if (err) {
			error("KVM refuses vCPU %u: %s", i, strerror(-err));
			return EXIT_UNAVAIL;
		}
		vm->nr_cpus++;
	}
	return 0;
}

static int init_steps(struct vm *vm, const struct vm_options *opt)
{
	int err;

	err = open_kvm(vm, opt->kvm_path);
	if (err)
		return err;
	err = check_cpus(vm, opt->cpus);
	if (err)
		return err;
	err = create_vm(vm);
	if (err)
		return err;
	err = irq_init(&vm->irq, vm, opt->pins);
	if (err) {
		error("KVM refuses a split irqchip: %s; see `hotline doctor`",
		      strerror(-err));
		return EXIT_UNAVAIL;
	}
	err = add_memory(vm, &opt->mem);
	if (err)
		return err;
	vm->cpuid = cpuid_new(vm->kvm_fd, opt->cpus);
	if (!vm->cpuid) {
		error("CPUID table: %s", strerror(errno));
		return EXIT_OSERR;
	}
	vm->loop = event_new();
	if (!vm->loop) {
		error("event loop: %s", strerror(errno));
		return EXIT_OSERR;
	}
	return 0;
}

int vm_init(struct vm *vm, const struct vm_options *opt)
{
	int err;

	memset(vm, 0, sizeof(*vm));
	vm->kvm_fd = vm->fd = vm->stats_fd = vm->mem.fd = -1;
	vm->pio.name = "pio";
	vm->mmio.name = "mmio";
	vm->msr.name = "msr";
	vm->line_port = UINT32_MAX;
	atomic_store(&vm->end, -1);
	hold_init(&vm->hold);
	err = init_steps(vm, opt);
	if (err)
		vm_exit(vm);
	return err;
}

void vm_exit(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		vcpu_exit(&vm->vcpu[i]);
	free(vm->vcpu);
	free(vm->cpuid);
	event_free(vm->loop);
	if (vm->irq.vm)
		irq_exit(&vm->irq);
	if (vm->stats_fd >= 0)
		close(vm->stats_fd);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
	if (vm->mem.map)
		mem_exit(&vm->mem);
	hold_exit(&vm->hold);
	memset(vm, 0, sizeof(*vm));
}

void vm_end(struct vm *vm, int code)
{
	int running = -1;

	if (!atomic_compare_exchange_strong(&vm->end, &running, code))
		return;
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		vcpu_kick(&vm->vcpu[i]);
	hold_wake(vm);
	if (!atomic_load(&vm->running) && vm->loop)
		event_stop(vm->loop);
}

const char *vm_state(struct vm *vm)
{
	if (vm_ended(vm))
		return "ending";
	if (!atomic_load(&vm->hold.wanted))
		return "running";
	return hold_done(vm) ? "paused" : "pausing";
}

int vm_ioeventfd(struct vm *vm, bool pio, uint64_t addr, unsigned int len,
		 int64_t match, int fd)
{
	struct kvm_ioeventfd req = {
		.addr = addr,
		.len = len,
		.fd = fd,
		.flags = pio ? KVM_IOEVENTFD_FLAG_PIO : 0,
	};

	if (match >= 0) {
		req.datamatch = (uint64_t)match;
		req.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
	}
	return ioctl(vm->fd, KVM_IOEVENTFD, &req) < 0 ? -errno : 0;
}

bool vm_exit_on_vmcall(struct vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL,
				      .args = { 1ull << HL_VMCALL_NR } };
	int may = ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_EXIT_HYPERCALL);

	return may > 0 && may >> HL_VMCALL_NR & 1 &&
	       ioctl(vm->fd, KVM_ENABLE_CAP, &cap) == 0;
}

int vm_exit_on_msrs(struct vm *vm, uint32_t first, uint32_t nr)
{
	static uint8_t denied[VM_MSRS_MAX / 8]; /* all of them */
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR,
				      .args = { KVM_MSR_EXIT_REASON_FILTER } };
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges = { {
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.nmsrs = nr,
			.base = first,
			.bitmap = denied,
		} },
	};

	if (nr > VM_MSRS_MAX)
		return -EINVAL;
	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_MSR_FILTER) <= 0)
		return -ENOSYS;
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap) < 0 ||
	    ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter) < 0)
		return -errno;
	return 0;
}
