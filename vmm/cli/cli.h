/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line: what a command is, how its options are described, and the
 * commands themselves.  Everything runs on the main thread.
 */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One value to parse, and where it came from, for messages. */
struct cli_arg {
	const char *opt;   /* as typed: "-m" or "--mem" */
	const char *whole; /* the option's value as typed; NULL for a flag */
	const char *key;   /* KEY of a KEY=VALUE inside it, or NULL */
	const char *val;   /* what to parse: whole, or that VALUE */
	void *field;	   /* ctx + the table row's `at` */
};

#define CLI_NAMES 4

/* A row without names is a heading of the help text. */
struct cli_opt {
	const char *names[CLI_NAMES]; /* long, without dashes; first is shown */
	char letter;		      /* or 0 */
	bool optional;		      /* the value may be left out (val NULL) */
	const char *metavar;	      /* NULL: takes no value */
	const char *help;
	/* 0, or an enum exit_code after cli_bad() or error(). */
	int (*parse)(void *ctx, const struct cli_arg *arg);
	size_t at; /* offset of the field in ctx */
};

struct cli_cmd {
	const char *name;
	const char *usage;   /* after "hotline NAME " */
	const char *summary; /* one line for `hotline help` */
	const char *about;   /* paragraphs for `hotline help NAME` */
	const struct cli_opt *opts;
	unsigned int nr_opts;
	bool takes_command;			    /* `-- CMD ARG...` */
	int (*operand)(void *ctx, const char *val); /* NULL: has none */
	const char *operand_hint;     /* told to who gives one all the same */
	const char *examples;	      /* printed as it is */
	void (*help_more)(FILE *out); /* between options and examples; or NULL */
	int (*run)(int argc, char **argv); /* argv[0] = name; exit code */
};

#define CLI_DONE (-1) /* help was printed: exit with 0 */

/*
 * Parses argv[1..argc) by cmd's table.  *command (may be NULL unless
 * cmd->takes_command) becomes what follows "--", or NULL.  Returns 0,
 * CLI_DONE, or an enum exit_code after an error().
 */
int cli_parse(const struct cli_cmd *cmd, int argc, char **argv, void *ctx,
	      char ***command);
/* What the process exits with after a cli_parse() that did not return 0. */
static inline int cli_exit(int parsed)
{
	return parsed == CLI_DONE ? 0 : parsed;
}

/* "OPT VALUE: [KEY=VALUE: ]message"; returns EXIT_USAGE. */
int cli_bad(const struct cli_arg *arg, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* vmm/cli/value.c: 0 with *out set, or EXIT_USAGE after cli_bad(). */
int cli_uint(const struct cli_arg *arg, uint64_t min, uint64_t max,
	     uint64_t *out);
int cli_size(const struct cli_arg *arg, uint64_t min, uint64_t max,
	     uint64_t *out); /* bytes; a bare number means MiB */
int cli_onoff(const struct cli_arg *arg, bool *out);
/* names: NULL-terminated; *out is the index. */
int cli_choice(const struct cli_arg *arg, const char *const *names,
	       unsigned int *out);

/* Rows' parsers for plain fields. */
int cli_set_true(void *ctx, const struct cli_arg *arg);	 /* bool */
int cli_set_onoff(void *ctx, const struct cli_arg *arg); /* bool */
int cli_set_off(void *ctx, const struct cli_arg *arg);	 /* bool: not "on" */
int cli_set_path(void *ctx, const struct cli_arg *arg);	 /* const char * */

/* vmm/cli/suggest.c: the name nearest to s if it is near at all, or NULL. */
const char *cli_nearest(const char *s, const char *const *names,
			unsigned int nr);

/* vmm/cli/help.c */
void cli_help(const struct cli_cmd *cmd, FILE *out);
/* Word wrap between columns indent and 79; the cursor is at column `at`. */
void cli_wrap(FILE *out, const char *text, unsigned int indent,
	      unsigned int at);
/* s as a JSON string, with its quotes. */
void cli_json_string(FILE *out, const char *s);

extern const struct cli_cmd cli_cmd_run, cli_cmd_doctor, cli_cmd_list,
	cli_cmd_stop, cli_cmd_stat, cli_cmd_pause, cli_cmd_resume;

#endif
