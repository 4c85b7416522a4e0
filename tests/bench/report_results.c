// SPDX-License-Identifier: GPL-2.0-only
/* Results: medians of samples, and their JSON form. */
#include "tests/bench/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX 256 /* of one figure */

struct series {
	struct result result;
	double sample[SAMPLES_MAX];
	size_t n;
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of sorted samples, between the two nearest. */
static double quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t i = (size_t)at;

	if (i + 1 >= n)
		return sorted[n - 1];
	return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

static bool same_figure(const struct result *a, const struct result *b)
{
	return !strcmp(a->bench, b->bench) && !strcmp(a->vmm, b->vmm) &&
	       !strcmp(a->metric, b->metric) && !strcmp(a->unit, b->unit) &&
	       !strcmp(a->mode, b->mode);
}

static int add(struct results *r, const struct result *one)
{
	struct result *v = reallocarray(r->v, r->n + 1, sizeof(*v));

	if (!v)
		return -1;
	r->v = v;
	r->v[r->n++] = *one;
	return 0;
}

static int add_series(struct results *r, struct series *s)
{
	qsort(s->sample, s->n, sizeof(s->sample[0]), by_value);
	s->result.value = quantile(s->sample, s->n, 0.5);
	s->result.spread = quantile(s->sample, s->n, 0.75) -
			   quantile(s->sample, s->n, 0.25);
	s->result.runs = (long long)s->n;
	return add(r, &s->result);
}

/* The series that a sample belongs to, or NULL without memory. */
static struct series *find_series(struct series **all, size_t *n,
				  const struct result *key)
{
	struct series *more;

	for (size_t i = 0; i < *n; i++)
		if (same_figure(&(*all)[i].result, key))
			return &(*all)[i];
	more = reallocarray(*all, *n + 1, sizeof(*more));
	if (!more)
		return NULL;
	*all = more;
	memset(&more[*n], 0, sizeof(*more));
	more[*n].result = *key;
	return &more[(*n)++];
}

int results_from_samples(struct results *r, FILE *in)
{
	struct series *all = NULL, *s;
	struct result key = { 0 };
	char text[1024];
	size_t n = 0;
	int err = 0;
	double value;

	while (!err && fgets(text, sizeof(text), in)) {
		if (sscanf(text,
			   "%95[^\t]\t%95[^\t]\t%95[^\t]\t%95[^\t]\t%95[^\t]\t%lf",
			   key.bench, key.vmm, key.metric, key.unit, key.mode,
			   &value) != 6) {
			fprintf(stderr, "report: not a sample: %s", text);
			err = -1;
			break;
		}
		s = find_series(&all, &n, &key);
		if (s && s->n < SAMPLES_MAX)
			s->sample[s->n++] = value;
		else
			err = -1;
	}
	for (size_t i = 0; !err && i < n; i++)
		err = add_series(r, &all[i]);
	free(all);
	return err;
}

int results_load(struct results *r, const char *path)
{
	json_error_t why;
	json_t *array = json_load_file(path, 0, &why), *one;
	size_t i;
	int err = 0;

	if (!json_is_array(array)) {
		fprintf(stderr, "report: %s: %s\n", path,
			array ? "not an array" : why.text);
		json_decref(array);
		return -1;
	}
	json_array_foreach(array, i, one)
	{
		const char *bench, *vmm, *metric, *unit, *mode;
		struct result x = { 0 };

		if (json_unpack_ex(one, &why, 0,
				   "{s:s,s:s,s:s,s:s,s:F,s:F,s:I,s:s}", "bench",
				   &bench, "case", &vmm, "metric", &metric,
				   "unit", &unit, "value", &x.value, "spread",
				   &x.spread, "runs", &x.runs, "mode", &mode)) {
			fprintf(stderr, "report: %s: %s\n", path, why.text);
			err = -1;
			break;
		}
		snprintf(x.bench, TEXT_MAX, "%s", bench);
		snprintf(x.vmm, TEXT_MAX, "%s", vmm);
		snprintf(x.metric, TEXT_MAX, "%s", metric);
		snprintf(x.unit, TEXT_MAX, "%s", unit);
		snprintf(x.mode, TEXT_MAX, "%s", mode);
		err = err ? err : add(r, &x);
	}
	json_decref(array);
	return err;
}

int results_write(const struct results *r, FILE *out)
{
	json_t *array = json_array();
	int err = 0;

	for (size_t i = 0; i < r->n && !err; i++) {
		const struct result *x = &r->v[i];

		err = json_array_append_new(
			array,
			json_pack("{s:s,s:s,s:s,s:s,s:f,s:f,s:I,s:s}", "bench",
				  x->bench, "case", x->vmm, "metric", x->metric,
				  "unit", x->unit, "value", x->value, "spread",
				  x->spread, "runs", x->runs, "mode", x->mode));
	}
	if (!err)
		err = json_dumpf(array, out,
				 JSON_INDENT(1) | JSON_REAL_PRECISION(7));
	fputc('\n', out);
	json_decref(array);
	return err;
}

void results_free(struct results *r)
{
	free(r->v);
	*r = (struct results){ 0 };
}
