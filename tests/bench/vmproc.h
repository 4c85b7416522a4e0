/* SPDX-License-Identifier: GPL-2.0-only */
/* A VMM as a child process: its console by lines, its time, its end. */
#ifndef BENCH_VMPROC_H
#define BENCH_VMPROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define VMPROC_BUF 65536

struct vmproc {
	pid_t pid;
	int pidfd;
	int in, out;	   /* its stdin and stdout, our ends */
	uint64_t started;  /* ns, just before it was executed */
	uint64_t received; /* bytes of its stdout so far */
	size_t from, to;   /* what of buf was not yet given out */
	char buf[VMPROC_BUF];
};

uint64_t now_ns(void);

/*
 * Executes argv, with the library preload (or NULL) in it and stderr going to
 * the file errors.  0 or -errno.
 */
int vmproc_start(struct vmproc *p, char *const argv[], const char *preload,
		 const char *errors);
void vmproc_stop(struct vmproc *p);

/*
 * The next line of its console without its end, cut to what fits; a line
 * longer than our buffer comes in pieces.  0, -ETIMEDOUT, or -EPIPE: the VMM
 * ended.
 */
int vmproc_line(struct vmproc *p, char *line, size_t size, uint64_t deadline);
/* Waits for a line that begins with start, which then is in line. */
int vmproc_expect(struct vmproc *p, const char *start, char *line, size_t size,
		  uint64_t deadline);
int vmproc_say(struct vmproc *p, const char *line);

#endif
