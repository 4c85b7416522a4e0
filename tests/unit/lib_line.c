// SPDX-License-Identifier: GPL-2.0-only
/* See tests/unit/lib_line.h. */
#include "tests/unit/lib_line.h"

#include <check.h>
#include <linux/kvm.h>
#include <string.h>

#include "include/hotline/platform.h"
#include "tests/unit/lib_mmio.h"
#include "vmm/backend/clock.h"
#include "vmm/backend/yield.h"
#include "vmm/core/log.h"
#include "vmm/core/machine.h"

struct line_bed line;
static const struct kvm_cpuid2 no_cpuid;

void line_setup_with(uint64_t features)
{
	const struct mem_options opt = { .size = LINE_MEM,
					 .backing = MEM_ANON };
	const struct clock_options page = { .addr = HL_CLOCK_MMIO,
					    .irq = MACHINE_NO_IRQ,
					    .period_ms = 10 };
	const struct yield_options yield = { .ways = YIELD_PULL,
					     .rate = YIELD_RATE };
	struct hypercalls_options with = {
		.port = HL_LINE_PORT,
		.features = features,
		.crossing_us = 200,
	};

	log_set_level(LOG_ERROR);
	memset(&line, 0, sizeof(line));
	line.vm.fd = line.vm.kvm_fd = line.vm.stats_fd = -1;
	line.vm.nr_cpus = LINE_CPUS;
	line.vm.vcpu = line.vcpu;
	for (unsigned int i = 0; i < LINE_CPUS; i++)
		line.vcpu[i] = (struct vcpu){ .vm = &line.vm,
					      .id = i,
					      .stats_fd = -1 };
	atomic_store(&line.vm.end, -1);
	ck_assert_int_eq(mem_init(&line.vm.mem, &opt), 0);
	hold_init(&line.vm.hold);
	line.clock = clock_new(&line.vm, &page);
	ck_assert_ptr_nonnull(line.clock);
	line.test = selftest_new(&line.vm);
	ck_assert_ptr_nonnull(line.test);
	if (features & HL_FEATURE_ASYNC) {
		bed.kvm.on = true; /* KVM's part: lib_mmio.c */
		ck_assert_int_eq(irq_init(&line.vm.irq, &line.vm, 24), 0);
		with.rings = LINE_RINGS;
		with.workers = 1;
		with.irq = LINE_GSI;
	}
	line.yield = yield_new(&line.vm, &yield);
	ck_assert_ptr_nonnull(line.yield);
	with.yield = line.yield;
	with.test = line.test;
	with.clock = line.clock;
	msr_rules_init(&line.msrs, &no_cpuid);
	with.msrs = &line.msrs;
	line.hc = hypercalls_new(&line.vm, &with);
	ck_assert_ptr_nonnull(line.hc);
	line.slot = line_ptr(LINE_PAGE);
	line_set_page(&line.hc->cpu[0], LINE_PAGE >> 12);
}

/* All calls but those of rings, and no crossing is cut short. */
void line_setup(void)
{
	line_setup_with(~HL_FEATURE_ASYNC);
	line.hc->crossing_ticks = UINT64_MAX;
}

void line_teardown(void)
{
	hypercalls_free(line.hc);
	yield_free(line.yield);
	clock_free(line.clock);
	if (line.vm.irq.vm)
		irq_exit(&line.vm.irq);
	bed.kvm.on = false;
	selftest_free(line.test);
	mem_exit(&line.vm.mem);
}

struct hl_call *line_slot(unsigned int i, uint16_t op, uint64_t arg0,
			  uint64_t arg1)
{
	line.slot[i] = (struct hl_call){ .op = op,
					 .result = HL_NOT_RUN,
					 .arg = { arg0, arg1 } };
	return &line.slot[i];
}

int64_t line_go(unsigned int first, unsigned int nr)
{
	return line_run(&line.hc->cpu[0], HL_RUN(first, nr));
}

int64_t line_call(uint16_t op, uint64_t arg0, uint64_t arg1)
{
	struct hl_call *c = line_slot(0, op, arg0, arg1);

	for (int i = 0; i < 20000 && c->result == HL_NOT_RUN; i++)
		line_go(0, 1);
	return c->result;
}

void *line_ptr(uint64_t addr)
{
	void *p = mem_ptr(&line.vm.mem, gpa(addr), 1);

	ck_assert_ptr_nonnull(p);
	return p;
}

void line_make_list(uint64_t addr, unsigned int entries)
{
	struct hl_list_page *page = line_ptr(addr);

	memset(page, 0, sizeof(*page));
	for (unsigned int i = 0; i < entries; i++) {
		unsigned int at = i % HL_LIST_ENTRIES;

		if (i && !at) {
			addr += sizeof(*page);
			page->next = addr;
			page = line_ptr(addr);
			memset(page, 0, sizeof(*page));
		}
		page->entry[at] = (struct hl_list_entry){ i + 1, i };
	}
}
