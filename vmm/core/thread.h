/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that work for the others. */
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include <pthread.h>

/*
 * Starts fn(arg) with a small stack and deaf to signals, which are for the main
 * thread; on the caller's processors, or that one's if the caller is a vCPU's
 * thread, which may be on its way between two (vmm/backend/yield.c).  0 or
 * -errno; pthread_join() is the caller's.
 */
int thread_start(pthread_t *thread, void *(*fn)(void *arg), void *arg);

#endif
