// SPDX-License-Identifier: GPL-2.0-only
/* Set-up and tear-down of the line.  Main thread. */
#include "hypercalls/hypercalls.h"

#include <errno.h>
#include <stdlib.h>

#include "hypercalls/call.h"
#include "hypercalls/line.h"
#include "hypercalls/ring.h"
#include "hypercalls/stats.h"
#include "hypercalls/table.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

/* If KVM does not say, as fast as hosts are slow: crossings end early. */
#define TSC_KHZ_LEAST 1000000

static void set_clock(struct hypercalls *hc,
		      const struct hypercalls_options *opt)
{
	uint64_t khz = opt->tsc_khz ? opt->tsc_khz : TSC_KHZ_LEAST;

	hc->crossing_ticks = khz * opt->crossing_us / 1000 + 1;
	hc->ns_per_tick = (uint32_t)((1000000ull << 24) / khz);
}

static int add_rows(struct hypercalls *hc, uint64_t features)
{
	hc->quick = calloc(call_rows, sizeof(*hc->quick));
	if (!hc->quick)
		return -ENOMEM;
	for (unsigned int op = 0; op < call_rows; op++) {
		const struct call_row *row = &call_table[op];

		if (!row->name || row->feature & ~features)
			continue;
		hc->row[op] = row;
		call_quick_set(&hc->quick[op], (uint16_t)op, row);
	}
	return 0;
}

static int add_cpus(struct hypercalls *hc)
{
	hc->posted = calloc(call_rows + 1, sizeof(*hc->posted));
	if (!hc->posted)
		return -ENOMEM;
	for (unsigned int i = 0; i < hc->nr_cpus; i++) {
		hc->cpu[i].hc = hc;
		hc->cpu[i].pfn = UINT32_MAX;
		hc->cpu[i].stats =
			calloc(call_rows + 1, sizeof(*hc->cpu[i].stats));
		if (!hc->cpu[i].stats)
			return -ENOMEM;
		hc->vm->vcpu[i].line = &hc->cpu[i];
	}
	return 0;
}

static int64_t ring_admit(void *ctx, const struct hl_call *call)
{
	return hypercall_admit(ctx, call);
}

static int64_t ring_execute(void *ctx, struct hl_call *call)
{
	return hypercall_execute(ctx, call);
}

static void ring_raise(void *ctx, unsigned int ring)
{
	struct hypercalls *hc = ctx;

	irq_raise(&hc->vm->irq, hc->irq + ring);
}

static int add_rings(struct hypercalls *hc, unsigned int workers)
{
	const struct rings_options opt = {
		.mem = &hc->vm->mem,
		.nr = hc->nr_rings,
		.workers = workers,
		.ctx = hc,
		.admit = ring_admit,
		.execute = ring_execute,
		.raise = ring_raise,
	};

	for (unsigned int i = 0; i < hc->nr_rings; i++) {
		int err = irq_open(&hc->vm->irq, hc->irq + i);

		if (err < 0)
			return err;
	}
	hc->rings = rings_new(&opt);
	return hc->rings ? 0 : -errno;
}

struct hypercalls *hypercalls_new(struct vm *vm,
				  const struct hypercalls_options *opt)
{
	struct hypercalls *hc =
		calloc(1, sizeof(*hc) + vm->nr_cpus * sizeof(hc->cpu[0]));
	int err;

	if (!hc)
		return NULL;
	hc->vm = vm;
	hc->nr_cpus = vm->nr_cpus;
	hc->port = opt->port;
	hc->test = opt->test;
	hc->clock = opt->clock;
	hc->yield = opt->yield;
	hc->msrs = opt->msrs;
	hc->nr_rings = opt->rings;
	hc->irq = opt->irq;
	set_clock(hc, opt);
	err = add_rows(hc, opt->features);
	if (!err)
		err = add_cpus(hc);
	if (!err && opt->features & HL_FEATURE_ASYNC)
		err = add_rings(hc, opt->workers);
	if (!err)
		err = line_add_ports(hc);
	if (!err) {
		call_stats_add(hc);
		vm->line = line_run;
		vm->line_port = (uint32_t)hc->port + HL_LINE_RUN;
		return hc;
	}
	hypercalls_free(hc);
	errno = -err;
	return NULL;
}

void hypercalls_free(struct hypercalls *hc)
{
	if (!hc)
		return;
	if (hc->rings)
		rings_free(hc->rings);
	for (unsigned int i = 0; i < hc->nr_cpus; i++)
		free(hc->cpu[i].stats);
	free(hc->posted);
	free(hc->quick);
	free(hc);
}
