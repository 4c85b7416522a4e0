/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HYPERCALLS_STATS_H
#define HYPERCALLS_STATS_H

struct hypercalls;

/* Puts the calls' counters beside the machine's other statistics. */
void call_stats_add(struct hypercalls *hc);

#endif
