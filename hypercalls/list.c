// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists.  The guest may build any chain and change it at any time: each word
 * is fetched once, and however the pages are linked, a list has no more
 * entries than the call says.
 */
#include "hypercalls/list.h"

#include "hypercalls/call.h"
#include "hypercalls/hypercalls.h"
#include "hypercalls/table.h"
#include "vmm/core/vm.h"

struct head { /* of struct hl_list_page */
	uint64_t next, zero;
};

struct walk {
	const struct mem *mem;
	struct hl_list_page *page; /* guest memory */
	uint64_t next;
	uint32_t at; /* index of the page's first entry */
};

static int64_t enter(struct walk *w, uint64_t addr)
{
	struct head head;

	if (addr % sizeof(*w->page))
		return HL_EFAULT;
	w->page = mem_ptr(w->mem, gpa(addr), sizeof(*w->page));
	if (!w->page)
		return HL_EFAULT;
	mem_take(&head, w->page, sizeof(head));
	if (head.zero)
		return HL_EINVAL;
	w->next = head.next;
	return 0;
}

/* To the page of entry i, which is not before the page it is on. */
static int64_t seek(struct walk *w, uint32_t i)
{
	int64_t status = 0;

	while (!status && i - w->at >= HL_LIST_ENTRIES) {
		w->at += HL_LIST_ENTRIES;
		status = enter(w, w->next);
	}
	return status;
}

/* As many entries as may be done at once, from c->done on. */
static int64_t do_batch(struct hypercalls *hc, const struct call_row *row,
			struct hl_call *c, struct walk *w)
{
	struct hl_list_entry e[CALL_BATCH_MAX], *guest;
	uint32_t i = c->done - w->at, nr = HL_LIST_ENTRIES - i;
	uint64_t left = c->arg[1] - c->done;
	int64_t status = 0;
	unsigned int done;

	if (nr > row->batch)
		nr = row->batch;
	if (nr > left)
		nr = (uint32_t)left;
	guest = &w->page->entry[i];
	mem_take(e, guest, nr * sizeof(e[0]));
	done = row->list(hc, c, e, nr, &status);
	if (row->kind == CALL_LIST_INOUT)
		memcpy(guest, e, done * sizeof(e[0]));
	c->done += done;
	return status;
}

int64_t list_run(struct hypercalls *hc, const struct call_row *row,
		 struct hl_call *c, const struct call_time *time)
{
	struct walk w = { .mem = &hc->vm->mem };
	uint64_t nr = c->arg[1];
	int64_t status;

	if (nr > row->max || c->done > nr)
		return HL_EINVAL;
	if (c->done == nr)
		return (int64_t)nr;
	status = enter(&w, c->arg[0]);
	while (!status) {
		status = seek(&w, c->done);
		if (!status)
			status = do_batch(hc, row, c, &w);
		if (status || c->done == nr)
			break;
		if (call_time_over(hc, time))
			return HL_NOT_RUN;
	}
	return status ? status : (int64_t)nr;
}
