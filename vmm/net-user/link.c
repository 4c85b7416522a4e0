// SPDX-License-Identifier: GPL-2.0-only
/*
 * The socket to the VMM.  A guest that takes frames slowly fills it; what
 * comes then is queued, as the stack recovers from a lost frame only after
 * seconds, and the stack's sources are held back until the queue is short.
 */
#include "vmm/net-user/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "virtio/net_wire.h"

#define BATCH	  64	       /* frames before the stack gets its turn */
#define CONGESTED (256u << 10) /* bytes */
#define QUEUE_MAX (4u << 20)   /* bytes */

struct frame {
	struct frame *next;
	size_t len;
	uint8_t data[];
};

static struct frame *first, **last = &first;
static size_t queued;

bool link_receive(void (*fn)(const uint8_t *frame, size_t len))
{
	static uint8_t buf[NET_WIRE_FRAME];
	ssize_t n;

	for (int i = 0; i < BATCH; i++) {
		n = recv(NET_WIRE_FD, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (!n)
			return false;
		fn(buf, (size_t)n);
	}
	return true;
}

static bool send_now(const void *frame, size_t len)
{
	ssize_t n = send(NET_WIRE_FD, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n >= 0 || errno != EAGAIN;
}

void link_send(const void *frame, size_t len)
{
	struct frame *f;

	if (!first && send_now(frame, len))
		return;
	if (queued + len > QUEUE_MAX)
		return;
	f = malloc(sizeof(*f) + len);
	if (!f)
		return;
	f->next = NULL;
	f->len = len;
	memcpy(f->data, frame, len);
	*last = f;
	last = &f->next;
	queued += len;
}

void link_flush(void)
{
	struct frame *f;

	while ((f = first) && send_now(f->data, f->len)) {
		first = f->next;
		queued -= f->len;
		free(f);
	}
	if (!first)
		last = &first;
}

bool link_pending(void)
{
	return first;
}

bool link_congested(void)
{
	return queued >= CONGESTED;
}
