/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's end of the guest's console: standard input and output, a
 * terminal or anything else.  Devices (virtio console, 16550) sit on top.
 *
 * Input is read on the I/O thread into a bounded ring, from where the device
 * takes it when it can; a full ring stops the reading.  From a terminal the
 * reading goes on, for the sake of Ctrl-a x, and what does not fit is lost.
 */
#ifndef BACKEND_CONSOLE_H
#define BACKEND_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct console;
struct vm;

/* The device that gets the input.  Both are called on the I/O thread. */
struct console_client {
	/* console_read() has something. */
	void (*input)(struct console_client *client);
	/* console_size() has changed; may be NULL. */
	void (*resized)(struct console_client *client);
};

/*
 * On descriptors that stay the caller's, with their flags as they are; in < 0
 * is no input.  On vm->loop, before it runs.  NULL with errno set.
 */
struct console *console_new(struct vm *vm, int in, int out);

/*
 * The input is for a command: it comes escaped, as platform.h says of
 * HL_INPUT_PORT, and is kept until console_release(), which is for any thread.
 * Before console_start().
 */
void console_hold(struct console *con);
void console_release(struct console *con);

/*
 * When the machine is complete: the terminal goes raw, reading begins.  0 or
 * -errno.
 */
int console_start(struct console *con);

/*
 * After the loop has ended and signals have their normal effect again.  Puts
 * the terminal back and writes what is left, which takes as long as the
 * reader does unless the machine was stopped from outside.  NULL is fine.
 */
void console_free(struct console *con);

/* Puts the terminal back.  For signal handlers, too. */
void console_restore(void);

/* Who gets the input; the last one wins.  While the loop does not run. */
void console_attach(struct console *con, struct console_client *client);
/* Ends that, if it is client's turn. */
void console_detach(struct console *con, struct console_client *client);

/*
 * Takes input: bytes stored, 0 if there is none now.  Only for the attached
 * device, any thread.
 */
size_t console_read(struct console *con, void *buf, size_t len);
bool console_has_input(struct console *con);
/* Have client->input() called, if there is input.  Any thread. */
void console_input_ready(struct console *con);

/*
 * Prints; any thread but the I/O thread, which must not wait for a slow
 * reader, as this does.  Within a few milliseconds of output the reader has
 * it, a line at once.  Once the machine ends it returns without waiting.
 */
void console_write(struct console *con, const void *buf, size_t len);

/* CLOCK_MONOTONIC ns (coarse) of the last console_write(); 0 = none yet. */
uint64_t console_last_output_ns(const struct console *con);

/* False if there is no terminal, or it does not know. */
bool console_size(const struct console *con, uint16_t *cols, uint16_t *rows);

#endif
