// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of one operation over how many go together: metrics "KIND, k=K" are
 * the points of KIND's curve, metrics "one KIND" level lines beside them.  A
 * bench and unit has one figure with a plot for each mode, or one table with a
 * column for each.  Both axes are logarithmic and the same for all of them.
 * Ours only.
 */
#include "tests/bench/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CURVES_MAX 16
#define POINT	   ", k="
#define LEVEL	   "one "

/* The plot's geometry, in pixels. */
#define LEFT	56
#define TOP	30
#define PLOT_W	300
#define PLOT_H	360
#define LABEL_W 280
#define FOOT	44
#define LABEL_H 15

struct point {
	double x, y; /* pixels */
	double k, value;
};

struct curve {
	char name[TEXT_MAX];
	bool level;
	struct point point[16];
	size_t n;
	double label_y;
};

struct plot {
	struct curve curve[CURVES_MAX];
	size_t n;
	double k_max, min, max; /* min and max: powers of ten */
};

static bool is_level(const struct result *r)
{
	return !strncmp(r->metric, LEVEL, strlen(LEVEL));
}

bool curve_has(const struct result *r)
{
	return strstr(r->metric, POINT) || is_level(r);
}

static struct curve *curve_of(struct plot *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->n; i++)
		if (strlen(p->curve[i].name) == len &&
		    !strncmp(p->curve[i].name, name, len))
			return &p->curve[i];
	if (p->n == CURVES_MAX)
		return NULL;
	snprintf(p->curve[p->n].name, TEXT_MAX, "%.*s", (int)len, name);
	return &p->curve[p->n++];
}

/* The axes are for all modes. */
static void widen(struct plot *p, double k, double value)
{
	p->k_max = fmax(p->k_max, k);
	p->min = p->min > 0 ? fmin(p->min, value) : value;
	p->max = fmax(p->max, value);
}

static void add_point(struct plot *p, const struct result *r, const char *mode)
{
	const char *point = strstr(r->metric, POINT);
	double k = point ? atof(point + strlen(POINT)) : 1;
	struct curve *c;

	if (k < 1 || r->value <= 0)
		return;
	widen(p, k, r->value);
	if (strcmp(r->mode, mode))
		return;
	c = curve_of(p, r->metric,
		     point ? (size_t)(point - r->metric) : strlen(r->metric));
	if (!c || c->n == sizeof(c->point) / sizeof(c->point[0]))
		return;
	c->level = is_level(r);
	c->point[c->n++] = (struct point){ .k = k, .value = r->value };
}

static bool is_like(const struct result *r, const struct result *like)
{
	return curve_has(r) && !strcmp(r->bench, like->bench) &&
	       !strcmp(r->unit, like->unit);
}

static void gather(struct plot *p, const struct lines *l,
		   const struct result *like, const char *mode)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct result *r = l->v[i].of[0];

		if (r && is_like(r, like))
			add_point(p, r, mode);
	}
	p->min = pow(10, floor(log10(p->min)));
	/* What is hardly more than a power of ten needs no other decade. */
	p->max = pow(10, ceil(log10(p->max) - 0.02));
	if (p->max <= p->min)
		p->max = p->min * 10;
}

static double x_of(const struct plot *p, double k)
{
	return LEFT + (p->k_max > 1 ? PLOT_W * log2(k) / log2(p->k_max) : 0);
}

static double y_of(const struct plot *p, double value)
{
	return TOP + PLOT_H * log10(p->max / value) / log10(p->max / p->min);
}

static int by_height(const void *a, const void *b)
{
	const struct curve *const *x = a, *const *y = b;

	return ((*x)->label_y > (*y)->label_y) -
	       ((*x)->label_y < (*y)->label_y);
}

/* Each beside the end of its curve, or as far below as the one above needs. */
static void place(struct plot *p)
{
	struct curve *order[CURVES_MAX];
	double free_y = TOP, bottom = TOP + PLOT_H;

	for (size_t i = 0; i < p->n; i++) {
		struct curve *c = &p->curve[i];

		for (size_t j = 0; j < c->n; j++) {
			c->point[j].x = x_of(p, c->point[j].k);
			c->point[j].y = y_of(p, c->point[j].value);
		}
		c->label_y = c->point[c->n - 1].y;
		order[i] = c;
	}
	qsort(order, p->n, sizeof(order[0]), by_height);
	for (size_t i = 0; i < p->n; i++) {
		order[i]->label_y = fmax(order[i]->label_y, free_y);
		free_y = order[i]->label_y + LABEL_H;
	}
	for (size_t i = p->n; i--; bottom -= LABEL_H)
		order[i]->label_y = fmin(order[i]->label_y, bottom);
}

static void axes(const struct plot *p, FILE *out)
{
	char value[32];

	for (double v = p->min; v < p->max * 1.01; v *= 10) {
		double y = y_of(p, v);

		fprintf(out,
			"<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\""
			" y2=\"%.1f\"/><text class=\"dim\" x=\"%d\" y=\"%.1f\""
			" text-anchor=\"end\">%g</text>\n",
			LEFT, LEFT + PLOT_W, y, y, LEFT - 6, y + 4, v);
	}
	for (double k = 1; k <= p->k_max; k *= 2) {
		double x = x_of(p, k);

		snprintf(value, sizeof(value), "%.0f", k);
		fprintf(out,
			"<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\""
			" y2=\"%d\"/><text class=\"dim\" x=\"%.1f\" y=\"%d\""
			" text-anchor=\"middle\">%s</text>\n",
			x, x, TOP, TOP + PLOT_H, x, TOP + PLOT_H + 18, value);
	}
	fprintf(out,
		"<text class=\"dim\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">"
		"k, operations together</text>\n",
		LEFT + PLOT_W / 2, TOP + PLOT_H + 38);
}

static void draw_level(const struct curve *c, FILE *out)
{
	fprintf(out,
		"<line class=\"level\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\""
		" y2=\"%.1f\"/>\n",
		LEFT, LEFT + PLOT_W, c->point[0].y, c->point[0].y);
}

static void draw_curve(const struct curve *c, unsigned int nr, FILE *out)
{
	char value[32];

	fprintf(out, "<polyline class=\"curve c%u\" points=\"", nr);
	for (size_t i = 0; i < c->n; i++)
		fprintf(out, "%.1f,%.1f ", c->point[i].x, c->point[i].y);
	fputs("\"/>\n", out);
	for (size_t i = 0; i < c->n; i++)
		fprintf(out,
			"<circle class=\"c%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\">"
			"<title>%s, k=%.0f: %s</title></circle>\n",
			nr, c->point[i].x, c->point[i].y, c->name,
			c->point[i].k,
			number_text(c->point[i].value, value, sizeof(value)));
}

/* The last figure belongs to the curve's end, where its label is. */
static void label(const struct curve *c, int nr, FILE *out)
{
	const struct point *end = &c->point[c->n - 1];
	double to = LEFT + PLOT_W + 34;
	char value[32], class[32] = "level";

	if (nr >= 0)
		snprintf(class, sizeof(class), "lead c%d", nr);
	fprintf(out,
		"<polyline class=\"%s\" points=\"%.1f,%.1f %.1f,%.1f\"/>"
		"<text x=\"%.0f\" y=\"%.1f\">%s <tspan class=\"dim\">%s</tspan>"
		"</text>\n",
		class, nr < 0 ? (double)LEFT + PLOT_W : end->x + 5, end->y, to,
		c->label_y, to + 5, c->label_y + 4, c->name,
		number_text(end->value, value, sizeof(value)));
}

static void draw_plot(const struct lines *l, const struct result *like,
		      const struct mode_text *mode, FILE *out)
{
	struct plot p = { 0 };
	int nr = 0;

	gather(&p, l, like, mode->mode);
	if (!p.n)
		return;
	place(&p);
	fprintf(out,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"cost over"
		" k, %s\">\n<text x=\"%d\" y=\"14\">%s</text>\n",
		LEFT + PLOT_W + LABEL_W, TOP + PLOT_H + FOOT, mode->mode, LEFT,
		mode->title);
	axes(&p, out);
	for (size_t i = 0; i < p.n; i++) {
		const struct curve *c = &p.curve[i];

		if (c->level)
			draw_level(c, out);
		else
			draw_curve(c, (unsigned int)nr, out);
		label(c, c->level ? -1 : nr, out);
		nr += !c->level;
	}
	fputs("</svg>\n", out);
}

void curve_draw(const struct lines *l, const struct result *like, FILE *out)
{
	fprintf(out,
		"<figure class=\"wide\"><figcaption>cost of one operation, by how"
		" many go together <small>%s, less is better; at each line's end"
		" its last figure</small></figcaption>\n<div class=\"pair\">\n",
		like->unit);
	for (size_t m = 0; m < mode_texts_count; m++)
		draw_plot(l, like, &mode_texts[m], out);
	fputs("</div></figure>\n", out);
}

bool curve_is_first(const struct lines *l, size_t i)
{
	const struct result *r = l->v[i].first;

	if (!curve_has(r))
		return false;
	while (i--)
		if (is_like(l->v[i].first, r))
			return false;
	return true;
}

/* The same operation in another mode, or NULL. */
static const struct result *twin(const struct lines *l, const struct result *r,
				 const char *mode)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct result *t = l->v[i].of[0];

		if (t && is_like(t, r) && !strcmp(t->metric, r->metric) &&
		    !strcmp(t->mode, mode))
			return t;
	}
	return NULL;
}

void curve_pairs(const struct lines *l,
		 void (*fn)(const struct curve_pair *pair, FILE *out),
		 FILE *out)
{
	struct curve_pair pair = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		const struct result *r = l->v[i].of[0];

		if (!r || !curve_has(r) || strcmp(r->mode, "icount"))
			continue;
		pair.wall = twin(l, r, "wall");
		if (!pair.wall)
			continue;
		pair.icount = r;
		fn(&pair, out);
		pair.nr++;
	}
}
