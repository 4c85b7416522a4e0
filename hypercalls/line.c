// SPDX-License-Identifier: GPL-2.0-only
/*
 * Crossings.  line_run() is the hot path: from KVM_RUN's return to its next
 * entry a call that does nothing takes no lock, no system call and no word
 * that another thread writes.
 */
#include "hypercalls/line.h"

#include <string.h>
#include <sys/eventfd.h>

#include "hypercalls/call.h"
#include "hypercalls/hypercalls.h"
#include "hypercalls/ring.h"
#include "hypercalls/table.h"
#include "vmm/core/counter.h"
#include "vmm/core/log.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define PAGE_SHIFT 12
#define NO_PAGE	   UINT32_MAX

/* The times of an earlier request are not this one's. */
static void forget_times(struct line_cpu *cpu, unsigned int timing)
{
	for (unsigned int i = 0; i <= call_rows; i++)
		for (unsigned int t = 0; t < CALL_TIMES; t++)
			atomic_store_explicit(&cpu->stats[i].time[t], 0,
					      memory_order_relaxed);
	atomic_store_explicit(&cpu->timing, timing, memory_order_release);
}

static inline bool wants_times(struct hypercalls *hc, struct line_cpu *cpu)
{
	unsigned int timing =
		atomic_load_explicit(&hc->timing, memory_order_relaxed);

	if (!timing)
		return false;
	if (timing != cpu->timing)
		forget_times(cpu, timing);
	return true;
}

int64_t line_run(void *ctx, uint64_t run)
{
	struct line_cpu *cpu = ctx;
	struct hypercalls *hc = cpu->hc;
	uint64_t nr = HL_RUN_NR(run), first = HL_RUN_FIRST(run);

	counter_add(&cpu->crossings, 1);
	if (!cpu->page)
		return HL_EFAULT;
	if (!nr || first >= HL_SLOTS || first + nr > HL_SLOTS)
		return HL_EINVAL;
	cpu->time.over = false;
	cpu->time.measure = wants_times(hc, cpu);
	cpu->time.start = __rdtsc();
	return call_run(hc, cpu, &cpu->page[first], (unsigned int)nr);
}

void line_set_page(struct line_cpu *cpu, uint32_t pfn)
{
	uint64_t addr = (uint64_t)pfn << PAGE_SHIFT;
	size_t len = HL_SLOTS * sizeof(struct hl_call);
	void *page = NULL;

	if (pfn != NO_PAGE) {
		page = mem_ptr(&cpu->hc->vm->mem, gpa(addr), len);
		if (!page)
			return;
	}
	cpu->page = page;
	cpu->pfn = pfn;
}

/* A port is its vCPU's; the thread says which. */
static struct line_cpu *this_cpu(void)
{
	struct vcpu *vcpu = vcpu_self();

	return vcpu ? vcpu->line : NULL;
}

static uint64_t port_read(void *dev, uint64_t off, unsigned int len)
{
	struct line_cpu *cpu = this_cpu();

	(void)dev;
	if (off == HL_LINE_PAGE && len == 4 && cpu)
		return cpu->pfn;
	return UINT64_MAX;
}

/* What KVM has not taken over: no ring of that number, or it cannot. */
static void ring_bell(struct hypercalls *hc, uint64_t id)
{
	if (id < hc->nr_rings)
		eventfd_write(rings_doorbell(hc->rings, (unsigned int)id), 1);
}

static void port_write(void *dev, uint64_t off, unsigned int len, uint64_t val)
{
	struct line_cpu *cpu = this_cpu();

	if (off == HL_LINE_DOORBELL && len == 4)
		ring_bell(dev, val);
	/* HL_LINE_RUN comes here as part of a string instruction only. */
	if (len != 4 || !cpu)
		return;
	if (off == HL_LINE_RUN)
		line_run(cpu, val);
	else if (off == HL_LINE_PAGE)
		line_set_page(cpu, (uint32_t)val);
}

static const struct bus_ops ports = { .read = port_read, .write = port_write };

int line_add_ports(struct hypercalls *hc)
{
	struct vm *vm = hc->vm;

	for (unsigned int i = 0; i < hc->nr_rings; i++) {
		int err = vm_ioeventfd(vm, true, hc->port + HL_LINE_DOORBELL, 4,
				       i, rings_doorbell(hc->rings, i));

		if (err)
			debug("KVM does not take over ring %u's doorbell: %s",
			      i, strerror(-err));
	}
	return bus_add(&vm->pio, hc->port, HL_LINE_PORTS, &ports, hc, "line");
}
