// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer: slots and lists.  The input is a script for a hostile guest of a
 * few pages of memory: it fills pages with what the input has, points lists
 * and the call page anywhere, and crosses.  Checked beside what the sanitizers
 * see: HL_NOT_RUN's rules, that each crossing makes progress, and that a call
 * that only reads does not write.
 */
#include <linux/kvm.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hypercalls/call.h"
#include "hypercalls/hypercalls.h"
#include "hypercalls/line.h"
#include "hypercalls/table.h"
#include "include/hotline/hypercall.h"
#include "include/hotline/test.h"
#include "include/hotline/platform.h"
#include "include/hotline/yield.h"
#include "vmm/backend/clock.h"
#include "vmm/backend/msr.h"
#include "vmm/backend/selftest.h"
#include "vmm/backend/yield.h"
#include "vmm/core/log.h"
#include "vmm/core/machine.h"
#include "vmm/core/vcpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGES	 16
#define STEPS	 64
#define NO_CLOCK UINT64_MAX /* ticks: no crossing is cut short */

#define must(what)                                                             \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

static struct vm vm;
static struct vcpu vcpu;
static const struct kvm_cpuid2 no_cpuid;
static struct msr_rules msrs;
static struct hypercalls *hc;
static uint8_t *ram;
static uint16_t ops[HL_OPS_MAX]; /* those that there are */
static unsigned int nr_ops;

struct input {
	const uint8_t *at;
	size_t left;
};

static uint64_t take(struct input *in, size_t bytes)
{
	uint64_t v = 0;

	if (bytes > in->left)
		bytes = in->left;
	memcpy(&v, in->at, bytes);
	in->at += bytes;
	in->left -= bytes;
	return v;
}

static void set_up(void)
{
	const struct mem_options mem = { .size = PAGES * 4096,
					 .backing = MEM_ANON,
					 .no_thp = true };
	const struct clock_options page = { .addr = HL_CLOCK_MMIO,
					    .irq = MACHINE_NO_IRQ,
					    .period_ms = 10 };
	const struct yield_options yield = { .ways = YIELD_PULL,
					     .rate = YIELD_RATE };
	struct hypercalls_options opt = { .port = 0x610,
					  .features = ~HL_FEATURE_ASYNC,
					  .tsc_khz = 1000000,
					  .crossing_us = 200 };

	log_set_level(LOG_ERROR);
	vm.fd = vm.kvm_fd = vm.stats_fd = -1;
	vm.vcpu = &vcpu;
	vm.nr_cpus = 1;
	atomic_store(&vm.end, -1);
	must(mem_init(&vm.mem, &mem) == 0);
	ram = vm.mem.host;
	opt.test = selftest_new(&vm);
	opt.clock = clock_new(&vm, &page);
	opt.yield = yield_new(&vm, &yield);
	must(opt.test && opt.clock && opt.yield);
	msr_rules_init(&msrs, &no_cpuid);
	opt.msrs = &msrs;
	vcpu.vm = &vm;
	vcpu.fd = -1;
	vcpu_adopt(&vcpu);
	hc = hypercalls_new(&vm, &opt);
	must(hc);
	/* Sleeping finds nothing. */
	hc->row[HL_OP_TEST_DELAY] = NULL;
	hc->row[HL_OP_TEST_WAIT] = NULL;
	for (uint16_t op = 0; op < HL_OPS_MAX; op++)
		if (hc->row[op])
			ops[nr_ops++] = op;
}

/* Mostly a page, sometimes anything. */
static uint64_t address(struct input *in)
{
	uint64_t kind = take(in, 1);

	if (kind < 0xe0)
		return kind % (PAGES + 1) * 4096;
	return kind < 0xf0 ? kind % PAGES * 4096 + take(in, 2) : take(in, 8);
}

static void fill(struct input *in)
{
	uint64_t off = take(in, 2) % (PAGES * 4096 - 256);
	uint64_t len = take(in, 1);

	for (uint64_t i = 0; i < len; i++)
		ram[off + i] = (uint8_t)take(in, 1);
}

static void link_pages(struct input *in)
{
	struct hl_list_page *page = (void *)(ram + take(in, 1) % PAGES * 4096);

	page->next = address(in);
	page->zero = take(in, 1) < 0xf0 ? 0 : take(in, 1);
}

static void put_call(struct input *in)
{
	uint64_t page = hc->cpu[0].pfn, which = take(in, 1);
	struct hl_call *c;

	if (page >= PAGES)
		return;
	c = (struct hl_call *)(ram + page * 4096) + take(in, 1) % HL_SLOTS;
	memset(c, 0, sizeof(*c));
	c->op = (uint16_t)(which < 0xf0 ? ops[which % nr_ops] : take(in, 2));
	c->result = HL_NOT_RUN;
	c->arg[0] = address(in);
	c->arg[1] = take(in, 2) % (HL_LIST_MAX + 2);
	if (which & 0x40)
		c->done = (uint32_t)take(in, 2);
	if (which & 0x80)
		c->flags = (uint16_t)take(in, 1);
}

static bool writes(unsigned int op)
{
	return op < call_rows && hc->row[op] &&
	       (hc->row[op]->kind == CALL_LIST_INOUT || op == HL_OP_YIELD_PAGE);
}

/* One slot alone: what a crossing may do to it, and to the rest. */
static void cross_one(unsigned int i)
{
	static uint8_t before[PAGES * 4096];
	uint64_t base = (uint64_t)hc->cpu[0].pfn * 4096;
	size_t at = base + i * sizeof(struct hl_call);
	struct hl_call was, is;
	int64_t ran;

	memcpy(before, ram, sizeof(before));
	memcpy(&was, ram + at, sizeof(was));
	ran = line_run(&hc->cpu[0], HL_RUN(i, 1));
	memcpy(&is, ram + at, sizeof(is));
	must(ran == (is.result != HL_NOT_RUN));
	if (writes(was.op))
		return; /* may have written its own slot, too */
	must(is.op == was.op && !memcmp(is.arg, was.arg, sizeof(is.arg)));
	must(ran || is.done > was.done);
	must(is.done >= was.done &&
	     (is.done == was.done || is.done <= was.arg[1]));
	memcpy(before + at + 4, (uint8_t *)&is + 4, 12); /* done, result */
	must(!memcmp(before, ram, sizeof(before)));
}

static void cross(struct input *in)
{
	uint64_t run = take(in, 2);
	int64_t ran;

	hc->crossing_ticks = take(in, 1) & 1 ? 1 : NO_CLOCK;
	if (hc->cpu[0].page && HL_RUN_NR(run) == 1 && HL_RUN_FIRST(run) < 64) {
		cross_one((unsigned int)HL_RUN_FIRST(run));
		return;
	}
	if (run >> 15)
		run |= take(in, 4) << 16;
	ran = line_run(&hc->cpu[0], run);
	must(ran <= (int64_t)HL_RUN_NR(run));
}

static void post(struct input *in)
{
	uint64_t off = take(in, 2) % (PAGES * 4096 / 64) * 64;
	struct hl_call c;

	hc->crossing_ticks = take(in, 1) & 1 ? 1 : NO_CLOCK;
	memcpy(&c, ram + off, sizeof(c));
	if (hypercall_admit(hc, &c) >= 0)
		must(hypercall_execute(hc, &c) != HL_NOT_RUN);
}

static void set_page(struct input *in)
{
	uint32_t pfn = (uint32_t)(take(in, 1) < 0xf0 ? take(in, 1) % PAGES
						     : take(in, 4));

	line_set_page(&hc->cpu[0], pfn);
	must(hc->cpu[0].pfn < PAGES || hc->cpu[0].pfn == UINT32_MAX);
	must(!hc->cpu[0].page == (hc->cpu[0].pfn == UINT32_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const steps[])(struct input * in) = {
		put_call, cross, link_pages, put_call,
		cross,	  post,	 fill,	     set_page,
	};
	struct input in = { data, size };

	if (!hc)
		set_up();
	memset(ram, 0, PAGES * 4096);
	line_set_page(&hc->cpu[0], 1);
	for (int i = 0; in.left && i < STEPS; i++)
		steps[take(&in, 1) % 8](&in);
	return 0;
}
