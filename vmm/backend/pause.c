// SPDX-License-Identifier: GPL-2.0-only
/* The user's pause: one holder of the vCPUs among others. */
#include "vmm/backend/pause.h"

#include <stdbool.h>
#include <stdlib.h>

#include "vmm/backend/clock.h"
#include "vmm/core/clock.h"
#include "vmm/core/hold.h"
#include "vmm/core/log.h"

struct pause {
	struct vm *vm;
	struct clock *clock;
	bool on;
	uint64_t resumed_ns; /* 0: never */
};

struct pause *pause_new(struct vm *vm, struct clock *clock)
{
	struct pause *pause = calloc(1, sizeof(*pause));

	if (!pause)
		return NULL;
	pause->vm = vm;
	pause->clock = clock;
	return pause;
}

void pause_free(struct pause *pause)
{
	free(pause);
}

void pause_begin(struct pause *pause)
{
	if (pause->on)
		return;
	pause->on = true;
	info("paused by `hotline pause`");
	hold_begin(pause->vm);
}

void pause_end(struct pause *pause)
{
	if (!pause->on)
		return;
	pause->on = false;
	pause->resumed_ns = clock_ns();
	info("resumed by `hotline resume`");
	/* Before the guest runs, so that it does not miss it. */
	clock_disrupted(pause->clock);
	hold_end(pause->vm);
}

uint64_t pause_last_ns(const struct pause *pause)
{
	return pause->on ? clock_ns() : pause->resumed_ns;
}
