/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock page (include/hotline/clock.h): who writes it, and when.  It comes
 * to life when a guest first reads it: until then it costs no thread, no
 * memory slot and no wake-up.
 */
#ifndef BACKEND_CLOCK_H
#define BACKEND_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct vm;

struct clock_options {
	uint64_t addr;		/* guest-physical, of the page */
	uint32_t irq;		/* GSI, or MACHINE_NO_IRQ */
	unsigned int period_ms; /* how often it is bent towards the host's */
};

/* After the vCPUs are made, before they start.  NULL with errno set. */
struct clock *clock_new(struct vm *vm, const struct clock_options *opt);
/* After they have ended.  NULL is fine. */
void clock_free(struct clock *c);

/* The page's clock, or what it would be; ns.  Any thread. */
uint64_t clock_read(struct clock *c);
/* The host's CLOCK_REALTIME; ns. */
uint64_t clock_wall(void);

/*
 * Time went on without the guest: counts that on the page and tells the guest.
 * Any thread; NULL is fine.
 */
void clock_disrupted(struct clock *c);

#endif
