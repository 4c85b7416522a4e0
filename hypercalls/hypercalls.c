// SPDX-License-Identifier: GPL-2.0-only
/* Set-up and tear-down of the line.  Main thread. */
#include "hypercalls/hypercalls.h"

#include <errno.h>
#include <stdlib.h>

#include "hypercalls/call.h"
#include "hypercalls/line.h"
#include "hypercalls/table.h"
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

static int add_cpus(struct hypercalls *hc)
{
	hc->posted = calloc(call_rows + 1, sizeof(*hc->posted));
	if (!hc->posted)
		return -ENOMEM;
	for (unsigned int i = 0; i < hc->nr_cpus; i++) {
		hc->cpu[i].pfn = UINT32_MAX;
		hc->cpu[i].stats =
			calloc(call_rows + 1, sizeof(*hc->cpu[i].stats));
		if (!hc->cpu[i].stats)
			return -ENOMEM;
	}
	return 0;
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
	hc->features = opt->features;
	hc->test = opt->test;
	set_clock(hc, opt);
	err = add_cpus(hc);
	if (!err)
		err = line_add_ports(hc);
	if (!err) {
		vm->line = line_cross;
		vm->line_ctx = hc;
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
	for (unsigned int i = 0; i < hc->nr_cpus; i++)
		free(hc->cpu[i].stats);
	free(hc->posted);
	free(hc);
}
