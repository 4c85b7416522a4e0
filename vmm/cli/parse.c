// SPDX-License-Identifier: GPL-2.0-only
/* Walks argv by a command's option table. */
#include <string.h>

#include "vmm/cli/cli.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

struct walk {
	const struct cli_cmd *cmd;
	int argc, at; /* argv[at] is being looked at */
	char **argv;
	void *ctx;
};

static const struct cli_opt *by_name(const struct cli_cmd *cmd, const char *s,
				     size_t len)
{
	for (unsigned int i = 0; i < cmd->nr_opts; i++)
		for (unsigned int j = 0; j < CLI_NAMES; j++) {
			const char *name = cmd->opts[i].names[j];

			if (name && strlen(name) == len &&
			    !memcmp(name, s, len))
				return &cmd->opts[i];
		}
	return NULL;
}

static const struct cli_opt *by_letter(const struct cli_cmd *cmd, char c)
{
	for (unsigned int i = 0; i < cmd->nr_opts; i++)
		if (cmd->opts[i].letter == c)
			return &cmd->opts[i];
	return NULL;
}

static int unknown(const struct cli_cmd *cmd, const char *arg, size_t len)
{
	const char *names[128], *near;
	unsigned int nr = 0;
	char word[64];

	for (unsigned int i = 0; i < cmd->nr_opts; i++)
		for (unsigned int j = 0; j < CLI_NAMES; j++)
			if (cmd->opts[i].names[j] && nr < 128)
				names[nr++] = cmd->opts[i].names[j];
	snprintf(word, sizeof(word), "%.*s", (int)len, arg);
	near = cli_nearest(word + strspn(word, "-"), names, nr);
	if (near)
		error("%s: unknown option; did you mean --%s?", word, near);
	else
		error("%s: unknown option; \"hotline help %s\" lists them all",
		      word, cmd->name);
	return EXIT_USAGE;
}

/* name: the option as typed, without its value. */
static int apply(struct walk *w, const struct cli_opt *opt, const char *name,
		 const char *val)
{
	struct cli_arg arg = {
		.opt = name,
		.whole = val,
		.val = val,
		.field = (char *)w->ctx + opt->at,
	};

	if (val && !opt->metavar)
		return cli_bad(&arg, "takes no value; write %s alone", name);
	if (!val && opt->metavar && !opt->optional) {
		if (w->at + 1 >= w->argc)
			return cli_bad(&arg, "needs a value; write %s %s", name,
				       opt->metavar);
		arg.whole = arg.val = w->argv[++w->at];
	}
	return opt->parse(w->ctx, &arg);
}

/* "--name", "--name=value", or the same with one dash as QEMU has it. */
static int take_long(struct walk *w, const char *arg, const char *body)
{
	size_t len = strcspn(body, "=");
	const struct cli_opt *opt = by_name(w->cmd, body, len);
	char name[64];

	if (len == 4 && !memcmp(body, "help", 4)) {
		cli_help(w->cmd, stdout);
		return CLI_DONE;
	}
	if (!opt)
		return unknown(w->cmd, arg, (size_t)(body - arg) + len);
	snprintf(name, sizeof(name), "%.*s", (int)(body - arg + (long)len),
		 arg);
	return apply(w, opt, name, body[len] ? body + len + 1 : NULL);
}

/* "-x", "-xVALUE", "-xyz" for flags. */
static int take_short(struct walk *w, const char *arg)
{
	size_t len = strcspn(arg + 1, "=");
	int err = 0;

	if (len > 1 && by_name(w->cmd, arg + 1, len))
		return take_long(w, arg, arg + 1);
	for (const char *p = arg + 1; *p && !err; p++) {
		const struct cli_opt *opt = by_letter(w->cmd, *p);
		const char name[] = { '-', *p, '\0' };

		if (*p == 'h' && !opt) {
			cli_help(w->cmd, stdout);
			return CLI_DONE;
		}
		if (!opt)
			return unknown(w->cmd, p == arg + 1 ? arg : name,
				       p == arg + 1 ? strlen(arg) : 2);
		if (opt->metavar && p[1])
			return apply(w, opt, name, p + 1);
		err = apply(w, opt, name, NULL);
	}
	return err;
}

static int take_operand(struct walk *w, const char *arg)
{
	if (w->cmd->operand)
		return w->cmd->operand(w->ctx, arg);
	error("%s: unexpected argument; %s", arg,
	      w->cmd->operand_hint ? w->cmd->operand_hint : "leave it away");
	return EXIT_USAGE;
}

static int take_rest(struct walk *w, char ***command)
{
	int err = 0;

	if (!w->cmd->takes_command) {
		while (++w->at < w->argc && !err)
			err = take_operand(w, w->argv[w->at]);
		return err;
	}
	if (w->at + 1 >= w->argc) {
		error("--: no command behind it; write -- COMMAND [ARG...] or "
		      "leave it away");
		return EXIT_USAGE;
	}
	*command = &w->argv[w->at + 1];
	return 0;
}

int cli_parse(const struct cli_cmd *cmd, int argc, char **argv, void *ctx,
	      char ***command)
{
	struct walk w = { .cmd = cmd, .argc = argc, .argv = argv, .ctx = ctx };
	int err = 0;

	if (command)
		*command = NULL;
	for (w.at = 1; w.at < argc && !err; w.at++) {
		const char *arg = argv[w.at];

		if (!strcmp(arg, "--"))
			return take_rest(&w, command);
		if (!strncmp(arg, "--", 2))
			err = take_long(&w, arg, arg + 2);
		else if (arg[0] == '-' && arg[1])
			err = take_short(&w, arg);
		else
			err = take_operand(&w, arg);
	}
	return err;
}
