/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user's pause: the vCPUs stand still until the user resumes them.  Devices
 * finish what they were asked, and time goes on: the guest's clocks are the
 * host's, and one that stood still would be wrong afterwards.  I/O thread.
 */
#ifndef BACKEND_PAUSE_H
#define BACKEND_PAUSE_H

#include <stdint.h>

struct clock;
struct pause;
struct vm;

/* clock: who is told of the time that was missed, or NULL.  NULL with errno. */
struct pause *pause_new(struct vm *vm, struct clock *clock);
/* After the vCPUs have ended.  NULL is fine. */
void pause_free(struct pause *pause);

/*
 * Both return at once; to do it twice is the same as once.  vm_state() says
 * when the last vCPU stands still.
 */
void pause_begin(struct pause *pause);
void pause_end(struct pause *pause);

/* When the guest could last run: CLOCK_MONOTONIC, ns; now while it can't. */
uint64_t pause_last_ns(const struct pause *pause);

#endif
