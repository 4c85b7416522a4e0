/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters for people: KVM's binary statistics (linux/kvm.h, KVM_GET_STATS_FD;
 * no root needed) beside our own.  Reading does not disturb vCPUs.
 */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct vm;

/*
 * Value of a KVM statistic by name ("exits", "halt_exits", ...) from a stats
 * descriptor.  0, -ENOENT if the host has none of that name, or -errno.
 */
int stats_read(int fd, const char *name, uint64_t *value);

/*
 * Where its value is, 8 bytes for pread(), in such a descriptor of any vCPU, or
 * -1.  As above.
 */
int stats_place(int fd, const char *name, off_t *at);

/* Calls fn for every scalar statistic of the descriptor.  0 or -errno. */
int stats_each(int fd, void (*fn)(void *ctx, const char *name, uint64_t value),
	       void *ctx);

/*
 * Statistics that somebody else keeps, printed behind ours; in the keeper's
 * memory until the VM's end.  want_times() switches on what costs the guest
 * time, and off; it may be NULL.
 */
struct stats_part {
	const char *name;		    /* JSON key */
	void (*json)(void *ctx, FILE *out); /* its value */
	void (*text)(void *ctx, FILE *out); /* lines */
	void (*want_times)(void *ctx, bool on);
	void *ctx;
	struct stats_part *next; /* stats_add()'s */
};

/* Before the loop runs. */
void stats_add(struct vm *vm, struct stats_part *part);
/* I/O thread. */
void stats_want_times(struct vm *vm, bool on);

/* The whole VM as one JSON object (one line), or as an aligned text table. */
void stats_print_json(struct vm *vm, FILE *out);
void stats_print_text(struct vm *vm, FILE *out);

#endif
