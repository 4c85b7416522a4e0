// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line, from a guest that means harm: random registers and slots, lists
 * and rings that lie where they cannot, and a second processor that rewrites
 * what the VMM is just reading.
 */
#include "calls.h"

#include "include/hotline/async.h"
#include "include/hotline/platform.h"
#include "include/hotline/test.h"

#define LIST_AT	 (ARENA + 0x10000) /* 64 pages */
#define RING_AT	 (ARENA + 0x100000)
#define PLAY	 (ARENA + 0x200000) /* where the random ones lie */
#define PLAY_LEN 0x100000u

static bool amd;

static int64_t vmcall(uint64_t nr, uint64_t rbx, uint64_t rcx, uint64_t rdx)
{
	int64_t ret;

	if (amd)
		__asm__ volatile("vmmcall"
				 : "=a"(ret)
				 : "a"(nr), "b"(rbx), "c"(rcx), "d"(rdx)
				 : "memory");
	else
		__asm__ volatile("vmcall"
				 : "=a"(ret)
				 : "a"(nr), "b"(rbx), "c"(rcx), "d"(rdx)
				 : "memory");
	return ret;
}

static volatile struct hl_call *slot(unsigned int i, uint16_t op, uint64_t a,
				     uint64_t b, uint64_t c)
{
	volatile struct hl_call *s = calls_fill(0, i, op, a, b);

	s->arg[2] = c;
	return s;
}

static int64_t call(uint16_t op, uint64_t a, uint64_t b, uint64_t c)
{
	volatile struct hl_call *s = slot(0, op, a, b, c);

	for (int i = 0; i < 20000 && s->result == HL_NOT_RUN; i++)
		calls_cross(HL_RUN(0, 1));
	return s->result;
}

int64_t line_call(uint16_t op, uint64_t arg)
{
	calls_take_page(0);
	return call(op, arg, 0, 0);
}

static uint32_t transports(void)
{
	uint32_t reg[4];

	cpuid(0, reg);
	amd = reg[2] == 0x444d4163; /* "cAMD" */
	cpuid(HL_CPUID_BASE, reg);
	if (reg[1] != 0x6c746f68 || reg[2] != 0x2d656e69)
		fail("no hotline-vmm in CPUID");
	check(reg[0] >= HL_CPUID_TRANSPORT, "highest leaf %x",
	      (uint64_t)reg[0]);
	cpuid(HL_CPUID_FEATURES, reg);
	check(reg[0] == HL_ABI_VERSION, "version %u", (uint64_t)reg[0]);
	check(reg[1] & HL_FEATURE_TEST, "features %x", (uint64_t)reg[1]);
	cpuid(HL_CPUID_TRANSPORT, reg);
	check(reg[0] & HL_TRANSPORT_PIO && reg[1] == HL_LINE_PORT,
	      "transports %x at %x", (uint64_t)reg[0], (uint64_t)reg[1]);
	return reg[0];
}

static void pages(void)
{
	static const uint64_t bad[] = { 0xc0000000, HL_TEST_MMIO, 0xfee00000,
					0xfffff000, 0x80000000000 };

	check(inl(HL_LINE_PORT + HL_LINE_PAGE) == ~0u, "a page from the start");
	calls_cross(HL_RUN(0, 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		calls_set_page(bad[i]);
		check(inl(HL_LINE_PORT + HL_LINE_PAGE) == ~0u,
		      "page %x is taken", bad[i]);
	}
	calls_take_page(0);
	check(inl(HL_LINE_PORT + HL_LINE_PAGE) == CALLS_AT(0) / PAGE,
	      "the page is not taken");
	check(inl(HL_LINE_PORT + HL_LINE_RUN) == ~0u, "HL_LINE_RUN reads");
	check(inl(HL_LINE_PORT + HL_LINE_DOORBELL) == ~0u, "doorbell reads");
	outw(HL_LINE_PORT + HL_LINE_PAGE, 0);
	outb(HL_LINE_PORT + HL_LINE_PAGE + 1, 0);
	check(inl(HL_LINE_PORT + HL_LINE_PAGE) == CALLS_AT(0) / PAGE,
	      "narrow writes change the page");
	for (uint32_t i = 0; i < 100; i++)
		outl(HL_LINE_PORT + HL_LINE_DOORBELL, i * 0x1234567);
}

static void null_works(const char *when)
{
	calls_take_page(0);
	check(call(HL_OP_NULL, 0, 0, 0) == 0, "null %s: %x", when,
	      (uint64_t)CALLS(0)[0].result);
}

static void random_registers(struct random *r, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		uint64_t rbx = random_below(r, 2) ? 0 : random_wide(r);
		uint64_t rcx = random_below(r, 3) ? 1 : random_wide(r);
		/* Below are the numbers that KVM knows. */
		uint64_t nr = random_below(r, 4) ? HL_VMCALL_NR
						 : 64 + random_next(r);
		uint64_t rdx = random_below(r, 2) ? random_below(r, 0x4000)
						  : random_wide(r);
		int64_t ret = vmcall(nr, rbx, rcx, rdx);

		check(ret <= HL_SLOTS, "VMCALL %x gives %x", nr, (uint64_t)ret);
	}
	slot(0, HL_OP_NULL, 0, 0, 0);
	check(vmcall(HL_VMCALL_NR, 0, HL_VMCALL_RUN, HL_RUN(0, 1)) == 1 &&
		      CALLS(0)[0].result == 0,
	      "null by VMCALL");
	check(vmcall(HL_VMCALL_NR, 0, HL_VMCALL_RUN, HL_RUN(63, 2)) ==
		      HL_EINVAL,
	      "slots behind the page");
	check(vmcall(HL_VMCALL_NR, PAGE, 5, 0) == -1000, "another's VMCALL 12");
}

static void lists(void)
{
	volatile struct hl_list_page *p = (void *)LIST_AT;
	static const uint64_t bad[] = { 0xc0000000,	   HL_TEST_MMIO,
					HL_POWER_MMIO,	   0xfee00000,
					~0xfffull,	   LIST_AT + 8,
					0x8000000000000000 };

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		check(call(HL_OP_TEST_SUM, bad[i], 1, 0) == HL_EFAULT,
		      "a list at %x", bad[i]);
		memset((void *)p, 0x11, PAGE);
		p->zero = 0;
		p->next = bad[i];
		check(call(HL_OP_TEST_INVERT, LIST_AT, 1000, 0) == HL_EFAULT &&
			      CALLS(0)[0].done == HL_LIST_ENTRIES,
		      "a second page at %x", bad[i]);
	}
	p->next = LIST_AT;
	check(call(HL_OP_TEST_INVERT, LIST_AT, HL_LIST_MAX, 0) == HL_LIST_MAX,
	      "a list on itself");
	call(HL_OP_TEST_INVERT, CALLS_AT(0), HL_LIST_MAX, 0);
	check(call(HL_OP_TEST_SUM, LIST_AT, HL_LIST_MAX + 1, 0) == HL_EINVAL,
	      "a list that is too long");
}

static void rings(void)
{
	int64_t status;

	memset((void *)RING_AT, 0, 0x10000);
	call(HL_OP_RING_OPEN, 0, HL_TEST_MMIO, 64);
	call(HL_OP_RING_OPEN, 0, ram_end - PAGE, HL_RING_MAX);
	call(HL_OP_RING_OPEN, 99, RING_AT, 64);
	status = call(HL_OP_RING_OPEN, 0, RING_AT, 64);
	if (status == HL_ENOSYS)
		return; /* no rings here */
	check(status == 0, "ring_open: %x", (uint64_t)status);
	/* Lists in the ring, and the ring full of what nobody posted. */
	call(HL_OP_TEST_INVERT, RING_AT, 255, 0);
	call(HL_OP_TEST_SUM, RING_AT, 1000, 0);
	for (unsigned int i = 0; i < 16; i++) {
		*(volatile uint32_t *)RING_AT = 1u << i * 2;
		outl(HL_LINE_PORT + HL_LINE_DOORBELL, 0);
	}
	for (int i = 0; i < 100000 && status != HL_EINVAL; i++) {
		status = call(HL_OP_RING_CLOSE, 0, 0, 0);
		if (status != HL_EAGAIN)
			break;
	}
	check(status == 0, "ring_close: %x", (uint64_t)status);
	/* The call page as a ring. */
	memset((void *)CALLS_AT(0), 0, PAGE);
	call(HL_OP_RING_OPEN, 0, CALLS_AT(0), 16);
	outl(HL_LINE_PORT + HL_LINE_DOORBELL, 0);
	while (call(HL_OP_RING_CLOSE, 0, 0, 0) == HL_EAGAIN)
		;
}

static uint64_t somewhere(struct random *r)
{
	switch (random_below(r, 8)) {
	case 0:
		return random_wide(r);
	case 1:
		return HL_TEST_MMIO;
	case 2:
		return CALLS_AT(0);
	default:
		return PLAY + random_below(r, PLAY_LEN / PAGE) * PAGE;
	}
}

/* Anything but a wait, nor memory that is not for playing. */
static void scribble(struct random *r)
{
	static const uint16_t ops[] = { HL_OP_NULL,	   HL_OP_TEST_COUNT,
					HL_OP_TEST_SUM,	   HL_OP_TEST_INVERT,
					HL_OP_RING_OPEN,   HL_OP_RING_CLOSE,
					HL_OP_RING_CANCEL, 0x0f,
					HL_OP_TEST_WAKE,   0xffff };
	volatile struct hl_call *s = &CALLS(0)[random_below(r, HL_SLOTS)];
	volatile struct hl_list_page *p =
		(void *)(PLAY + random_below(r, PLAY_LEN / PAGE) * PAGE);

	s->op = ops[random_below(r, ARRAY_SIZE(ops))];
	s->flags = random_below(r, 16) ? 0 : (uint16_t)random_next(r);
	s->done = random_below(r, 8) ? 0 : random_below(r, HL_LIST_MAX);
	s->arg[0] = s->op == HL_OP_RING_OPEN ? random_below(r, 2)
					     : somewhere(r);
	s->arg[1] = s->op == HL_OP_RING_OPEN ? somewhere(r)
					     : random_below(r, 600);
	s->arg[2] = s->op == HL_OP_RING_OPEN ? 1u << random_below(r, 13) : 0;
	s->arg[3] = random_below(r, 16) ? 0 : random_wide(r);
	if (random_below(r, 2) && s->op != HL_OP_TEST_SUM &&
	    s->op != HL_OP_TEST_INVERT && s->op != HL_OP_RING_OPEN)
		s->arg[0] = s->arg[1] = s->arg[3] = 0;
	s->result = random_below(r, 16) ? HL_NOT_RUN : (int64_t)random_wide(r);
	p->next = somewhere(r);
	p->zero = random_below(r, 16) ? 0 : 1;
	p->entry[random_below(r, HL_LIST_ENTRIES)].a = random_below(r, 2);
	*(volatile uint32_t *)p = random_next(r); /* a ring's tail */
}

static struct {
	struct random random;
	volatile bool stop;
} foe;

static void disturb(void *arg)
{
	(void)arg;
	while (!foe.stop)
		scribble(&foe.random);
}

static void race(uint64_t seed, uint64_t n)
{
	struct random r = { seed };

	foe.random.state = seed + 1;
	ap_run(disturb, NULL);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t first = random_below(&r, HL_SLOTS);

		scribble(&r);
		calls_cross(
			HL_RUN(first, 1 + random_below(&r, HL_SLOTS - first)));
		outl(HL_LINE_PORT + HL_LINE_DOORBELL, random_below(&r, 3));
	}
	foe.stop = true;
	ap_wait();
	for (uint64_t ring = 0; ring < 2; ring++)
		for (int i = 0; i < 100000; i++)
			if (call(HL_OP_RING_CLOSE, ring, 0, 0) != HL_EAGAIN)
				break;
}

static void registers(void)
{
	uint64_t before = (uint64_t)call(HL_OP_TEST_COUNT, 0, 0, 0), msr = 0;

	outl(HL_TEST_PORT, 1);
	mmio_write(HL_TEST_MMIO + 0x80, 4, 2);
	check(!try_wrmsr(HL_TEST_MSR, 4) && !try_wrmsr(HL_TEST_MSR + 63, 8),
	      "the test MSRs are not there");
	check(try_wrmsr(HL_TEST_MSR + 64, 8), "there is one more MSR");
	check(!try_rdmsr(HL_TEST_MSR, &msr) &&
		      (uint32_t)msr == (uint32_t)(before + 15),
	      "counter %x, then %x", before, msr);
	check(inl(HL_TEST_PORT) == (uint32_t)msr, "the port's counter");
	check((uint32_t)mmio_read(HL_TEST_MMIO, 4) == (uint32_t)msr,
	      "the memory's counter");
}

void test_line(void)
{
	uint64_t seed = param("seed", 1), n = param("n", 2000);
	struct random r = { seed };
	uint32_t how = transports();

	pages();
	null_works("at first");
	registers();
	lists();
	null_works("after lists");
	rings();
	null_works("after rings");
	if (how & HL_TRANSPORT_VMCALL)
		random_registers(&r, n);
	else
		print("  no VMCALL\n");
	null_works("after random registers");
	if (param("cpus", 1) > 1)
		race(seed, n);
	null_works("at last");
	print("  %u rounds\n", n);
}
