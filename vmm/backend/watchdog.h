/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ends a machine whose console was silent for too long, after saying where
 * each vCPU was.  Runs on the I/O loop.
 */
#ifndef BACKEND_WATCHDOG_H
#define BACKEND_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm;
struct watchdog;

struct watchdog_options {
	unsigned int seconds; /* > 0 */
	/* CLOCK_MONOTONIC ns of the last output; 0 = none yet. */
	uint64_t (*last_output_ns)(void *ctx);
	void *ctx;
	/* vmm/boot's symbol_lookup() and the file for it; either may be NULL. */
	bool (*symbol)(const char *elf, uint64_t addr, char *buf, size_t len);
	const char *elf;
};

/* On vm->loop, before it runs.  NULL with errno set. */
struct watchdog *watchdog_new(struct vm *vm,
			      const struct watchdog_options *opt);
/* After the loop has ended.  NULL is fine. */
void watchdog_free(struct watchdog *dog);

#endif
