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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEST	"/sys/kernel/debug/hotline/test"
#define BEST_OF 100 /* rounds that it does besides, to time them one by one */

/* Of these there must be none. */
static const char *const faults[] = {
	"errors", "wrong",	"no_room",  "lost",
	"full",	  "duplicated", "not_once", "disordered",
};

/* What the kernel said. */
struct said {
	uint64_t total_ns, rounds, per_round, calls;
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
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (value && !strcmp(name, faults[i]))
			return guest_fail("line: %s", line);
	if (!strcmp(name, "total"))
		s->total_ns = value;
	else if (!strcmp(name, "rounds"))
		s->rounds = value;
	else if (!strcmp(unit, "per_round"))
		s->per_round = value;
	else if (!strcmp(name, "calls"))
		s->calls = value;
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

int guest_line(char *argv[], unsigned int argc, struct guest_result *r)
{
	struct said s = { .per_round = 1 };
	uint64_t rounds;
	int fd = open_test(), err;

	if (fd < 0)
		return guest_fail(TEST ": %s", strerror(errno));
	err = say(fd, argv, argc);
	if (err)
		guest_fail("line %s: %s", argv[0], strerror(errno));
	else
		err = hear(fd, &s);
	close(fd);
	if (err)
		return err;
	/* The exits that are counted are of all rounds, the total is not. */
	rounds = s.rounds + (s.rounds < BEST_OF ? s.rounds : BEST_OF);
	r->ops = s.rounds ? rounds * s.per_round : s.calls;
	r->ns = s.rounds ? s.total_ns * rounds / s.rounds : s.total_ns;
	return 0;
}
