/* SPDX-License-Identifier: GPL-2.0-only */
/* The results of a benchmark run, and the forms in which they are shown. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define OURS	  "hotline"
#define CASES_MAX 8
#define TEXT_MAX  96

/* One figure: the median of the runs, and between which its middle half is. */
struct result {
	char bench[TEXT_MAX], vmm[TEXT_MAX], metric[TEXT_MAX], unit[TEXT_MAX];
	char mode[TEXT_MAX];
	double value, spread;
	long long runs;
};

struct results {
	struct result *v; /* in the order in which they were measured */
	size_t n;
};

/* A metric with the figure of each case; NULL where there is none. */
struct line {
	const struct result *first; /* names it */
	const struct result *of[CASES_MAX];
	/* of[i] was measured with the kernel that all can boot, ours not. */
	bool other_kernel[CASES_MAX];
};

struct lines {
	struct line *v;
	size_t n;
	const char *cases[CASES_MAX]; /* ours is the first */
	size_t nr_cases;
};

/* Reads the runner's samples; adds medians.  0 or -1. */
int results_from_samples(struct results *r, FILE *in);
/* Reads NAME.json files; writes one.  0 or -1. */
int results_load(struct results *r, const char *path);
int results_write(const struct results *r, FILE *out);
void results_free(struct results *r);

int lines_make(struct lines *l, const struct results *r);
void lines_free(struct lines *l);

bool unit_more_is_better(const char *unit);
/* How many times better ours is than case i; 0 when it cannot be said. */
double line_ratio(const struct line *line, size_t i);
/* Below this, ours loses; between it and 1 / it, they are equal. */
#define RATIO_LOSS 0.98

/* The modes in the order in which they are shown, each with what it means. */
struct mode_text {
	const char *mode, *title, *meaning;
};
extern const struct mode_text mode_texts[];
extern const size_t mode_texts_count;

/*
 * A form of the report: what to print at a mode's and a bench's beginning, for
 * each line, and behind a bench's last (or NULL).
 */
struct form {
	void (*mode)(const struct mode_text *mode, FILE *out);
	void (*bench)(const struct lines *l, const char *bench, FILE *out);
	void (*line)(const struct lines *l, size_t i, FILE *out);
	void (*bench_end)(FILE *out);
};
/* All modes that have lines. */
void lines_print(const struct lines *l, const struct form *form, FILE *out);

/* Three digits or more, as people write numbers. */
const char *number_text(double value, char *buf, size_t size);

/* What was measured where and with what: names and values. */
struct env;
struct env *env_load(const char *path);
void env_free(struct env *env);
/* Calls fn with each pair. */
void env_each(const struct env *env,
	      void (*fn)(void *ctx, const char *key, const char *value),
	      void *ctx);

/* Whether r belongs to the curves of its bench and unit. */
bool curve_has(const struct result *r);
/* Whether line i is the first of these, in whose place they are all drawn. */
bool curve_is_first(const struct lines *l, size_t i);
void curve_draw(const struct lines *l, const struct result *like, FILE *out);

/* A point that was measured both ways; nr counts from 0. */
struct curve_pair {
	const struct result *icount, *wall;
	unsigned int nr;
};
void curve_pairs(const struct lines *l,
		 void (*fn)(const struct curve_pair *pair, FILE *out),
		 FILE *out);

/* Draws what the runner prints with --convoy; in is a file.  0 or -1. */
int report_timeline(FILE *in, FILE *out);

void report_text(const struct lines *l, FILE *out);
void report_markdown(const struct lines *l, const struct env *env, FILE *out);
void report_html(const struct lines *l, const struct env *env, FILE *out);

#endif
