// SPDX-License-Identifier: GPL-2.0-only
/* Switches what costs the guest time. */
#include "vmm/backend/wants.h"

#include "vmm/core/exits.h"
#include "vmm/core/stats.h"

static void (*const turn[WANTS])(struct vm *vm, bool on) = {
	[WANT_TIMES] = stats_want_times,
	[WANT_EXITS] = exits_watch,
};

void wants_add(struct wants *w, bool mine[WANTS], enum want what)
{
	if (what == WANT_NOTHING || mine[what])
		return;
	mine[what] = true;
	if (!w->clients[what]++)
		turn[what](w->vm, true);
}

void wants_drop(struct wants *w, bool mine[WANTS])
{
	for (unsigned int i = 0; i < WANTS; i++) {
		if (!mine[i])
			continue;
		mine[i] = false;
		if (!--w->clients[i])
			turn[i](w->vm, false);
	}
}
