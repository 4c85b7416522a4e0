// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a call costs us, in instructions: from KVM_RUN's return to its next
 * entry, by stepping through a vCPU thread whose KVM is a function here.  That
 * function stands for the C library's ioctl(), which is about as long.  Built
 * as the program is, without sanitizers.
 */
#include <check.h>
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hypercalls/call.h"
#include "hypercalls/hypercalls.h"
#include "hypercalls/line.h"
#include "include/hotline/hypercall.h"
#include "include/hotline/platform.h"
#include "include/hotline/test.h"
#include "vmm/backend/selftest.h"
#include "vmm/core/event.h"
#include "vmm/core/vcpu.h"

#define CALLS_AT  0x10000ull
#define LIST_AT	  0x20000ull
#define DATA_AT	  4096 /* of struct kvm_run's mapping */
#define NULL_MAX  235
#define ENTRY_MAX 40
#define CALL_MAX  55 /* one more in a multicall */
#define FILL	  5  /* instructions that ioctl() here takes for a slot */

static struct guest {
	struct vm vm;
	struct vcpu vcpu;
	struct hypercalls *hc;
	_Alignas(4096) uint8_t run[2 * 4096];
	struct hl_call *slot;
	unsigned int nr;   /* slots in a crossing */
	unsigned int left; /* crossings until its end */
	uint32_t reason;   /* by which exit */
	bool stepped;
} g;

/* KVM: a guest that calls. */
int ioctl(int fd, unsigned long req, ...)
{
	struct kvm_run *run = (void *)g.run;

	(void)fd;
	if (req != KVM_RUN) {
		errno = ENOSYS;
		return -1;
	}
	if (!g.stepped) { /* from here on, by the parent */
		g.stepped = true;
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
	}
	run->exit_reason = g.left ? g.reason : KVM_EXIT_SHUTDOWN;
	g.left--;
	for (unsigned int i = 0; i < g.nr; i++) {
		g.slot[i].done = 0;
		g.slot[i].result = HL_NOT_RUN;
	}
	return 0;
}

static void set_up(void)
{
	const struct mem_options mem = { .size = 1 << 20, .backing = MEM_ANON };
	struct hypercalls_options opt = { .port = HL_LINE_PORT,
					  .features = HL_FEATURE_TEST,
					  .crossing_us = 200 };

	g.vm.fd = g.vm.kvm_fd = g.vm.stats_fd = -1;
	atomic_store(&g.vm.end, -1);
	g.vm.vcpu = &g.vcpu;
	g.vm.nr_cpus = 1;
	g.vm.loop = event_new();
	g.vcpu.vm = &g.vm;
	g.vcpu.run = (void *)g.run;
	ck_assert_int_eq(mem_init(&g.vm.mem, &mem), 0);
	opt.test = selftest_new(&g.vm);
	g.hc = hypercalls_new(&g.vm, &opt);
	ck_assert_ptr_nonnull(g.hc);
	g.hc->crossing_ticks = UINT64_MAX; /* steps take their time */
	line_set_page(&g.hc->cpu[0], CALLS_AT >> 12);
	g.slot = mem_ptr(&g.vm.mem, gpa(CALLS_AT), 64);
}

/* The exit that names the first slots. */
static void set_exit(uint32_t reason)
{
	const uint32_t crossing = HL_RUN(0, g.nr);
	struct kvm_run *run = (void *)g.run;

	g.reason = reason;
	if (reason == KVM_EXIT_IO) {
		run->io.direction = KVM_EXIT_IO_OUT;
		run->io.size = 4;
		run->io.count = 1;
		run->io.port = HL_LINE_PORT + HL_LINE_RUN;
		run->io.data_offset = DATA_AT;
		memcpy(g.run + DATA_AT, &crossing, sizeof(crossing));
	} else {
		run->hypercall.nr = HL_VMCALL_NR;
		run->hypercall.args[1] = HL_VMCALL_RUN;
		run->hypercall.args[2] = crossing;
	}
}

/* The child, whose vCPU thread makes `crossings` of nr calls each. */
static _Noreturn void run_guest(uint32_t reason, struct hl_call call,
				unsigned int nr, unsigned int crossings)
{
	struct hl_list_page *page = mem_ptr(&g.vm.mem, gpa(LIST_AT), 4096);

	page->next = LIST_AT;
	for (unsigned int i = 0; i < HL_LIST_ENTRIES; i++)
		page->entry[i].a = i + 1;
	g.nr = nr;
	for (unsigned int i = 0; i < nr; i++)
		g.slot[i] = call;
	g.left = crossings;
	set_exit(reason);
	if (vcpu_start(&g.vcpu))
		_exit(1);
	vcpu_join(&g.vcpu);
	_exit(g.hc->cpu[0].stats[call.op].errors ||
	      g.hc->cpu[0].stats[call.op].calls != (uint64_t)nr * crossings);
}

static long steps(uint32_t reason, struct hl_call call, unsigned int nr,
		  unsigned int crossings)
{
	pid_t pid = fork(), thread;
	int status;
	long n = 0;

	if (!pid)
		run_guest(reason, call, nr, crossings);
	thread = waitpid(-1, &status, __WALL);
	ck_assert_int_gt(thread, 0);
	while (thread != pid && WIFSTOPPED(status)) {
		ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, thread, NULL, NULL),
				 0);
		ck_assert_int_eq(waitpid(thread, &status, __WALL), thread);
		n++;
	}
	if (thread != pid)
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status) && n,
		      "status %#x, %ld steps", (unsigned int)status, n);
	return n;
}

/* One more crossing of nr calls, when everything is warm. */
static long cost(uint32_t reason, uint16_t op, uint64_t entries,
		 unsigned int nr)
{
	const struct hl_call call = {
		.op = op,
		.result = HL_NOT_RUN,
		.arg = { entries ? LIST_AT : 0, entries },
	};

	return (steps(reason, call, nr, 60) - steps(reason, call, nr, 10)) / 50;
}

START_TEST(a_null_call)
{
	long port = cost(KVM_EXIT_IO, HL_OP_NULL, 0, 1);
	long vmcall = cost(KVM_EXIT_HYPERCALL, HL_OP_NULL, 0, 1);

	printf("null call: %ld instructions by port, %ld by VMCALL\n", port,
	       vmcall);
	ck_assert_int_le(port, NULL_MAX);
	ck_assert_int_le(vmcall, NULL_MAX);
}
END_TEST

/* What ioctl() above does to a slot is not counted. */
START_TEST(a_call_of_a_multicall)
{
	long one = cost(KVM_EXIT_IO, HL_OP_TEST_COUNT, 0, 1);
	long all = cost(KVM_EXIT_IO, HL_OP_TEST_COUNT, 0, HL_SLOTS);
	double each = (double)(all - one) / (HL_SLOTS - 1) - FILL;

	printf("one more call in a multicall: %.1f instructions, with the work\n",
	       each);
	ck_assert_double_le(each, CALL_MAX);
}
END_TEST

START_TEST(a_list_entry)
{
	long sum = cost(KVM_EXIT_IO, HL_OP_TEST_SUM, 512, 1) -
		   cost(KVM_EXIT_IO, HL_OP_TEST_SUM, 1, 1);
	long invert = cost(KVM_EXIT_IO, HL_OP_TEST_INVERT, 512, 1) -
		      cost(KVM_EXIT_IO, HL_OP_TEST_INVERT, 1, 1);

	printf("list entry: %.1f instructions if read, %.1f if written back, with the work\n",
	       (double)sum / 511, (double)invert / 511);
	ck_assert_int_le(sum, 511 * ENTRY_MAX);
	ck_assert_int_le(invert, 511 * ENTRY_MAX);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cost");
	TCase *tc = tcase_create("cost");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, a_null_call);
	tcase_add_test(tc, a_call_of_a_multicall);
	tcase_add_test(tc, a_list_entry);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
