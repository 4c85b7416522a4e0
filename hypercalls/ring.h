/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Split-phase calls, host side of include/hotline/async.h.  One dispatcher
 * thread takes calls from all rings; it runs short ones itself and hands long
 * ones to workers.  No thread starts before the first ring is opened.
 */
#ifndef HYPERCALLS_RING_H
#define HYPERCALLS_RING_H

#include <stdint.h>

struct hl_call;
struct mem;
struct rings;

/* What admit() says of a posted call, unless it refuses it by a HL_E*. */
#define RINGS_SHORT 0 /* waits for nothing and is over in 200 us or so */
#define RINGS_LONG  1 /* anything else */

struct rings_options {
	const struct mem *mem;
	unsigned int nr;      /* rings; their numbers are below it */
	unsigned int workers; /* long calls that run at a time, of all rings */
	void *ctx;	      /* for the functions below, which ... */

	/*
	 * ... run on the dispatcher and the workers, several at a time.  `call`
	 * is a copy of the guest's with known flags; its result is HL_NOT_RUN.
	 *
	 * execute() runs it to its end and returns its result; it may move
	 * call->done.  When the machine ends, it must come back in 100 ms:
	 * waits are cut in such pieces.
	 *
	 * raise() sends the ring's completion interrupt.
	 */
	int64_t (*admit)(void *ctx, const struct hl_call *call);
	int64_t (*execute)(void *ctx, struct hl_call *call);
	void (*raise)(void *ctx, unsigned int ring);
};

/* NULL with errno set. */
struct rings *rings_new(const struct rings_options *opt);
/*
 * Ends the threads, without the calls that they have not begun.  Waits only
 * for those in execute().  Nothing else may be running in here.
 */
void rings_free(struct rings *r);

/* The eventfd of ring `id` < nr: write to it when the guest rings. */
int rings_doorbell(const struct rings *r, unsigned int id);

/* The calls of the same name; any thread.  0 or a HL_E* status. */
int64_t rings_open(struct rings *r, uint64_t id, uint64_t addr,
		   uint64_t entries);
int64_t rings_close(struct rings *r, uint64_t id);
int64_t rings_cancel(struct rings *r, uint64_t id, uint64_t cookie);

#endif
