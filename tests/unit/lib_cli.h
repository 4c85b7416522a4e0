/* SPDX-License-Identifier: GPL-2.0-only */
/* Parsing a command line and catching what is said about it. */
#ifndef LIB_CLI_H
#define LIB_CLI_H

#include "vmm/run_config.h"

extern struct run_config cfg; /* of the last parse() */
extern char said[4096];	      /* on stderr or stdout during the last call */

/* Sends fd to a memfd; returns what it was, for release(), which fills said. */
int capture(int fd);
void release(int fd, int old);

/*
 * `hotline run LINE`, cut at spaces ("_" stands for a space in an argument),
 * into cfg.
 */
int parse(const char *line);
/* Must succeed and say nothing. */
void good(const char *line);

/* A fixture: the environment names a kernel and an initrd. */
void cli_setup(void);
void cli_teardown(void);

#endif
