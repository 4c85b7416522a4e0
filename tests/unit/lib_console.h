/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A console with pipes (or a terminal) at the host's end, and a client that
 * collects its input.
 */
#ifndef UNIT_LIB_CONSOLE_H
#define UNIT_LIB_CONSOLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/backend/console.h"
#include "vmm/core/vm.h"

struct con_bed {
	struct vm vm;
	struct console *con;
	pthread_t loop;
	bool looping;
	int in[2], out[2]; /* pipes; [0] is the reading end */
};

struct con_got {
	struct console_client client;
	atomic_bool takes; /* or leaves it where it is */
	atomic_uint calls, resizes;
	pthread_mutex_t lock;
	size_t len;
	char buf[64 * 1024];
};

extern struct con_bed cb;
extern struct con_got got;

/* Fixture; the loop is not running. */
void con_setup(void);
void con_teardown(void);
void con_start_loop(void);
void con_stop_loop(void);
/* With the client attached and the loop running. */
void con_open(int from, int to);
void con_close(void);

void ms_sleep(long ms);
/* Until the client has this and no more. */
void con_expect_input(const char *want, size_t len);
/* Reads len bytes from fd, waiting 3 s for each piece; what came. */
size_t con_read_all(int fd, char *buf, size_t len);
void con_expect_output(int fd, const char *want);
/* Is there nothing to read? */
bool con_silent(int fd);

/* A long text: its byte i, and threads that print and expect n bytes of it. */
char con_byte_at(size_t i);
void *con_write_much(void *n);
void con_check_much(int fd, size_t n);
/* Starts late, from the output pipe. */
void *con_read_later(void *n);

/* 80 x 24, not our controlling terminal; returns its other side. */
int con_open_pty(int *terminal);

#endif
