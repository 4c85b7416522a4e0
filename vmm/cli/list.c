// SPDX-License-Identifier: GPL-2.0-only
/* `hotline list`: this user's running machines. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/cli/cli.h"
#include "vmm/cli/client.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

struct list {
	bool json;
	unsigned int shown;
};

struct machine {
	const char *name;
	pid_t pid;
	char state[32];
	bool known; /* what follows */
	unsigned long long cpus, mem, uptime_ms;
};

static unsigned long long number(const char *body, const char *key)
{
	char text[32];

	client_value(body, key, text, sizeof(text));
	return strtoull(text, NULL, 10);
}

/* False: it is gone. */
static bool ask(struct control_dir *dir, struct machine *m)
{
	int fd = client_connect(dir, m->name, &m->pid);
	char *body = NULL;
	int err;

	strcpy(m->state, "not answering");
	if (fd == -EAGAIN)
		return true;
	if (fd < 0)
		return false;
	err = client_ask(fd, "info", &body);
	close(fd);
	if (err)
		return err == -ETIMEDOUT;
	client_value(body, "state", m->state, sizeof(m->state));
	m->cpus = number(body, "cpus");
	m->mem = number(body, "mem");
	m->uptime_ms = number(body, "uptime_ms");
	m->known = true;
	free(body);
	return true;
}

static void print_json(const struct list *list, const struct machine *m)
{
	printf("%s{\"name\":", list->shown ? "," : "");
	cli_json_string(stdout, m->name);
	printf(",\"pid\":%d", (int)m->pid);
	if (m->known)
		printf(",\"cpus\":%llu,\"mem\":%llu,\"uptime_ms\":%llu",
		       m->cpus, m->mem, m->uptime_ms);
	printf(",\"state\":");
	cli_json_string(stdout, m->state);
	putchar('}');
}

static void print_row(const struct machine *m)
{
	char cpus[24] = "-", mem[24] = "-", uptime[40] = "-";
	unsigned long long s = m->uptime_ms / 1000;

	if (m->known) {
		snprintf(cpus, sizeof(cpus), "%llu", m->cpus);
		snprintf(mem, sizeof(mem), "%lluM", m->mem >> 20);
		snprintf(uptime, sizeof(uptime), "%llu:%02llu:%02llu", s / 3600,
			 s / 60 % 60, s % 60);
	}
	printf("%-24s %8d %5s %9s %11s  %s\n", m->name, (int)m->pid, cpus, mem,
	       uptime, m->state);
}

static int show_all(struct list *list, struct control_dir *dir)
{
	unsigned int nr;
	char **names;
	int err = client_names(dir, &names, &nr);

	if (err) {
		error("%s: %s", dir->path, strerror(-err));
		return EXIT_OSERR;
	}
	for (unsigned int i = 0; i < nr; i++) {
		struct machine m = { .name = names[i] };

		if (!ask(dir, &m))
			continue;
		if (list->json)
			print_json(list, &m);
		else
			print_row(&m);
		list->shown++;
	}
	client_names_free(names, nr);
	return 0;
}

static int list(int argc, char **argv)
{
	struct list l = { 0 };
	struct control_dir dir;
	int code = cli_parse(&cli_cmd_list, argc, argv, &l, NULL);
	int err;

	if (code)
		return cli_exit(code);
	err = client_open(&dir, NULL);
	if (err && err != EXIT_NOINPUT)
		return err;
	if (l.json)
		putchar('[');
	else
		printf("%-24s %8s %5s %9s %11s  %s\n", "NAME", "PID", "CPUS",
		       "MEMORY", "UPTIME", "STATE");
	if (!err)
		code = show_all(&l, &dir);
	if (l.json)
		puts("]");
	control_dir_close(&dir);
	return code;
}

static const struct cli_opt options[] = {
	{ .help = "Options" },
	{ .names = { "json" },
	  .help = "Print a JSON array of objects",
	  .parse = cli_set_true,
	  .at = offsetof(struct list, json) },
};

const struct cli_cmd cli_cmd_list = {
	.name = "list",
	.usage = "[OPTION]...",
	.summary = "List the running machines",
	.about = "Lists the machines that this user runs: name, process, CPUs, "
		 "memory, time since start and state. Leftovers of machines "
		 "that were killed are removed.",
	.opts = options,
	.nr_opts = sizeof(options) / sizeof(options[0]),
	.run = list,
};
