/* SPDX-License-Identifier: GPL-2.0-only */
/* The socket to the VMM: one Ethernet frame per message. */
#ifndef NET_USER_LINK_H
#define NET_USER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls fn for each frame that has come in, up to a batch; false at the end. */
bool link_receive(void (*fn)(const uint8_t *frame, size_t len));

/* Sends a frame, or queues it, or drops it if the queue is full, too. */
void link_send(const void *frame, size_t len);

/* Sends what is queued, as far as that goes. */
void link_flush(void);

/* Frames are queued: wait until the socket takes more. */
bool link_pending(void);

/* Enough are queued: fetch no more data for the guest. */
bool link_congested(void);

#endif
