// SPDX-License-Identifier: GPL-2.0-only
/* Help texts, written from the same tables that options are parsed by. */
#include <string.h>

#include "vmm/cli/cli.h"

#define WIDTH 79
#define LEFT  26 /* column where explanations begin */

void cli_wrap(FILE *out, const char *text, unsigned int indent, unsigned int at)
{
	unsigned int col = at;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (col > indent && col + 1 + len > WIDTH) {
			fputc('\n', out);
			col = 0;
		}
		if (col < indent) {
			fprintf(out, "%*s", (int)(indent - col), "");
			col = indent;
			for (; *text == ' '; text++, col++)
				fputc(' ', out);
			len = strcspn(text, " \n");
		} else if (col > indent) {
			fputc(' ', out);
			col++;
		}
		fwrite(text, 1, len, out);
		col += (unsigned int)len;
		text += len;
		if (*text == '\n') {
			fputc('\n', out);
			col = 0;
		}
		text += !!*text;
	}
	fputc('\n', out);
}

static unsigned int put_left(const struct cli_opt *opt, FILE *out)
{
	int n;

	if (opt->letter)
		n = fprintf(out, "  -%c, --%s", opt->letter, opt->names[0]);
	else
		n = fprintf(out, "      --%s", opt->names[0]);
	if (opt->metavar)
		n += fprintf(out, opt->optional ? "[=%s]" : " %s",
			     opt->metavar);
	return n < 0 ? 0 : (unsigned int)n;
}

static void put_option(const struct cli_opt *opt, FILE *out)
{
	char text[1024];
	unsigned int at;

	if (!opt->names[0]) {
		fprintf(out, "\n%s:\n", opt->help);
		return;
	}
	snprintf(text, sizeof(text), "%s", opt->help);
	for (unsigned int i = 1; i < CLI_NAMES && opt->names[i]; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s--%s%s",
			 i == 1 ? " (also " : ", ", opt->names[i],
			 i + 1 == CLI_NAMES || !opt->names[i + 1] ? ")" : "");
	}
	at = put_left(opt, out);
	if (at + 2 > LEFT) {
		fputc('\n', out);
		at = 0;
	}
	cli_wrap(out, text, LEFT, at);
}

void cli_help(const struct cli_cmd *cmd, FILE *out)
{
	fprintf(out, "Usage: hotline %s %s\n\n", cmd->name, cmd->usage);
	cli_wrap(out, cmd->about, 0, 0);
	for (unsigned int i = 0; i < cmd->nr_opts; i++)
		put_option(&cmd->opts[i], out);
	fprintf(out, "%s  -h, --help%*sShow this text\n",
		cmd->nr_opts ? "" : "\n", LEFT - 12, "");
	if (cmd->help_more)
		cmd->help_more(out);
	if (cmd->examples)
		fprintf(out, "\nExamples:\n%s", cmd->examples);
}

void cli_json_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}
