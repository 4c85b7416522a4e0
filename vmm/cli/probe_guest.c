// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest that probes run: 64-bit code at CPL 0, paging on, 64 KiB of
 * memory, no interrupt controller (so HLT comes back to us).  Lives in a
 * child process that ends soon, so nothing is released.
 */
#include "vmm/cli/probe_guest.h"
#include "vmm/core/clock.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#define MEM_SIZE	 0x10000
#define PML4		 0x1000
#define PDPT		 0x2000
#define PD		 0x3000
#define CODE		 0x4000
#define DATA		 0x5000

#define RUN_MS		 200 /* of guest code, then we look how far it came */
#define ENOUGH		 700000 /* turns of the loop in one stretch */
#define PER_TURN	 3	/* instructions */
#define EXITS		 64
#define CPUIDS		 256
#define HC_MAP_GPA_RANGE 12 /* KVM_HC_MAP_GPA_RANGE */
#define COOKIE		 0x1234567890abcdefull
#define RESULT		 0x5a5a1234ull

struct guest {
	int vm, vcpu;
	struct kvm_run *run;
	uint8_t *mem;
	struct probe_result *res;
};

static const uint8_t code_loop[] = {
	0x01, 0x03, /* 1: add %eax,(%rbx) */
	0xff, 0xc9, /* dec %ecx */
	0x75, 0xfa, /* jnz 1b */
	0xf4,	    /* hlt */
};

static const uint8_t code_exits[] = {
	0xe6, 0x80, /* 1: out %al,$0x80 */
	0xff, 0xc9, /* dec %ecx */
	0x75, 0xfa, /* jnz 1b */
	0xf4,	    /* hlt */
};

static const uint8_t code_vmcall[] = { 0x0f, 0x01, 0xc1, 0xf4 };
static const uint8_t code_vmmcall[] = { 0x0f, 0x01, 0xd9, 0xf4 };

static struct kvm_run *running; /* for the signal handler */

static void time_is_up(int sig)
{
	(void)sig;
	running->immediate_exit = 1;
}

static void put64(uint8_t *mem, unsigned int at, uint64_t val)
{
	memcpy(mem + at, &val, sizeof(val));
}

static int make_vm(struct guest *g, int kvm)
{
	struct kvm_userspace_memory_region slot = { .memory_size = MEM_SIZE };

	g->res->step = PROBE_VM;
	g->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (g->vm < 0)
		return -errno;
	g->res->step = PROBE_VCPU;
	g->mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->mem == MAP_FAILED)
		return -errno;
	put64(g->mem, PML4, PDPT | 3);
	put64(g->mem, PDPT, PD | 3);
	put64(g->mem, PD, 0x83); /* 2 MiB page, present, writable */
	slot.userspace_addr = (uintptr_t)g->mem;
	ioctl(g->vm, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	return ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0 ? -errno : 0;
}

static int make_vcpu(struct guest *g, int kvm)
{
	struct sigaction sa = { .sa_handler = time_is_up };
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
	if (size < (int)sizeof(*g->run) || g->vcpu < 0)
		return -errno;
	g->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      g->vcpu, 0);
	if (g->run == MAP_FAILED)
		return -errno;
	running = g->run;
	sigaction(SIGALRM, &sa, NULL);
	return 0;
}

/* Without CPUID some KVMs refuse long mode. */
static int set_cpuid(struct guest *g, int kvm)
{
	static union {
		struct kvm_cpuid2 table;
		uint8_t room[sizeof(struct kvm_cpuid2) +
			     CPUIDS * sizeof(struct kvm_cpuid_entry2)];
	} cpuid;

	cpuid.table.nent = CPUIDS;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) < 0)
		return -errno;
	return ioctl(g->vcpu, KVM_SET_CPUID2, &cpuid) < 0 ? -errno : 0;
}

/* Intel SDM 3A, 10.8.5: paging, PAE, long mode; flat segments. */
static int enter_long_mode(struct guest *g)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 8, .type = 11, .present = 1,
		.s = 1, .l = 1, .g = 1,
	}, data = code;
	struct kvm_sregs s;

	if (ioctl(g->vcpu, KVM_GET_SREGS, &s) < 0)
		return -errno;
	data.selector = 16;
	data.type = 3;
	data.l = 0;
	data.db = 1;
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cr0 = 0x80050033;
	s.cr3 = PML4;
	s.cr4 = 0x20;
	s.efer = 0x500;
	return ioctl(g->vcpu, KVM_SET_SREGS, &s) < 0 ? -errno : 0;
}

static int make_guest(struct guest *g, int kvm, struct probe_result *res)
{
	int err;

	g->res = res;
	err = make_vm(g, kvm);
	if (!err)
		err = make_vcpu(g, kvm);
	if (!err)
		err = set_cpuid(g, kvm);
	return err ? err : enter_long_mode(g);
}

static int start(struct guest *g, const uint8_t *code, size_t len,
		 const struct kvm_regs *regs)
{
	struct kvm_regs r = *regs;

	memcpy(g->mem + CODE, code, len);
	r.rip = CODE;
	r.rflags = 2;
	r.rsp = MEM_SIZE;
	g->res->step = PROBE_RUN;
	return ioctl(g->vcpu, KVM_SET_REGS, &r) < 0 ? -errno : 0;
}

/* SIGALRM after ms and from then on each 10 ms, so that none can be missed. */
static void set_timer(unsigned int ms)
{
	const struct itimerval it = {
		.it_value.tv_usec = ms * 1000,
		.it_interval.tv_usec = 10000,
	};

	setitimer(ITIMER_REAL, &it, NULL);
}

static void note_speed(struct probe_result *res, uint64_t turns, uint64_t ns)
{
	struct probe_result now = { .instructions = turns * PER_TURN,
				    .ns = ns };

	if (turns && probe_mips(&now) >= probe_mips(res)) {
		res->instructions = now.instructions;
		res->ns = ns;
	}
}

/* 0 when all turns are done, 1 when time was up before, -errno. */
static int run_loop(struct guest *g, uint64_t turns)
{
	struct kvm_regs regs = { .rcx = turns, .rbx = DATA, .rax = 1 };
	uint64_t t;
	int err = start(g, code_loop, sizeof(code_loop), &regs);

	if (err)
		return err;
	t = clock_ns();
	err = ioctl(g->vcpu, KVM_RUN, 0) < 0 ? -errno : 0;
	t = clock_ns() - t;
	g->res->exit_reason = g->run->exit_reason;
	if (err == -EINTR) {
		if (ioctl(g->vcpu, KVM_GET_REGS, &regs) == 0)
			note_speed(g->res, turns - regs.rcx, t);
		return 1;
	}
	if (err || g->run->exit_reason != KVM_EXIT_HLT)
		return err ? err : -EPROTO;
	note_speed(g->res, turns, t);
	return 0;
}

/* The fastest of a few: what an exit costs when nothing else interferes. */
static void time_exits(struct guest *g)
{
	struct kvm_regs regs = { .rcx = EXITS };
	uint64_t best = 0;

	if (start(g, code_exits, sizeof(code_exits), &regs))
		return;
	for (unsigned int i = 0; i < EXITS; i++) {
		uint64_t t = clock_ns();

		if (ioctl(g->vcpu, KVM_RUN, 0) < 0 ||
		    g->run->exit_reason != KVM_EXIT_IO)
			return;
		t = clock_ns() - t;
		if (!best || t < best)
			best = t;
	}
	g->res->exit_ns = best;
}

int probe_guest_speed(int kvm, struct probe_result *res)
{
	struct guest g = { 0 };
	uint64_t turns = 1000;
	int err = make_guest(&g, kvm, res);

	if (err)
		return err;
	set_timer(RUN_MS);
	while (!err) {
		err = run_loop(&g, turns);
		if (turns >= ENOUGH)
			break;
		turns *= 4;
	}
	set_timer(0);
	g.run->immediate_exit = 0;
	if (err == 0)
		time_exits(&g);
	return err < 0 ? err : 0;
}

static int hypercall(int kvm, struct probe_result *res, const uint8_t *code,
		     size_t len)
{
	const struct kvm_regs regs = {
		.rax = HC_MAP_GPA_RANGE, .rbx = 0, .rcx = 1, .rdx = COOKIE
	};
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXIT_HYPERCALL,
		.args[0] = 1 << HC_MAP_GPA_RANGE,
	};
	struct kvm_regs after;
	struct guest g = { 0 };
	int err = make_guest(&g, kvm, res);

	if (err)
		return err;
	if (ioctl(g.vm, KVM_ENABLE_CAP, &cap) < 0)
		return -errno;
	err = start(&g, code, len, &regs);
	if (err)
		return err;
	if (ioctl(g.vcpu, KVM_RUN, 0) < 0)
		return -errno;
	res->exit_reason = g.run->exit_reason;
	if (g.run->exit_reason != KVM_EXIT_HYPERCALL ||
	    g.run->hypercall.nr != HC_MAP_GPA_RANGE)
		return 0;
	res->arrived = true;
	g.run->hypercall.ret = RESULT;
	if (ioctl(g.vcpu, KVM_RUN, 0) < 0 ||
	    ioctl(g.vcpu, KVM_GET_REGS, &after) < 0)
		return -errno;
	res->answered = g.run->exit_reason == KVM_EXIT_HLT &&
			after.rax == RESULT;
	return 0;
}

int probe_guest_vmcall(int kvm, struct probe_result *res)
{
	return hypercall(kvm, res, code_vmcall, sizeof(code_vmcall));
}

int probe_guest_vmmcall(int kvm, struct probe_result *res)
{
	return hypercall(kvm, res, code_vmmcall, sizeof(code_vmmcall));
}
