/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SIGINT, SIGTERM and SIGHUP end the machine with EXIT_STOPPED; a second one
 * ends the process.  SIGPIPE is ignored: output reports EPIPE instead.
 */
#ifndef BACKEND_SIGNALS_H
#define BACKEND_SIGNALS_H

struct signals;
struct vm;

/*
 * Call on the main thread before any other thread exists (all must inherit
 * its mask) and before vm->loop runs.  restore (or NULL) puts the terminal
 * back; it runs in a signal handler.  NULL with errno set.
 */
struct signals *signals_new(struct vm *vm, void (*restore)(void));
/* After the loop has ended; puts dispositions and mask back.  NULL is fine. */
void signals_free(struct signals *sig);

#endif
