// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the vCPUs of a lock convoy did, over time, as an SVG picture that needs
 * nothing else: a panel for each case, a lane for each thread.  Reads what
 * bench_convoy.c prints.
 */
#include "tests/bench/report.h"

#include <stdlib.h>
#include <string.h>

#define PANELS	2
#define LANES	12
#define FROM_US 30000.0 /* they have all begun by then */
#define SPAN_US 80000.0

/* The picture's geometry, in pixels. */
#define LEFT   70
#define WIDTH  880
#define RIGHT  20
#define TOP    34 /* of a panel: its title */
#define LANE_H 24
#define BAR_H  16
#define FOOT   34
#define LEGEND 30

struct lane {
	char name[TEXT_MAX];
};

struct panel {
	char vmm[TEXT_MAX];
	double ms; /* how long the lock was contended for */
	long long taken;
	struct lane lane[LANES];
	size_t n;
};

struct stretch {
	size_t panel, lane;
	double from, to; /* us */
	char state[TEXT_MAX];
	int cpu;
};

struct timeline {
	struct panel panel[PANELS];
	size_t n;
	struct stretch *stretch;
	size_t nr_stretches;
};

static const struct {
	const char *state;
	int cpu; /* -1: any */
	const char *class, *text;
} kinds[] = {
	{ "running", 0, "r0", "runs on the first processor" },
	{ "running", 1, "r1", "runs on the second processor" },
	{ "preempted", -1, "p", "wants to run, and does not" },
	{ "halted", -1, "h", "halted, waits to be woken" },
};

static const char *const head =
	"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
	" font-family=\"system-ui,sans-serif\" font-size=\"12\" role=\"img\""
	" aria-label=\"a lock convoy, with and without directed yields\">\n"
	"<style>\n"
	":root{--bg:#fff;--fg:#1c1e21;--dim:#5b6270;--line:#d5d9e0;"
	"--r0:#0b7a53;--r1:#2f7fd8;--p:#e08a1e;--h:#c3c9d4}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#15171b;--fg:#e7e9ee;"
	"--dim:#a3abb9;--line:#363b45;--r0:#3ecb94;--r1:#6aa9f0;--p:#f0a94a;"
	"--h:#4a515e}}\n"
	"text{fill:var(--fg)}.dim{fill:var(--dim)}.title{font-weight:600;"
	"font-size:14px}.grid{stroke:var(--line)}.r0{fill:var(--r0)}"
	".r1{fill:var(--r1)}.p{fill:var(--p)}.h{fill:var(--h)}\n"
	"</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"var(--bg)\"/>\n";

static struct panel *panel_of(struct timeline *t, const char *vmm)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->panel[i].vmm, vmm))
			return &t->panel[i];
	if (t->n == PANELS)
		return NULL;
	snprintf(t->panel[t->n].vmm, TEXT_MAX, "%s", vmm);
	return &t->panel[t->n++];
}

/* The hog's is the last. */
static int by_name(const void *a, const void *b)
{
	const struct lane *x = a, *y = b;
	bool x_hog = !strcmp(x->name, "hog"), y_hog = !strcmp(y->name, "hog");

	return x_hog != y_hog ? x_hog - y_hog : strcmp(x->name, y->name);
}

static long lane_of(struct panel *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->lane[i].name, name))
			return (long)i;
	if (p->n == LANES)
		return -1;
	snprintf(p->lane[p->n].name, TEXT_MAX, "%s", name);
	return (long)p->n++;
}

static int add(struct timeline *t, const struct stretch *s)
{
	struct stretch *v =
		reallocarray(t->stretch, t->nr_stretches + 1, sizeof(*v));

	if (!v)
		return -1;
	t->stretch = v;
	v[t->nr_stretches++] = *s;
	return 0;
}

/* The names of a file that is read twice: first those, then the rest. */
static int take(struct timeline *t, const char *text, bool names)
{
	char vmm[TEXT_MAX], thread[TEXT_MAX];
	struct stretch s = { 0 };
	struct panel *p;
	long lane;

	if (sscanf(text, "%95[^\t]\t%95[^\t]\t%lf\t%lf\t%95[^\t\n]\t%d", vmm,
		   thread, &s.from, &s.to, s.state, &s.cpu) != 6)
		return -1;
	p = panel_of(t, vmm);
	if (!p)
		return 0;
	if (!strcmp(s.state, "taken")) {
		p->ms = s.to / 1e3;
		p->taken = s.cpu;
		return 0;
	}
	lane = lane_of(p, thread);
	s.panel = (size_t)(p - t->panel);
	s.lane = (size_t)lane;
	return names || lane < 0 ? 0 : add(t, &s);
}

static int load(struct timeline *t, FILE *in)
{
	char text[512];

	for (int names = 1; names >= 0; names--) {
		rewind(in);
		while (fgets(text, sizeof(text), in))
			if (take(t, text, names)) {
				fprintf(stderr, "report: no stretch: %s", text);
				return -1;
			}
		for (size_t i = 0; i < t->n && names; i++)
			qsort(t->panel[i].lane, t->panel[i].n,
			      sizeof(struct lane), by_name);
	}
	return t->n && t->nr_stretches ? 0 : -1;
}

static int panel_top(const struct timeline *t, size_t panel)
{
	int y = LEGEND;

	for (size_t i = 0; i < panel; i++)
		y += TOP + (int)t->panel[i].n * LANE_H + FOOT;
	return y;
}

static void draw_stretch(const struct timeline *t, const struct stretch *s,
			 FILE *out)
{
	double from = s->from - FROM_US, to = s->to - FROM_US;
	double y = panel_top(t, s->panel) + TOP + (double)s->lane * LANE_H;
	double height = BAR_H;

	if (from < 0)
		from = 0;
	if (to > SPAN_US)
		to = SPAN_US;
	if (to <= from)
		return;
	/* What waits for nothing is not to catch the eye. */
	if (!strcmp(s->state, "halted")) {
		y += BAR_H / 2.0 - 2;
		height = 4;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].state, s->state) &&
		    (kinds[i].cpu < 0 || kinds[i].cpu == s->cpu))
			fprintf(out,
				"<rect class=\"%s\" x=\"%.2f\" y=\"%.0f\""
				" width=\"%.2f\" height=\"%.0f\"/>\n",
				kinds[i].class, LEFT + from * WIDTH / SPAN_US,
				y, (to - from) * WIDTH / SPAN_US, height);
}

static void draw_panel(const struct timeline *t, size_t i, FILE *out)
{
	const struct panel *p = &t->panel[i];
	int y = panel_top(t, i), bottom = y + TOP + (int)p->n * LANE_H;

	fprintf(out,
		"<text class=\"title\" x=\"%d\" y=\"%d\">%s<tspan class=\"dim\""
		" font-weight=\"400\"> \302\240 lock taken %lld times in %.0f ms"
		"</tspan></text>\n",
		LEFT, y + 20, p->vmm, p->taken, p->ms);
	for (int ms = 0; ms <= (int)(SPAN_US / 1e3); ms += 10) {
		double x = LEFT + ms * 1e3 * WIDTH / SPAN_US;

		fprintf(out,
			"<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\""
			" y2=\"%d\"/><text class=\"dim\" x=\"%.1f\" y=\"%d\""
			" text-anchor=\"middle\">%d%s</text>\n",
			x, x, y + TOP - 4, bottom, x, bottom + 14, ms,
			ms ? "" : " ms");
	}
	for (size_t l = 0; l < p->n; l++)
		fprintf(out,
			"<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
			LEFT - 8, y + TOP + (int)l * LANE_H + BAR_H - 3,
			p->lane[l].name);
}

static void draw_legend(FILE *out)
{
	int x = LEFT;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		fprintf(out,
			"<rect class=\"%s\" x=\"%d\" y=\"10\" width=\"14\""
			" height=\"%d\"/><text x=\"%d\" y=\"21\">%s</text>\n",
			kinds[i].class, x, 14, x + 20, kinds[i].text);
		x += 225;
	}
}

int report_timeline(FILE *in, FILE *out)
{
	static struct timeline t;
	int err = load(&t, in);

	if (!err) {
		fprintf(out, head, LEFT + WIDTH + RIGHT, panel_top(&t, t.n));
		draw_legend(out);
		for (size_t i = 0; i < t.n; i++)
			draw_panel(&t, i, out);
		for (size_t i = 0; i < t.nr_stretches; i++)
			draw_stretch(&t, &t.stretch[i], out);
		fputs("</svg>\n", out);
	}
	free(t.stretch);
	return err;
}
