/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounded buffer of console input between the I/O thread, which puts bytes in,
 * and the device that takes them, on any thread.
 */
#ifndef BACKEND_INRING_H
#define BACKEND_INRING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INRING_SIZE 4096 /* bytes, a power of two */

struct inring {
	bool stream;	      /* escaped: include/hotline/platform.h */
	pthread_mutex_t lock; /* the rest */
	uint8_t byte[INRING_SIZE];
	uint32_t head, tail; /* bytes ever put in and taken out */
	bool full;	     /* putting waits for room */
	bool held;	     /* taking waits for inring_release() */
};

void inring_init(struct inring *r);
void inring_exit(struct inring *r);

/* What is put in is a command's input and is kept until inring_release(). */
void inring_hold(struct inring *r);
void inring_release(struct inring *r);

/* Bytes that fit for certain; 0 is remembered for inring_get(). */
size_t inring_room(struct inring *r);
void inring_put(struct inring *r, uint8_t byte);
void inring_put_end(struct inring *r);

bool inring_has(struct inring *r);
/* Bytes taken; *wake: there is room again for who waits for it. */
size_t inring_get(struct inring *r, void *buf, size_t len, bool *wake);

#endif
