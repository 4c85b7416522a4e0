// SPDX-License-Identifier: GPL-2.0-only
/* `hotline pause` and `hotline resume`. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vmm/cli/cli.h"
#include "vmm/cli/client.h"
#include "vmm/core/clock.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

struct pause_args {
	const char *name;
};

static int set_name(void *ctx, const char *val)
{
	struct pause_args *p = ctx;

	if (p->name) {
		error("%s: one machine at a time", val);
		return EXIT_USAGE;
	}
	p->name = val;
	return 0;
}

/* Asks until the machine says that it is in that state. */
static int wait_state(int fd, const char *want)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	int64_t until = clock_ms() + CLIENT_MS;
	char state[32], *body;

	for (;;) {
		int err = client_ask(fd, "info", &body);

		if (err)
			return err;
		client_value(body, "state", state, sizeof(state));
		free(body);
		if (!strcmp(state, want))
			return 0;
		if (!strcmp(state, "ending"))
			return -ECONNRESET;
		if (clock_ms() >= until)
			return -ETIMEDOUT;
		nanosleep(&ms, NULL);
	}
}

static int pause_fd(int fd)
{
	char *body;
	int err = client_ask(fd, "pause", &body);

	if (err)
		return err;
	free(body);
	return wait_state(fd, "paused");
}

/* What ends once it may run again has been resumed. */
static int resume_fd(int fd)
{
	char *body;
	int err = client_ask(fd, "resume", &body);

	if (err)
		return err;
	free(body);
	err = wait_state(fd, "running");
	return err == -ECONNRESET ? 0 : err;
}

static int ask(struct control_dir *dir, const char *name,
	       int (*request)(int fd))
{
	pid_t pid;
	int fd = client_connect(dir, name, &pid);
	int err = fd;

	if (fd == -ENOENT)
		return client_no_such(name);
	if (fd >= 0) {
		err = request(fd);
		close(fd);
	}
	if (!err)
		return EXIT_OK;
	error("%s: %s", name,
	      err == -ETIMEDOUT	   ? "does not answer, or not as asked"
	      : err == -ECONNRESET ? "ended meanwhile"
	      : err == -EPROTO	   ? "is run by a hotline that cannot do that"
				   : strerror(-err));
	return err == -EPROTO ? EXIT_UNAVAIL : EXIT_OSERR;
}

static int run(const struct cli_cmd *cmd, int argc, char **argv,
	       int (*request)(int fd))
{
	struct pause_args p = { 0 };
	struct control_dir dir;
	int code = cli_parse(cmd, argc, argv, &p, NULL);

	if (code)
		return cli_exit(code);
	if (!p.name) {
		error("%s: which one? write a NAME; `hotline list` shows them",
		      cmd->name);
		return EXIT_USAGE;
	}
	code = client_open(&dir, p.name);
	if (code)
		return code;
	code = ask(&dir, p.name, request);
	control_dir_close(&dir);
	return code;
}

static int pause_cmd(int argc, char **argv)
{
	return run(&cli_cmd_pause, argc, argv, pause_fd);
}

static int resume_cmd(int argc, char **argv)
{
	return run(&cli_cmd_resume, argc, argv, resume_fd);
}

const struct cli_cmd cli_cmd_pause = {
	.name = "pause",
	.usage = "NAME",
	.summary = "Keep a running machine's CPUs from running",
	.about = "Stops the machine's CPUs where they are, and waits until "
		 "they stand still. Devices finish what they were asked. Time "
		 "goes on: the guest's clocks are right when it is resumed. A "
		 "paused machine can be stopped like any other. Exit status 0: "
		 "it is paused, now or already; 66: there was none of that "
		 "name; 69: its hotline is too old; 71: it does not answer or "
		 "ended.",
	.operand = set_name,
	.examples = "  hotline pause web\n",
	.run = pause_cmd,
};

const struct cli_cmd cli_cmd_resume = {
	.name = "resume",
	.usage = "NAME",
	.summary = "Let a paused machine go on",
	.about = "Lets the CPUs of a paused machine run again, after telling "
		 "the guest that it missed time. Exit status 0: it runs, now "
		 "or already, or ended since; 66: there was none of that name; "
		 "69: its hotline is too old; 71: it does not answer.",
	.operand = set_name,
	.examples = "  hotline resume web\n",
	.run = resume_cmd,
};
