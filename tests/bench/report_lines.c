// SPDX-License-Identifier: GPL-2.0-only
/* Results side by side: a line per metric, ours and the peers' figures. */
#include "tests/bench/report.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What table.c adds to metrics of the kernel that only ours boots. */
#define OWN_KERNEL ", PV kernel"

const struct mode_text mode_texts[] = {
	{ "icount", "Instructions",
	  "One nanosecond is one instruction of host and guest together, on one"
	  " emulated processor; world switches, TLBs and caches cost nothing"
	  " there. Repeatable to about 0.5 %." },
	{ "wall", "Wall time",
	  "Real time in the emulated machine with two processors, the VMMs taking"
	  " turns run by run." },
	{ "count", "Counts",
	  "Events and bytes, counted in the deterministic mode." },
};
const size_t mode_texts_count = sizeof(mode_texts) / sizeof(mode_texts[0]);

bool unit_more_is_better(const char *unit)
{
	static const char *const more[] = { "MiB/s", "taken/s", "done/s",
					    "hog rounds/s", "least/most" };

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (!strcmp(unit, more[i]))
			return true;
	return false;
}

double line_ratio(const struct line *line, size_t i)
{
	const struct result *ours = line->of[0], *peer = line->of[i];

	if (!ours || !peer || ours->value <= 0 || peer->value <= 0)
		return 0;
	return unit_more_is_better(ours->unit) ? ours->value / peer->value
					       : peer->value / ours->value;
}

const char *number_text(double value, char *buf, size_t size)
{
	int digits = value == 0 ? 0 : 2 - (int)floor(log10(fabs(value)));

	snprintf(buf, size, "%.*f",
		 digits < 0   ? 0
		 : digits > 6 ? 6
			      : digits,
		 value);
	return buf;
}

static bool same_line(const struct result *a, const struct result *b)
{
	return !strcmp(a->bench, b->bench) && !strcmp(a->metric, b->metric) &&
	       !strcmp(a->unit, b->unit) && !strcmp(a->mode, b->mode);
}

static int case_index(struct lines *l, const char *vmm)
{
	for (size_t i = 0; i < l->nr_cases; i++)
		if (!strcmp(l->cases[i], vmm))
			return (int)i;
	if (l->nr_cases == CASES_MAX)
		return -1;
	l->cases[l->nr_cases] = vmm;
	return (int)l->nr_cases++;
}

/* Beside our own kernel stand the peers with the kernel that they can boot. */
static void borrow_peers(struct lines *l, struct line *line)
{
	struct result plain = *line->first;
	char *end = strstr(plain.metric, OWN_KERNEL);

	if (!end)
		return;
	*end = '\0';
	for (size_t i = 0; i < l->n; i++) {
		if (!same_line(l->v[i].first, &plain))
			continue;
		for (size_t c = 1; c < l->nr_cases; c++) {
			if (line->of[c])
				continue;
			line->of[c] = l->v[i].of[c];
			line->other_kernel[c] = line->of[c] != NULL;
		}
	}
}

static struct line *line_of(struct lines *l, const struct result *r)
{
	for (size_t i = 0; i < l->n; i++)
		if (same_line(l->v[i].first, r))
			return &l->v[i];
	l->v[l->n] = (struct line){ .first = r };
	return &l->v[l->n++];
}

int lines_make(struct lines *l, const struct results *r)
{
	*l = (struct lines){ 0 };
	l->v = calloc(r->n + 1, sizeof(*l->v));
	if (!l->v)
		return -1;
	case_index(l, OURS);
	for (size_t i = 0; i < r->n; i++) {
		int c = case_index(l, r->v[i].vmm);

		if (c < 0)
			return -1;
		line_of(l, &r->v[i])->of[c] = &r->v[i];
	}
	for (size_t i = 0; i < l->n; i++)
		borrow_peers(l, &l->v[i]);
	return 0;
}

void lines_free(struct lines *l)
{
	free(l->v);
	*l = (struct lines){ 0 };
}

static void print_mode(const struct lines *l, const struct mode_text *mode,
		       const struct form *form, FILE *out)
{
	const char *bench = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct result *r = l->v[i].first;

		if (strcmp(r->mode, mode->mode))
			continue;
		if (!bench)
			form->mode(mode, out);
		if (!bench || strcmp(bench, r->bench)) {
			if (bench && form->bench_end)
				form->bench_end(out);
			bench = r->bench;
			form->bench(l, bench, out);
		}
		form->line(l, i, out);
	}
	if (bench && form->bench_end)
		form->bench_end(out);
}

void lines_print(const struct lines *l, const struct form *form, FILE *out)
{
	for (size_t m = 0; m < mode_texts_count; m++)
		print_mode(l, &mode_texts[m], form, out);
}

/* --- what was measured where --- */

struct env {
	json_t *json;
};

struct env *env_load(const char *path)
{
	struct env *env = calloc(1, sizeof(*env));
	json_error_t why;

	if (!env)
		return NULL;
	env->json = json_load_file(path, 0, &why);
	if (json_is_object(env->json))
		return env;
	fprintf(stderr, "report: %s: %s\n", path, why.text);
	env_free(env);
	return NULL;
}

void env_free(struct env *env)
{
	if (env)
		json_decref(env->json);
	free(env);
}

void env_each(const struct env *env,
	      void (*fn)(void *ctx, const char *key, const char *value),
	      void *ctx)
{
	const char *key;
	json_t *value;

	json_object_foreach(env->json, key, value) if (json_is_string(value))
		fn(ctx, key, json_string_value(value));
}
