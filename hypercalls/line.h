/* SPDX-License-Identifier: GPL-2.0-only */
/* Crossings: the transports, call pages and slots.  vCPU threads. */
#ifndef HYPERCALLS_LINE_H
#define HYPERCALLS_LINE_H

#include <stdint.h>

struct hypercalls;
struct line_cpu;
struct vcpu;

/* vm->line: a crossing by either transport; cpu is a struct line_cpu. */
int64_t line_run(void *cpu, uint64_t run);

/* HL_LINE_PAGE */
void line_set_page(struct line_cpu *cpu, uint32_t pfn);

/* The ports; 0 or -errno. */
int line_add_ports(struct hypercalls *hc);

#endif
