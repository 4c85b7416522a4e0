// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on the line to the VMM, by the test that the paravirtual kernel has in
 * debugfs; its documentation describes it.
 *
 *   line WORD...    the test's words; what the kernel then says is checked
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEST	"/sys/kernel/debug/hotline/test"
#define YIELDS	"/sys/kernel/debug/hotline/yield"
#define BEST_OF 100 /* rounds that it does besides, to time them one by one */

/* Of these there must be none. */
static const char *const faults[] = {
	"errors", "wrong",	"no_room",  "lost",
	"full",	  "duplicated", "not_once", "disordered",
};

/* What the kernel said, and how long it took to. */
struct said {
	uint64_t took_ns;
	uint64_t total_ns, rounds, per_round, calls, samples, p50, p99;
};

static const struct {
	const char *name;
	size_t at;
} figures[] = {
	{ "total", offsetof(struct said, total_ns) },
	{ "rounds", offsetof(struct said, rounds) },
	{ "calls", offsetof(struct said, calls) },
	{ "samples", offsetof(struct said, samples) },
	{ "p50", offsetof(struct said, p50) },
	{ "p99", offsetof(struct said, p99) },
};

static int open_test(void)
{
	int fd = open(TEST, O_RDWR);

	if (fd >= 0)
		return fd;
	mkdir("/sys", 0755);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	return open(TEST, O_RDWR);
}

static int say(int fd, char *argv[], unsigned int argc)
{
	char text[128] = "";

	for (unsigned int i = 0; i < argc; i++) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "",
			 argv[i]);
	}
	return write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* One line of the answer: name, value, unit. */
static int understand(struct said *s, const char *line)
{
	char name[16], unit[16];
	unsigned long long value;

	if (sscanf(line, "%15s %llu %15s", name, &value, unit) != 3)
		return guest_fail("line: \"%s\"", line);
	printf("\nV %s", line);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (value && !strcmp(name, faults[i]))
			return guest_fail("line: %s", line);
	if (!strcmp(unit, "per_round"))
		s->per_round = value;
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		if (!strcmp(name, figures[i].name))
			*(uint64_t *)((char *)s + figures[i].at) = value;
	return 0;
}

static int hear(int fd, struct said *s)
{
	char text[2048];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	int err = 0;

	if (n < 0)
		return guest_fail("line: %s", strerror(errno));
	text[n] = '\0';
	for (char *l = strtok(text, "\n"); l && !err; l = strtok(NULL, "\n"))
		err = understand(s, l);
	return err;
}

/* The exits that are counted are of all rounds, the total is not. */
static void of_rounds(struct guest_result *r, const struct said *s)
{
	uint64_t rounds =
		s->rounds + (s->rounds < BEST_OF ? s->rounds : BEST_OF);

	r->ops = rounds * s->per_round;
	r->ns = s->total_ns * rounds / s->rounds;
}

/* What yields have come to so far, if there are any: lines of name, number. */
static void say_yields(void)
{
	char line[64], name[24];
	unsigned long long n;
	FILE *f = fopen(YIELDS, "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%23s %llu", name, &n) == 2)
			printf("\nV yield_%s %llu times", name, n);
	if (f)
		fclose(f);
}

static void conclude(struct guest_result *r, const struct said *s)
{
	if (s->rounds) {
		of_rounds(r, s);
	} else if (s->samples) {
		r->ops = s->samples;
		r->ns = s->took_ns;
		r->p50 = s->p50;
		r->p99 = s->p99;
	} else {
		r->ops = s->calls;
		r->ns = s->total_ns;
	}
}

int guest_line(char *argv[], unsigned int argc, struct guest_result *r)
{
	struct said s = { .per_round = 1 };
	uint64_t start;
	int fd = open_test(), err;

	if (fd < 0)
		return guest_fail(TEST ": %s", strerror(errno));
	start = guest_now();
	err = say(fd, argv, argc);
	s.took_ns = guest_now() - start;
	if (err)
		guest_fail("line %s: %s", argv[0], strerror(errno));
	else
		err = hear(fd, &s);
	close(fd);
	say_yields();
	if (!err)
		conclude(r, &s);
	return err;
}
