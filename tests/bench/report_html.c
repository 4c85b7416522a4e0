// SPDX-License-Identifier: GPL-2.0-only
/*
 * Results as one HTML page that needs nothing else: a bar plot per metric, each
 * mode in a section of its own.  What are points of curves has one figure for
 * all modes, in the section of the first.
 */
#include "tests/bench/report.h"

#include <stdlib.h>
#include <string.h>

/* The plots' geometry, in pixels. */
#define NAME_W 110
#define BAR_W  300
#define TEXT_W 150
#define BAR_H  18
#define STEP   24

static const char *const head =
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>hotline: benchmarks</title>\n<style>\n"
	":root{color-scheme:light dark;--bg:#fff;--fg:#1c1e21;--dim:#5b6270;"
	"--line:#d5d9e0;--ours:#0b7a53;--peer:#8c96a8;--loss:#b3261e}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#15171b;--fg:#e7e9ee;"
	"--dim:#a3abb9;--line:#363b45;--ours:#3ecb94;--peer:#6f7a8e;"
	"--loss:#ff8a80}}\n"
	"body{background:var(--bg);color:var(--fg);margin:0 auto;padding:1.5rem;"
	"max-width:78rem;font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.6rem}h2{margin-top:2.5rem;padding-top:1rem;"
	"border-top:1px solid var(--line)}h3{margin:1.8rem 0 .4rem}\n"
	"p,figcaption small{color:var(--dim)}\n"
	".plots{display:grid;gap:1rem 2rem;"
	"grid-template-columns:repeat(auto-fill,minmax(min(100%,34rem),1fr))}\n"
	"figure{margin:0}figcaption{font-weight:600}small{font-weight:400}\n"
	"svg{display:block;width:100%;max-width:560px;height:auto}\n"
	"svg text{font:12px system-ui,sans-serif;fill:var(--fg)}\n"
	".wide{grid-column:1/-1}.pair{display:grid;gap:1rem;"
	"grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr))}\n"
	".pair svg{max-width:636px}\n"
	".grid{stroke:var(--line)}.curve,.lead{fill:none;stroke-width:2}"
	".lead{stroke-width:.7}.level{fill:none;stroke:var(--peer);"
	"stroke-dasharray:5 4}\n"
	".c0{stroke:var(--ours)}.c1{stroke:#8f5bd6}.c2{stroke:#d97706}"
	".c3{stroke:#2f7fd8}circle{fill:var(--bg);stroke-width:2}\n"
	".ours{fill:var(--ours)}.peer{fill:var(--peer)}\n"
	".other{fill-opacity:.45}.spread{stroke:var(--fg);stroke-width:1.5}\n"
	"svg .dim{fill:var(--dim)}svg .loss{fill:var(--loss);font-weight:700}\n"
	"table{border-collapse:collapse;font-size:.9rem}"
	"td{padding:.1rem 1rem .1rem 0;vertical-align:top}"
	"td:first-child{color:var(--dim)}\n"
	"</style></head><body>\n<h1>hotline: benchmarks</h1>\n";

static void escaped(const char *s, FILE *out)
{
	for (; *s; s++) {
		if (*s == '<')
			fputs("&lt;", out);
		else if (*s == '&')
			fputs("&amp;", out);
		else if (*s == '"')
			fputs("&quot;", out);
		else
			fputc(*s, out);
	}
}

static void env_row(void *ctx, const char *key, const char *value)
{
	fputs("<tr><td>", ctx);
	escaped(key, ctx);
	fputs("</td><td>", ctx);
	escaped(value, ctx);
	fputs("</td></tr>\n", ctx);
}

static double largest(const struct lines *l, const struct line *line)
{
	double max = 0;

	for (size_t c = 0; c < l->nr_cases; c++)
		if (line->of[c] && line->of[c]->value > max)
			max = line->of[c]->value;
	return max;
}

/* The figure behind a bar, and how ours compares. */
static void bar_text(const struct line *line, size_t c, double x, double y,
		     FILE *out)
{
	double ratio = c ? line_ratio(line, c) : 0;
	char value[32];

	number_text(line->of[c]->value, value, sizeof(value));
	fprintf(out, "<text x=\"%.0f\" y=\"%.0f\">%s", x, y, value);
	if (ratio > 0)
		fprintf(out, " <tspan class=\"%s\">%s%.2fx</tspan>",
			ratio < RATIO_LOSS ? "loss" : "dim",
			ratio < RATIO_LOSS ? "LOSS " : "", ratio);
	fprintf(out, "</text>\n");
}

static void spread_mark(const struct result *r, double scale, double y,
			FILE *out)
{
	double from = NAME_W + (r->value - r->spread / 2) * scale;
	double to = NAME_W + (r->value + r->spread / 2) * scale;

	/* What is thinner than the mark's own line is not worth one. */
	if (to - from < 2)
		return;
	fprintf(out,
		"<line class=\"spread\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\""
		" y2=\"%.1f\"/>\n",
		from < NAME_W ? NAME_W : from, to, y, y);
}

static void bar(const struct lines *l, const struct line *line, size_t c,
		double scale, double y, FILE *out)
{
	const struct result *r = line->of[c];
	double width = r->value * scale;

	fprintf(out, "<text x=\"0\" y=\"%.0f\">", y + 13);
	escaped(l->cases[c], out);
	fprintf(out,
		"%s</text>\n<rect class=\"%s%s\" x=\"%d\" y=\"%.0f\""
		" width=\"%.1f\" height=\"%d\" rx=\"2\"/>\n",
		line->other_kernel[c] ? "*" : "", c ? "peer" : "ours",
		line->other_kernel[c] ? " other" : "", NAME_W, y,
		width < 1 ? 1 : width, BAR_H);
	spread_mark(r, scale, y + BAR_H / 2.0, out);
	bar_text(line, c, NAME_W + width + 6, y + 13, out);
}

static void plot(const struct lines *l, const struct line *line, FILE *out)
{
	double max = largest(l, line), y = 2;
	size_t bars = 0;

	for (size_t c = 0; c < l->nr_cases; c++)
		bars += line->of[c] != NULL;
	fputs("<figure><figcaption>", out);
	escaped(line->first->metric, out);
	fputs(" <small>", out);
	escaped(line->first->unit, out);
	fprintf(out, ", %s is better</small></figcaption>\n",
		unit_more_is_better(line->first->unit) ? "more" : "less");
	fprintf(out, "<svg viewBox=\"0 0 %d %zu\" role=\"img\" aria-label=\"",
		NAME_W + BAR_W + TEXT_W, bars * STEP + 2);
	escaped(line->first->metric, out);
	fputs("\">\n", out);
	for (size_t c = 0; c < l->nr_cases; c++) {
		if (!line->of[c])
			continue;
		bar(l, line, c, max > 0 ? BAR_W / max : 0, y, out);
		y += STEP;
	}
	fputs("</svg></figure>\n", out);
}

static void section(const struct mode_text *mode, FILE *out)
{
	fprintf(out, "<h2>%s</h2>\n<p>%s</p>\n", mode->title, mode->meaning);
}

static void plots(const struct lines *l, const char *bench, FILE *out)
{
	(void)l;
	fputs("<h3>", out);
	escaped(bench, out);
	fputs("</h3>\n<div class=\"plots\">\n", out);
}

static void plots_end(FILE *out)
{
	fputs("</div>\n", out);
}

static void figure(const struct lines *l, size_t i, FILE *out)
{
	if (!curve_has(l->v[i].first))
		plot(l, &l->v[i], out);
	else if (curve_is_first(l, i))
		curve_draw(l, l->v[i].first, out);
}

static const struct form html = {
	.mode = section,
	.bench = plots,
	.line = figure,
	.bench_end = plots_end,
};

void report_html(const struct lines *l, const struct env *env, FILE *out)
{
	fputs(head, out);
	fputs("<p>Medians. A thin line at a bar's end is the middle half of the"
	      " runs. Nx: how many times better hotline is than that peer. A"
	      " pale bar with * is a peer with the common kernel, for it cannot"
	      " boot the PV kernel.</p>\n",
	      out);
	lines_print(l, &html, out);
	fputs("<h2>Measured with</h2>\n<table>\n", out);
	env_each(env, env_row, out);
	fputs("</table>\n</body></html>\n", out);
}
