// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of MSRs, from a guest that means harm: what a list may not touch is
 * refused and stays as it was; random MSRs with random values harm nobody.
 */
#include "calls.h"

#include "include/hotline/msr.h"
#include "include/hotline/platform.h"
#include "include/hotline/test.h"

#define CALL	 CALLS(0) /* one slot is enough */
#define LIST	 ((volatile struct hl_list_page *)(ARENA + PAGE))
#define BANK(i)	 (0x400u + 4 * (i))
#define NO_MSR	 0x4fffffffu
#define NO_VALUE 0x5555ull

static int64_t go_on(void)
{
	CALL->result = HL_NOT_RUN;
	for (int i = 0; i < 1000 && CALL->result == HL_NOT_RUN; i++)
		calls_cross(HL_RUN(0, 1));
	return CALL->result;
}

static int64_t run(uint16_t op, unsigned int nr)
{
	calls_fill(0, 0, op, (uint64_t)LIST, nr);
	return go_on();
}

static void put(unsigned int i, uint64_t msr, uint64_t value)
{
	LIST->entry[i].a = msr;
	LIST->entry[i].b = value;
}

static uint64_t rdmsr(uint32_t msr)
{
	uint64_t value = NO_VALUE;

	return try_rdmsr(msr, &value) ? NO_VALUE : value;
}

static void good(void)
{
	for (unsigned int i = 0; i < 32; i++) {
		put(2 * i, BANK(i), i % 3 ? ~0ull : 0);
		put(2 * i + 1, i % 2 ? BANK(i) + 1 : HL_TEST_MSR + i, 0);
	}
	check(run(HL_OP_MSR_WRITE, 64) == 64, "64 MSRs: %x at %u",
	      (uint64_t)CALL->result, (uint64_t)CALL->done);
	for (unsigned int i = 0; i < 32; i++) {
		check(rdmsr(BANK(i)) == (i % 3 ? ~0ull : 0), "bank %u: %x",
		      (uint64_t)i, rdmsr(BANK(i)));
		LIST->entry[2 * i].b = NO_VALUE;
	}
	check(run(HL_OP_MSR_READ, 64) == 64, "reading 64 MSRs: %x at %u",
	      (uint64_t)CALL->result, (uint64_t)CALL->done);
	for (unsigned int i = 0; i < 32; i++)
		check(LIST->entry[2 * i].b == (i % 3 ? ~0ull : 0),
		      "bank %u is read as %x", (uint64_t)i,
		      LIST->entry[2 * i].b);
}

/* TSC aside: what they hold does not change by itself. */
static void forbidden(void)
{
	static const uint32_t msrs[] = {
		0x1b,	    0x3a,	0x3b,	    0x48,	0x8b,
		0x10a,	    0x174,	0x1a0,	    0x1d9,	0x200,
		0x277,	    0x2ff,	0x345,	    0x6e0,	0x808,
		0x832,	    0xda0,	0x4b564d00, 0x4b564d02, 0x4b564d03,
		0x40000000, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000100,
		0xc0000102, 0xc0000103, 0xc0010015, 0xc0010117, NO_MSR,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++) {
		uint64_t before = rdmsr(msrs[i]);

		put(0, BANK(0), 0);
		put(1, msrs[i], ~before & 0xfff);
		put(2, BANK(1), 0);
		check(run(HL_OP_MSR_WRITE, 3) == HL_EPERM && CALL->done == 1,
		      "MSR %x: %x", (uint64_t)msrs[i], (uint64_t)CALL->result);
		check(rdmsr(msrs[i]) == before, "MSR %x has changed",
		      (uint64_t)msrs[i]);
		check(run(HL_OP_MSR_READ, 3) == HL_EPERM && CALL->done == 1,
		      "MSR %x is read", (uint64_t)msrs[i]);
	}
	put(0, 0x10, 0);
	check(run(HL_OP_MSR_WRITE, 1) == HL_EPERM, "the TSC");
}

static void refused(void)
{
	put(0, BANK(0), ~0ull);
	put(1, BANK(1), 2); /* WRMSR: #GP */
	put(2, BANK(2), 0);
	put(3, BANK(3) + 1, 1); /* a status is only cleared */
	put(4, 1ull << 32 | BANK(4), 0);
	check(try_wrmsr(BANK(1), 2), "a bank can be set to 2");
	check(run(HL_OP_MSR_WRITE, 5) == HL_EIO && CALL->done == 1,
	      "a value that cannot be: %x", (uint64_t)CALL->result);
	CALL->done++;
	check(go_on() == HL_EPERM && CALL->done == 3, "a status: %x",
	      (uint64_t)CALL->result);
	CALL->done++;
	check(go_on() == HL_EINVAL && CALL->done == 4, "a wide number: %x",
	      (uint64_t)CALL->result);
	check(rdmsr(BANK(0)) == ~0ull && rdmsr(BANK(2)) == 0 &&
		      rdmsr(BANK(3) + 1) == 0,
	      "what was done between");
}

static uint64_t random_msr(struct random *r)
{
	static const uint32_t near[] = { 0,	     0x186,	 0x309,
					 0x38d,	     0x400,	 0x4c1,
					 0x600,	     0x800,	 0xc0000080,
					 0xc0000300, 0xc0010000, 0xc0010200 };

	if (!random_below(r, 3))
		return HL_TEST_MSR + random_below(r, 70);
	if (!random_below(r, 8))
		return random_wide(r);
	return near[random_below(r, ARRAY_SIZE(near))] + random_below(r, 160);
}

static void at_random(uint64_t seed, uint64_t n)
{
	struct random r = { seed };

	for (uint64_t i = 0; i < n; i++) {
		unsigned int nr = random_below(&r, HL_LIST_ENTRIES + 1);
		uint16_t op = random_below(&r, 2) ? HL_OP_MSR_READ
						  : HL_OP_MSR_WRITE;
		int64_t status;

		for (unsigned int k = 0; k < nr; k++)
			put(k, random_msr(&r),
			    random_below(&r, 2) ? 0 : random_wide(&r));
		status = run(op, nr);
		/* On behind each that is refused. */
		while (status < 0 && CALL->done < nr) {
			check(status == HL_EPERM || status == HL_EIO ||
				      status == HL_EINVAL,
			      "random MSRs: %x", (uint64_t)status);
			CALL->done++;
			status = go_on();
		}
		check(status == nr || CALL->done > nr, "%u random MSRs: %x",
		      (uint64_t)nr, (uint64_t)status);
	}
}

void test_msr_list(void)
{
	memset((void *)LIST, 0, PAGE);
	calls_take_page(0);
	check(inl(HL_LINE_PORT + HL_LINE_PAGE) == ARENA / PAGE, "no line");
	good();
	forbidden();
	refused();
	at_random(param("seed", 1), param("n", 100));
	good();
}
