// SPDX-License-Identifier: GPL-2.0-only
/* `hotline stat`: counters of a running machine. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vmm/cli/cli.h"
#include "vmm/cli/client.h"
#include "vmm/cli/stat.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

struct stat_args {
	bool json;
	unsigned int latency_s, exits_s; /* 0 = not asked for */
	unsigned int watch_s;		 /* 0 = once */
	const char *name;
};

static int set_name(void *ctx, const char *val)
{
	struct stat_args *s = ctx;

	if (s->name) {
		error("%s: one machine at a time (an interval is written "
		      "--watch=SECS)",
		      val);
		return EXIT_USAGE;
	}
	s->name = val;
	return 0;
}

static int opt_seconds(unsigned int *out, const struct cli_arg *arg)
{
	uint64_t n = 1;
	int err = arg->val ? cli_uint(arg, 1, 3600, &n) : 0;

	if (!err)
		*out = (unsigned int)n;
	return err;
}

static int opt_watch(void *ctx, const struct cli_arg *arg)
{
	return opt_seconds(&((struct stat_args *)ctx)->watch_s, arg);
}

static int opt_latency(void *ctx, const struct cli_arg *arg)
{
	return opt_seconds(&((struct stat_args *)ctx)->latency_s, arg);
}

static int opt_exits(void *ctx, const struct cli_arg *arg)
{
	return opt_seconds(&((struct stat_args *)ctx)->exits_s, arg);
}

/* The only machine there is; malloc()ed, or NULL after an error(). */
static char *only_name(struct control_dir *dir)
{
	unsigned int nr = 0, live = 0;
	char **names = NULL, *name = NULL;
	pid_t pid;

	client_names(dir, &names, &nr);
	for (unsigned int i = 0; i < nr; i++) {
		int fd = client_connect(dir, names[i], &pid);

		if (fd == -ENOENT)
			continue;
		if (fd >= 0)
			close(fd);
		if (!live++)
			name = strdup(names[i]);
	}
	client_names_free(names, nr);
	if (live == 1)
		return name;
	free(name);
	error(live ? "stat: %u machines are running; write which one's NAME, "
		     "see `hotline list`"
		   : "stat: no machine is running",
	      live);
	return NULL;
}

static int show(const struct stat_args *s, int fd, bool again)
{
	char *body;
	int err = client_ask(fd, s->json ? "stat" : "stat text", &body);

	if (err)
		return err;
	if (!s->json && again && isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout); /* home, clear the screen */
	else if (!s->json && again)
		putchar('\n');
	fputs(body, stdout);
	fflush(stdout);
	free(body);
	return ferror(stdout) ? -EPIPE : 0;
}

static int want(int fd, const char *what, unsigned int seconds)
{
	const struct timespec time = { .tv_sec = seconds };
	char *body;
	int err = client_ask(fd, what, &body);

	if (err)
		return err;
	free(body);
	nanosleep(&time, NULL);
	return 0;
}

/* The first answer, after the time that was to be watched. */
static int observe(const struct stat_args *s, int fd)
{
	int err = 0;

	if (s->exits_s) {
		err = want(fd, "watch exits", s->exits_s);
		return err ? err : stat_exits(fd, s->json);
	}
	if (s->latency_s)
		err = want(fd, "watch latency", s->latency_s);
	return err ? err : show(s, fd, false);
}

static int watch(const struct stat_args *s, struct control_dir *dir,
		 const char *name)
{
	const struct timespec tick = { .tv_sec = s->watch_s };
	pid_t pid;
	int fd = client_connect(dir, name, &pid);
	int err;

	if (fd == -ENOENT)
		return client_no_such(name);
	if (fd < 0) {
		error("%s: %s", name, strerror(-fd));
		return EXIT_OSERR;
	}
	err = observe(s, fd);
	while (!err && s->watch_s) {
		nanosleep(&tick, NULL);
		err = show(s, fd, true);
		/* The machine's end is the end of the watch. */
		if (err == -ECONNRESET)
			break;
	}
	close(fd);
	if (!err || (s->watch_s && err != -ETIMEDOUT))
		return EXIT_OK;
	error("%s: %s", name,
	      err == -ETIMEDOUT	   ? "does not answer"
	      : err == -ECONNRESET ? "the machine has ended"
				   : strerror(-err));
	return EXIT_OSERR;
}

static int stat_cmd(int argc, char **argv)
{
	struct stat_args s = { 0 };
	struct control_dir dir;
	int code = cli_parse(&cli_cmd_stat, argc, argv, &s, NULL);
	char *only = NULL;

	if (code)
		return cli_exit(code);
	if (s.exits_s && (s.watch_s || s.latency_s)) {
		error("--exits: stands alone; drop --%s",
		      s.watch_s ? "watch" : "latency");
		return EXIT_USAGE;
	}
	code = client_open(&dir, s.name);
	if (code == EXIT_NOINPUT && !s.name)
		error("stat: no machine is running");
	if (code)
		return code;
	if (!s.name)
		only = only_name(&dir);
	code = s.name || only ? watch(&s, &dir, s.name ? s.name : only)
			      : EXIT_NOINPUT;
	free(only);
	control_dir_close(&dir);
	return code;
}

static const struct cli_opt options[] = {
	{ .help = "Options" },
	{ .names = { "json" },
	  .help = "Print one JSON object, on one line",
	  .parse = cli_set_true,
	  .at = offsetof(struct stat_args, json) },
	{ .names = { "watch" },
	  .letter = 'w',
	  .metavar = "SECS",
	  .optional = true,
	  .help = "Again and again, each second or each SECS, until the "
		  "machine ends",
	  .parse = opt_watch },
	{ .names = { "latency" },
	  .metavar = "SECS",
	  .optional = true,
	  .help = "How long each hypercall took, as counted for a second or "
		  "SECS (with --watch: from then on)",
	  .parse = opt_latency },
	{ .names = { "exits" },
	  .metavar = "SECS",
	  .optional = true,
	  .help = "Which guest functions cause the exits to hotline, by "
		  "samples of a second or SECS; names are from run's --vmlinux "
		  "or kernel",
	  .parse = opt_exits },
};

const struct cli_cmd cli_cmd_stat = {
	.name = "stat",
	.usage = "[NAME] [OPTION]...",
	.summary = "Show a running machine's counters",
	.about = "Prints how often and why the guest left guest mode, and what "
		 "its devices were asked. NAME may be left out if there is one "
		 "machine only.",
	.opts = options,
	.nr_opts = sizeof(options) / sizeof(options[0]),
	.operand = set_name,
	.examples = "  hotline stat web\n"
		    "  hotline stat web --exits=10\n"
		    "  hotline stat web --json --watch=5\n",
	.run = stat_cmd,
};
