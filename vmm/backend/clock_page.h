/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock page as bytes: include/hotline/clock.h behind a vmclock, and the
 * protocol by which readers on other processors see it whole.  One writer at
 * a time, which its user sees to.
 */
#ifndef BACKEND_CLOCK_PAGE_H
#define BACKEND_CLOCK_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "include/hotline/clock.h"
#include "vmm/backend/clock_host.h"
#include "vmm/backend/discipline.h"
#include "vmm/backend/vmclock.h"

#define CLOCK_PAGE_SIZE 4096

struct clock_page {
	struct vmclock vm;
	uint8_t zero[HL_CLOCK_OFFSET - sizeof(struct vmclock)];
	struct hl_clock hl;
};

/* The page and what its readers among us need besides. */
struct clock_board {
	struct clock_page *page;
	_Atomic uint64_t offset; /* the guest's TSC - the host's */
	_Atomic int64_t base; /* without a line: the clock - CLOCK_MONOTONIC */
};

/* What goes there but for the line. */
struct clock_news {
	bool valid;
	int64_t wall_ns;
	uint64_t wall_sets, wall_error, disruptions;
	struct clock_status status;
};

/* The page is all zero. */
void clock_page_init(struct clock_board *b);

/*
 * Writes the news.  With news->valid the line is d's next and begins at the
 * present tick; if there was none it begins at the clock's present time.
 * Without, the clock goes on from there by CLOCK_MONOTONIC and d->base.
 */
void clock_page_write(struct clock_board *b, const struct clock_news *news,
		      struct discipline *d, uint64_t offset);

/* The clock, as a guest reads it.  False: a writer is in the way for long. */
bool clock_page_read(const struct clock_board *b, uint64_t *ns);

#endif
