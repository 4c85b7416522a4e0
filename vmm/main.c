// SPDX-License-Identifier: GPL-2.0-only
/* main() and the table of subcommands. */
#include <stdio.h>
#include <string.h>

#include "vmm/cli/cli.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#ifndef HL_VERSION
#define HL_VERSION "unknown"
#endif

static const struct cli_cmd *const commands[] = {
	&cli_cmd_run,	 &cli_cmd_list, &cli_cmd_stop,	 &cli_cmd_pause,
	&cli_cmd_resume, &cli_cmd_stat, &cli_cmd_doctor,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void overview(FILE *out)
{
	fputs("hotline runs Linux virtual machines on KVM.\n\n"
	      "Usage: hotline COMMAND [OPTION]...\n\n",
	      out);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name,
			commands[i]->summary);
	fputs("  help       Explain a command: hotline help COMMAND\n\n"
	      "Options:\n"
	      "  -h, --help     Show this text\n"
	      "  -V, --version  Show the version\n",
	      out);
}

static const struct cli_cmd *find(const char *name)
{
	const char *names[NR_COMMANDS + 1], *near;

	for (size_t i = 0; i < NR_COMMANDS; i++) {
		names[i] = commands[i]->name;
		if (!strcmp(name, names[i]))
			return commands[i];
	}
	names[NR_COMMANDS] = "help";
	near = cli_nearest(name, names, NR_COMMANDS + 1);
	if (near)
		error("%s: unknown command; did you mean %s?", name, near);
	else
		error("%s: unknown command; `hotline help` lists them", name);
	return NULL;
}

static int help(const char *name)
{
	const struct cli_cmd *cmd;

	if (!name) {
		overview(stdout);
		return EXIT_OK;
	}
	cmd = find(name);
	if (!cmd)
		return EXIT_USAGE;
	cli_help(cmd, stdout);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	const struct cli_cmd *cmd;

	if (!word) {
		overview(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(word, "help") || !strcmp(word, "-h") ||
	    !strcmp(word, "--help"))
		return help(argc > 2 ? argv[2] : NULL);
	if (!strcmp(word, "-V") || !strcmp(word, "--version")) {
		puts("hotline " HL_VERSION);
		return EXIT_OK;
	}
	cmd = find(word);
	return cmd ? cmd->run(argc - 1, argv + 1) : EXIT_USAGE;
}
