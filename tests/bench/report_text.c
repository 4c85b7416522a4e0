// SPDX-License-Identifier: GPL-2.0-only
/* Results as a text table for a terminal, and as Markdown. */
#include "tests/bench/report.h"

#include <stdlib.h>
#include <string.h>

#define CELL 64

/* "1.23 (2.0x)": the figure, and how many times better ours is. */
static void cell(const struct line *line, size_t i, char *buf)
{
	double ratio = line_ratio(line, i);
	char value[32], mark[32] = "";
	const char *other = line->other_kernel[i] ? "*" : "";

	if (!line->of[i]) {
		strcpy(buf, "-");
		return;
	}
	number_text(line->of[i]->value, value, sizeof(value));
	if (i && ratio > 0)
		snprintf(mark, sizeof(mark), " %s%.2fx",
			 ratio < RATIO_LOSS ? "LOSS " : "", ratio);
	snprintf(buf, CELL, "%s%s%s", value, other, mark);
}

static bool has_other_kernel(const struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t c = 0; c < l->nr_cases; c++)
			if (l->v[i].other_kernel[c])
				return true;
	return false;
}

static const char *const notes[] = {
	"Nx: how many times better hotline is than that peer; LOSS: it is worse.",
	"*: that peer with the common kernel, for it cannot boot the PV kernel.",
};

static void text_mode(const struct mode_text *mode, FILE *out)
{
	fprintf(out, "\n== %s\n", mode->title);
}

static void text_head(const struct lines *l, const char *bench, FILE *out)
{
	fprintf(out, "\n%-63s", bench);
	for (size_t c = 0; c < l->nr_cases; c++)
		fprintf(out, c ? "  %20s" : " %10s", l->cases[c]);
	fputc('\n', out);
}

static void text_line(const struct lines *l, size_t i, FILE *out)
{
	const struct line *line = &l->v[i];
	char buf[CELL];

	fprintf(out, "%-42s %-20s", line->first->metric, line->first->unit);
	for (size_t c = 0; c < l->nr_cases; c++) {
		cell(line, c, buf);
		fprintf(out, c ? "  %20s" : " %10s", buf);
	}
	fputc('\n', out);
}

static const struct form text = {
	.mode = text_mode,
	.bench = text_head,
	.line = text_line,
};

#define PAIRS "Cost of one operation, by how many go together"

static void text_pair(const struct curve_pair *pair, FILE *out)
{
	char icount[32], wall[32];

	if (!pair->nr)
		fprintf(out, "\n== " PAIRS "\n\n%-63s %10s %10s\n",
			pair->icount->bench, "icount", "wall");
	number_text(pair->icount->value, icount, sizeof(icount));
	number_text(pair->wall->value, wall, sizeof(wall));
	fprintf(out, "%-42s %-20s %10s %10s\n", pair->icount->metric,
		pair->icount->unit, icount, wall);
}

void report_text(const struct lines *l, FILE *out)
{
	lines_print(l, &text, out);
	curve_pairs(l, text_pair, out);
	fprintf(out, "\n%s\n", notes[0]);
	if (has_other_kernel(l))
		fprintf(out, "%s\n", notes[1]);
}

static void markdown_env(void *ctx, const char *key, const char *value)
{
	fprintf(ctx, "| %s | %s |\n", key, value);
}

static void markdown_head(const struct lines *l, const char *bench, FILE *out)
{
	fprintf(out, "\n| %s | unit |", bench);
	for (size_t c = 0; c < l->nr_cases; c++)
		fprintf(out, " %s |", l->cases[c]);
	fprintf(out, "\n|---|---|");
	for (size_t c = 0; c < l->nr_cases; c++)
		fprintf(out, "--:|");
	fputc('\n', out);
}

static void markdown_line(const struct lines *l, size_t i, FILE *out)
{
	const struct line *line = &l->v[i];
	char buf[CELL];

	fprintf(out, "| %s | %s |", line->first->metric, line->first->unit);
	for (size_t c = 0; c < l->nr_cases; c++) {
		char *star;

		cell(line, c, buf);
		star = strchr(buf, '*');
		if (star)
			fprintf(out, " %.*s\\*%s |", (int)(star - buf), buf,
				star + 1);
		else
			fprintf(out, " %s |", buf);
	}
	fputc('\n', out);
}

static void markdown_mode(const struct mode_text *mode, FILE *out)
{
	fprintf(out, "\n### %s\n\n%s\n", mode->title, mode->meaning);
}

static const struct form markdown = {
	.mode = markdown_mode,
	.bench = markdown_head,
	.line = markdown_line,
};

static void markdown_pair(const struct curve_pair *pair, FILE *out)
{
	char icount[32], wall[32];

	if (!pair->nr)
		fprintf(out,
			"\n### " PAIRS "\n\n"
			"| %s | unit | icount | wall |\n|---|---|--:|--:|\n",
			pair->icount->bench);
	number_text(pair->icount->value, icount, sizeof(icount));
	number_text(pair->wall->value, wall, sizeof(wall));
	fprintf(out, "| %s | %s | %s | %s |\n", pair->icount->metric,
		pair->icount->unit, icount, wall);
}

void report_markdown(const struct lines *l, const struct env *env, FILE *out)
{
	fprintf(out, "| measured with | |\n|---|---|\n");
	env_each(env, markdown_env, out);
	lines_print(l, &markdown, out);
	curve_pairs(l, markdown_pair, out);
	fprintf(out, "\n%s", notes[0]);
	if (has_other_kernel(l))
		fprintf(out, " \\%s", notes[1]);
	fputc('\n', out);
}
