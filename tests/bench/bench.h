/* SPDX-License-Identifier: GPL-2.0-only */
/* What is measured: the rows of table.c, and who does them. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/vmms.h"
#include "tests/bench/yield.h"

enum bench_mode {
	MODE_ICOUNT, /* L1's clock counts instructions */
	MODE_WALL,
	MODE_COUNT, /* events, with statsfd.so in the VMM; its time is void */
	MODE_NR
};

enum bench_unit {
	/* In wall time the median, if the guest knows what each one took. */
	UNIT_US_PER_OP,
	UNIT_MIB_PER_S,
	UNIT_US_PER_BYTE,
	UNIT_US_QUANTILES, /* of what each single one took */
	/* Processor time of VMM and guest, of what sleeps for 50 ms at most. */
	UNIT_CPU_PER_OP,
	UNIT_EXITS_PER_S, /* while the guest does something; n are ms */
};

/* One operation in a running guest. */
struct bench_op {
	const char *metric;
	/* To the guest (guest.c): %s is the server, n comes behind. */
	const char *command;
	enum bench_unit unit;
	uint64_t n[MODE_NR]; /* what one run does; 0: not in this mode */
	const char *tail;    /* behind n */
};

enum bench_kind {
	KIND_BOOT,   /* from exec to the guest's READY */
	KIND_OPS,    /* operations in a guest that is up */
	KIND_MEMORY, /* the VMM's, after each operation was done once */
	KIND_YIELD,  /* locks and loads, with more vCPUs than processors */
	KIND_HOLDER, /* until a lock's holder runs again that was preempted */
	KIND_CONVOY, /* what vCPUs do meanwhile, not a figure: only if asked */
};

/* One machine, and what is measured in it. */
struct bench_row {
	const char *bench;
	enum bench_kind kind;
	const char *variant; /* added to the metrics' names; "" if plain */
	struct vmms_machine machine;
	const struct bench_op *ops; /* up to one without metric; or NULL */
	const struct yield_load *yield;
	/*
	 * In wall time it takes turns with the row before, whose operations are
	 * as many and the like.
	 */
	bool with_last;
};

extern const struct bench_row bench_rows[];
extern const size_t bench_rows_count;
extern const char *const bench_mode_names[MODE_NR];

/* How often; the first run of each is made besides, and thrown away. */
struct bench_options {
	enum bench_mode mode;
	unsigned int runs;
	const char *vmms;   /* only these, with commas; NULL: all */
	const char *metric; /* of yield only this one; NULL: all */
	bool convoy;	    /* rows of KIND_CONVOY, and no others */
};

/* Prints one sample on stdout. */
void bench_sample(const struct bench_row *row, const char *vmm,
		  const char *metric, const char *unit, const char *mode,
		  double value);
/* Prints on stderr why a VMM has no figure. */
void bench_fault(const struct bench_row *row, const char *vmm, const char *what,
		 const char *why);

/* Each does a row with all VMMs: 0, or the number of VMMs that failed. */
unsigned int bench_boot(const struct bench_row *row,
			const struct bench_options *opt);
unsigned int bench_yield(const struct bench_row *row,
			 const struct bench_options *opt);
unsigned int bench_holder(const struct bench_row *row,
			  const struct bench_options *opt);
unsigned int bench_convoy(const struct bench_row *row,
			  const struct bench_options *opt);
unsigned int bench_memory(const struct bench_row *row,
			  const struct bench_options *opt);
/* Rows that take turns, of which this is the first. */
unsigned int bench_ops(const struct bench_row *row, size_t rows,
		       const struct bench_options *opt);

#endif
