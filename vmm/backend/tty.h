/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal's modes.  One terminal per process; I/O or main thread. */
#ifndef BACKEND_TTY_H
#define BACKEND_TTY_H

#include <stdbool.h>
#include <stdint.h>

/* May we read it and change its modes without being stopped for it? */
bool tty_foreground(int fd);
/*
 * Passes everything through untouched, both ways.  Again does no harm.
 * tty_restore() then runs in die() and when the process crashes, too.
 * 0 or -errno.
 */
int tty_raw(int fd);
/* Back to what was before tty_raw(), if it is ours to change.  Signal-safe. */
void tty_restore(void);
/*
 * SIGWINCH and SIGCONT write to this eventfd; < 0 ends that.  The functions
 * below are then true once for each.
 */
void tty_signals(int eventfd);
bool tty_resized(void);
bool tty_continued(void);
/* False if fd is no terminal or does not know. */
bool tty_size(int fd, uint16_t *cols, uint16_t *rows);

#endif
