// SPDX-License-Identifier: GPL-2.0-only
/* `hotline stop`: ends machines from outside. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/cli/cli.h"
#include "vmm/cli/client.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

struct stop {
	bool all;
	unsigned int timeout_s;
	const char *name;
};

static int set_name(void *ctx, const char *val)
{
	struct stop *s = ctx;

	if (s->name) {
		error("%s: one machine at a time; or --all", val);
		return EXIT_USAGE;
	}
	s->name = val;
	return 0;
}

static int opt_timeout(void *ctx, const struct cli_arg *arg)
{
	struct stop *s = ctx;
	uint64_t n;
	int err = cli_uint(arg, 1, 3600, &n);

	if (!err)
		s->timeout_s = (unsigned int)n;
	return err;
}

/* An enum exit_code; gone: it ended before it could be asked. */
static int stop_one(struct stop *s, struct control_dir *dir, const char *name,
		    bool *gone)
{
	char *body = NULL;
	pid_t pid;
	int fd = client_connect(dir, name, &pid);
	int err;

	*gone = fd == -ENOENT;
	if (fd < 0) {
		if (!*gone)
			error("%s: %s", name, strerror(-fd));
		return EXIT_OSERR;
	}
	err = client_ask(fd, "stop", &body);
	free(err ? NULL : body);
	/* A reset means that it was ending anyway. */
	if (!err || err == -ECONNRESET)
		err = client_wait_gone(fd, pid, (int)s->timeout_s * 1000);
	close(fd);
	if (!err)
		return EXIT_OK;
	error("%s: %s; `kill -9 %d` ends it the hard way", name,
	      err == -ETIMEDOUT ? "does not end" : strerror(-err), (int)pid);
	return EXIT_OSERR;
}

static int stop_all(struct stop *s, struct control_dir *dir)
{
	unsigned int nr;
	char **names;
	bool gone;
	int err = client_names(dir, &names, &nr), code = EXIT_OK;

	if (err) {
		error("%s: %s", dir->path, strerror(-err));
		return EXIT_OSERR;
	}
	for (unsigned int i = 0; i < nr; i++) {
		err = stop_one(s, dir, names[i], &gone);
		if (err && !gone)
			code = err;
	}
	client_names_free(names, nr);
	return code;
}

static int stop(int argc, char **argv)
{
	struct stop s = { .timeout_s = 10 };
	struct control_dir dir;
	int code = cli_parse(&cli_cmd_stop, argc, argv, &s, NULL);
	bool gone = false;

	if (code)
		return cli_exit(code);
	if (!s.name == !s.all) {
		error("stop: which one? write a NAME, or --all%s",
		      s.all ? ", but not both" : "");
		return EXIT_USAGE;
	}
	code = client_open(&dir, s.name);
	if (code)
		return code == EXIT_NOINPUT && s.all ? EXIT_OK : code;
	code = s.all ? stop_all(&s, &dir) : stop_one(&s, &dir, s.name, &gone);
	if (gone)
		code = client_no_such(s.name);
	control_dir_close(&dir);
	return code;
}

static const struct cli_opt options[] = {
	{ .help = "Options" },
	{ .names = { "all" },
	  .letter = 'a',
	  .help = "Stop every machine of this user",
	  .parse = cli_set_true,
	  .at = offsetof(struct stop, all) },
	{ .names = { "timeout" },
	  .metavar = "SECS",
	  .help = "How long to wait until it is gone (default: 10)",
	  .parse = opt_timeout },
};

const struct cli_cmd cli_cmd_stop = {
	.name = "stop",
	.usage = "NAME | --all [OPTION]...",
	.summary = "Stop a running machine",
	.about = "Ends a machine as if its power was cut, and waits until its "
		 "process is gone; that one exits with status 85. Exit status "
		 "0: it is gone; 66: there was none of that name; 71: it does "
		 "not end.",
	.opts = options,
	.nr_opts = sizeof(options) / sizeof(options[0]),
	.operand = set_name,
	.examples = "  hotline stop web\n"
		    "  hotline stop --all\n",
	.run = stop,
};
