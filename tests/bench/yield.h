/* SPDX-License-Identifier: GPL-2.0-only */
/* What is done to locks in guests with less than a processor each. */
#ifndef BENCH_YIELD_H
#define BENCH_YIELD_H

#include <stddef.h>

enum yield_kind {
	YIELD_CONTEND, /* the guest kernel's locks */
	YIELD_STORM,   /* one address space */
	YIELD_LOAD,    /* a program that says what it took */
};

struct yield_op {
	const char *metric;
	enum yield_kind kind;
	const char *what; /* kind of lock, or program */
	double inside_us; /* of work with the lock held, and as much without */
	unsigned int ms;  /* how long; not for programs */
};

/* More than what ends by itself takes; of programs nobody knows. */
#define YIELD_LIMIT_NS 60000000000

/* The guest's threads are as many as its processors. */
struct yield_load {
	unsigned int hogs;	    /* held to our processors in turn */
	const struct yield_op *ops; /* up to one without metric */
};

/* table_yield.c */
extern const struct yield_load yield_alone, yield_programs, yield_beside_hogs,
	yield_one_hog, yield_three_hogs, yield_convoy;

#endif
