// SPDX-License-Identifier: GPL-2.0-only
/* `hotline stat --exits`: samples of guest addresses, put to names. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/boot/boot.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/client.h"
#include "vmm/cli/stat.h"
#include "vmm/core/exits.h"

#define NAME_LEN  128
#define LOOK_UPS  1000 /* addresses; each reads the kernel's symbols */
#define TEXT_ROWS 40

struct row {
	char function[NAME_LEN];
	char reason[16];
	unsigned long long samples;
};

struct table {
	struct row *row;
	size_t nr;
	unsigned long long samples;
};

static void name_it(char *name, const char *elf, unsigned long long rip,
		    unsigned int nr)
{
	if (!rip)
		strcpy(name, "(others)");
	else if (nr < LOOK_UPS && *elf &&
		 symbol_lookup(elf, rip, name, NAME_LEN))
		*strchrnul(name, '+') = '\0';
	else
		snprintf(name, NAME_LEN, "%#llx", rip);
}

static int add(struct table *t, const struct row *new)
{
	struct row *more;

	t->samples += new->samples;
	for (size_t i = 0; i < t->nr; i++) {
		struct row *r = &t->row[i];

		if (!strcmp(r->function, new->function) &&
		    !strcmp(r->reason, new->reason)) {
			r->samples += new->samples;
			return 0;
		}
	}
	more = realloc(t->row, (t->nr + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->row = more;
	t->row[t->nr++] = *new;
	return 0;
}

/* Lines of exits_print(). */
static int fill(struct table *t, char *body, const char *elf)
{
	char *line, *rest = body;
	unsigned int nr = 0;
	int err = 0;

	while (!err && (line = strsep(&rest, "\n")) && *line) {
		unsigned long long rip;
		struct row r = { 0 };

		if (sscanf(line, "%llx %15s %llu", &rip, r.reason,
			   &r.samples) != 3)
			return -EPROTO;
		name_it(r.function, elf, rip, nr++);
		err = add(t, &r);
	}
	return err;
}

static int by_samples(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->samples < y->samples) - (x->samples > y->samples);
}

static void print_json(const struct table *t)
{
	printf("{\"every\":%d,\"samples\":%llu,\"functions\":[", EXITS_EVERY,
	       t->samples);
	for (size_t i = 0; i < t->nr; i++) {
		printf("%s{\"function\":", i ? "," : "");
		cli_json_string(stdout, t->row[i].function);
		printf(",\"reason\":\"%s\",\"samples\":%llu}", t->row[i].reason,
		       t->row[i].samples);
	}
	puts("]}");
}

static void print_text(const struct table *t)
{
	printf("%llu samples, one of every %d exits\n"
	       "%12s  %6s  %-10s %s\n",
	       t->samples, EXITS_EVERY, "exits", "share", "reason",
	       "guest function");
	for (size_t i = 0; i < t->nr && i < TEXT_ROWS; i++)
		printf("%12llu  %5.1f%%  %-10s %s\n",
		       t->row[i].samples * EXITS_EVERY,
		       100.0 * (double)t->row[i].samples / (double)t->samples,
		       t->row[i].reason, t->row[i].function);
}

int stat_exits(int fd, bool json)
{
	struct table t = { 0 };
	char elf[PATH_MAX], *body;
	int err = client_ask(fd, "info", &body);

	if (err)
		return err;
	client_value(body, "vmlinux", elf, sizeof(elf));
	free(body);
	err = client_ask(fd, "exits", &body);
	if (err)
		return err;
	err = fill(&t, body, elf);
	free(body);
	if (t.nr)
		qsort(t.row, t.nr, sizeof(*t.row), by_samples);
	if (!err && json)
		print_json(&t);
	else if (!err)
		print_text(&t);
	free(t.row);
	return err;
}
