// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns samples into results and results into reports.  One thread.
 *
 *   report collect <SAMPLES >NAME.json
 *   report env KEY=VALUE... >env.json
 *   report timeline <TRACE >NAME.svg
 *   report text|markdown|html ENV.json NAME.json...
 */
#include "tests/bench/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int collect(void)
{
	struct results r = { 0 };
	int err = results_from_samples(&r, stdin);

	if (!err)
		err = results_write(&r, stdout);
	results_free(&r);
	return err;
}

static int make_env(char *argv[], int argc)
{
	json_t *env = json_object();
	int err = 0;

	for (int i = 0; i < argc && !err; i++) {
		char *value = strchr(argv[i], '=');

		if (value)
			*value++ = '\0';
		err = !value ||
		      json_object_set_new(env, argv[i], json_string(value));
	}
	if (!err)
		err = json_dumpf(env, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(env);
	return err;
}

static int show(const char *how, char *argv[], int argc)
{
	struct results r = { 0 };
	struct lines l = { 0 };
	struct env *env = argc ? env_load(argv[0]) : NULL;
	int err = env ? 0 : -1;

	for (int i = 1; i < argc && !err; i++)
		err = results_load(&r, argv[i]);
	if (!err)
		err = lines_make(&l, &r);
	if (!err && !strcmp(how, "text"))
		report_text(&l, stdout);
	else if (!err && !strcmp(how, "markdown"))
		report_markdown(&l, env, stdout);
	else if (!err)
		report_html(&l, env, stdout);
	lines_free(&l);
	results_free(&r);
	env_free(env);
	return err;
}

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";
	int err;

	if (!strcmp(what, "collect") && argc == 2) {
		err = collect();
	} else if (!strcmp(what, "timeline") && argc == 2) {
		err = report_timeline(stdin, stdout);
	} else if (!strcmp(what, "env")) {
		err = make_env(argv + 2, argc - 2);
	} else if (!strcmp(what, "text") || !strcmp(what, "markdown") ||
		   !strcmp(what, "html")) {
		err = show(what, argv + 2, argc - 2);
	} else {
		fprintf(stderr,
			"usage: report collect|env|timeline|text|markdown|html\n");
		return 2;
	}
	return err || fflush(stdout) ? 1 : 0;
}
