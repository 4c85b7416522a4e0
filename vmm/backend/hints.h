/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which vCPUs have to share their host processors at present, and the guest's
 * page (include/hotline/yield.h) that says what follows from it.
 */
#ifndef BACKEND_HINTS_H
#define BACKEND_HINTS_H

#include <stdbool.h>
#include <stdint.h>

struct hints;
struct hl_yield_hints;
struct vm;

/* What the machine does about yields. */
struct hints_policy {
	bool calls; /* HL_YIELD_CALL is of use */
	/* KVM's way is of use, to who has to share his processor. */
	bool kvm;
};

/* Before the vCPUs start.  NULL with errno set. */
struct hints *hints_new(struct vm *vm, const struct hints_policy *policy);
/* After they have ended.  NULL is fine. */
void hints_free(struct hints *h);

/* From now on there, in guest memory; NULL: nowhere.  Any thread. */
void hints_set_page(struct hints *h, struct hl_yield_hints *page);

/* Somebody yields, at the time now_ns: what follows is looked at.  Any thread. */
void hints_note(struct hints *h, uint64_t now_ns);

/* Has this vCPU had to wait for its processor of late?  Any thread. */
bool hints_shares(const struct hints *h, unsigned int id);

/*
 * Processors that the host has online, a second ago at most as long as there
 * are yields; 0: not known yet.  Any thread.
 */
int hints_online(const struct hints *h);

/* HL_YIELD_*: any: some vCPU has to share; mine: that one has. */
uint8_t hints_way(const struct hints_policy *policy, bool any, bool mine);

#endif
