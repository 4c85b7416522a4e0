/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What relay.c (host) and agent.c (L1) say to each other over one
 * virtio-serial port: frames of a 4-byte header and up to FRAME_MAX bytes.
 * Both ends are ours and little-endian; a frame that makes no sense ends the
 * run.  One stream keeps the order: FRAME_EXIT comes after all the output.
 */
#ifndef BED_FRAME_H
#define BED_FRAME_H

#include <stdint.h>

#define FRAME_MAX 4092 /* + header = one guest page */

enum frame_type {
	FRAME_HELLO = 1, /* L1 is up: no payload */
	FRAME_GO,	 /* start CMD; struct frame_size */
	FRAME_SIZE,	 /* terminal resized; struct frame_size */
	FRAME_IN,	 /* stdin; no payload = end of file */
	FRAME_OUT,	 /* stdout */
	FRAME_ERR,	 /* stderr */
	FRAME_EXIT,	 /* CMD ended: its exit code, __u32 */
};

struct frame_head {
	uint8_t type;
	uint8_t zero;
	uint16_t len; /* payload bytes */
};

struct frame_size {
	uint16_t rows, cols; /* 0, 0: no terminal */
};

struct frame {
	struct frame_head head;
	uint8_t data[FRAME_MAX];
};

_Static_assert(sizeof(struct frame_head) == 4, "frame head");
_Static_assert(sizeof(struct frame) == 4096, "frame");

#endif
