// SPDX-License-Identifier: GPL-2.0-only
/* The line's part of the machine: described, announced, made.  Main thread. */
#include <errno.h>
#include <string.h>

#include "hypercalls/hypercalls.h"
#include "include/hotline/clock.h"
#include "include/hotline/hypercall.h"
#include "include/hotline/platform.h"
#include "include/hotline/test.h"
#include "vmm/backend/lease.h"
#include "vmm/backend/selftest.h"
#include "vmm/backend/timer.h"
#include "vmm/backend/yield.h"
#include "vmm/core/cpuid.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"
#include "vmm/core/vcpu.h"
#include "vmm/dev/testdev.h"
#include "vmm/machine.h"

#define CROSSING_US 200 /* how long one crossing may take */
#define RINGS	    8	/* at most, unless the user wants more */
#define WORKERS	    4

static unsigned int default_rings(const struct machine *m)
{
	return m->cfg->cpus < RINGS ? m->cfg->cpus : RINGS;
}

static void describe_timer(struct machine *m)
{
	const struct run_timer *cfg = &m->cfg->timer;

	if (cfg->off)
		return;
	m->desc.line.features |= HL_FEATURE_TIMER;
	if (cfg->halt_by_call == RUN_ON ||
	    (cfg->halt_by_call == RUN_AUTO && timer_is_nested()))
		m->desc.line.advice |= HL_ADVICE_HALT;
}

void machine_line_describe(struct machine *m, uint32_t *gsi)
{
	const struct run_line *cfg = &m->cfg->line;

	m->desc.line = (struct machine_line){ .irq = MACHINE_NO_IRQ };
	if (cfg->off)
		return;
	m->desc.line.transports = HL_TRANSPORT_PIO;
	if (cfg->vmcall != RUN_OFF)
		m->desc.line.transports |= HL_TRANSPORT_VMCALL;
	m->desc.line.port = HL_LINE_PORT;
	m->desc.line.features = HL_FEATURE_MSR;
	if (cfg->test)
		m->desc.line.features |= HL_FEATURE_TEST;
	describe_timer(m);
	if (m->cfg->yield.how != RUN_YIELD_OFF && m->cfg->cpus > 1)
		m->desc.line.features |= HL_FEATURE_YIELD;
	m->desc.line.rings = cfg->said_rings ? cfg->rings : default_rings(m);
	if (!m->desc.line.rings)
		return;
	m->desc.line.features |= HL_FEATURE_ASYNC;
	m->desc.line.advice |= HL_ADVICE_ASYNC;
	m->desc.line.irq = *gsi;
	*gsi += m->desc.line.rings;
}

static int add_leaves(struct machine *m)
{
	const struct machine_line *line = &m->desc.line;
	union {
		char text[12];
		uint32_t word[3];
	} sign = { .text = HL_CPUID_SIGNATURE };
	const struct {
		uint32_t leaf, reg[4];
	} rows[] = {
		{ HL_CPUID_BASE,
		  { line->features & HL_FEATURE_CLOCK ? HL_CPUID_CLOCK
						      : HL_CPUID_TRANSPORT,
		    sign.word[0], sign.word[1], sign.word[2] } },
		{ HL_CPUID_FEATURES,
		  { HL_ABI_VERSION, (uint32_t)line->features,
		    (uint32_t)(line->features >> 32), line->advice } },
		{ HL_CPUID_TRANSPORT,
		  { line->transports, line->port, line->irq, line->rings } },
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(rows) / sizeof(rows[0]); i++)
		err = cpuid_add(&m->vm.cpuid, rows[i].leaf, rows[i].reg);
	if (!err)
		return 0;
	error("--hypercalls: CPUID leaf 0x%x: %s", HL_CPUID_BASE,
	      strerror(-err));
	return EXIT_OSERR;
}

int machine_line_prepare(struct machine *m)
{
	struct machine_line *line = &m->desc.line;
	int err;

	if (!line->transports)
		return 0;
	if (line->transports & HL_TRANSPORT_VMCALL &&
	    !vm_exit_on_vmcall(&m->vm)) {
		if (m->cfg->line.vmcall == RUN_ON) {
			error("--hypercalls vmcall=on: this host's KVM keeps VMCALL to itself (Linux 5.14 changed that); drop it, calls go by port");
			return EXIT_UNAVAIL;
		}
		info("KVM keeps VMCALL to itself here: hypercalls go by port");
		line->transports &= ~HL_TRANSPORT_VMCALL;
	}
	if (line->features & HL_FEATURE_TEST) {
		err = vm_exit_on_msrs(&m->vm, HL_TEST_MSR, HL_TEST_MSRS);
		if (err)
			warn("--hypercalls test: no test MSRs: %s",
			     strerror(-err));
	}
	return add_leaves(m);
}

static int make_test(struct machine *m)
{
	int err;

	m->test = selftest_new(&m->vm);
	err = m->test ? testdev_init(&m->vm, m->test) : -errno;
	if (!err)
		return 0;
	error("--hypercalls test: %s", strerror(-err));
	return EXIT_OSERR;
}

static int make_yield(struct machine *m)
{
	static const unsigned int ways[] = {
		[RUN_YIELD_AUTO] = YIELD_PULL | YIELD_LEASE,
		[RUN_YIELD_KVM] = 0,
		[RUN_YIELD_PULL] = YIELD_PULL,
		[RUN_YIELD_LEASE] = YIELD_LEASE,
	};
	const struct run_yield *cfg = &m->cfg->yield;
	struct yield_options opt = {
		.ways = ways[cfg->how],
		/* Calls are for who is alone; else KVM's way serves better. */
		.kvm = cfg->how == RUN_YIELD_KVM || cfg->how == RUN_YIELD_AUTO,
		.rate = cfg->rate ? cfg->rate : YIELD_RATE,
	};
	int err = opt.ways & YIELD_LEASE ? lease_allowed() : 0;

	if (err && cfg->how == RUN_YIELD_LEASE) {
		error("--yield lease: this process may not run threads as SCHED_FIFO: %s; give it CAP_SYS_NICE or a limit of real-time priorities (ulimit -r) of 2 or more, or write auto",
		      strerror(-err));
		return EXIT_NOPERM;
	}
	if (err)
		opt.ways &= ~YIELD_LEASE;
	m->yield = yield_new(&m->vm, &opt);
	if (m->yield)
		return 0;
	error("--yield: %s", strerror(errno));
	return EXIT_OSERR;
}

int machine_line_init(struct machine *m)
{
	const struct machine_line *line = &m->desc.line;
	struct hypercalls_options opt = {
		.port = line->port,
		.features = line->features,
		.tsc_khz = vcpu_tsc_khz(&m->vm.vcpu[0]),
		.crossing_us = CROSSING_US,
		.rings = line->rings,
		.workers = m->cfg->line.workers ? m->cfg->line.workers
						: WORKERS,
		.irq = line->irq,
	};
	int err = 0;

	if (!line->transports)
		return 0;
	if (line->features & HL_FEATURE_TEST)
		err = make_test(m);
	if (!err && line->features & HL_FEATURE_YIELD)
		err = make_yield(m);
	if (err)
		return err;
	opt.test = m->test;
	opt.yield = m->yield;
	opt.clock = m->clock;
	msr_rules_init(&m->msrs, m->vm.cpuid);
	opt.msrs = &m->msrs;
	m->calls = hypercalls_new(&m->vm, &opt);
	if (m->calls)
		return 0;
	error("--hypercalls: %s", strerror(errno));
	return EXIT_OSERR;
}

void machine_line_exit(struct machine *m)
{
	hypercalls_free(m->calls);
	yield_free(m->yield);
	selftest_free(m->test);
}
