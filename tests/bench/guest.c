// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of a guest that is measured: waits on its console for the name of an
 * operation and its arguments, does it, and answers with what it took. One
 * thread.
 *
 *   <- READY
 *   -> OPERATION ARGUMENT...
 *   <- V NAME VALUE UNIT       (any number of these, by some)
 *   <- R NANOSECONDS OPERATIONS BYTES P50 P99 MIN MEAN MAX WAITED
 *   or: E WHY
 *   or: S WHAT IT LACKS
 */
#include "guest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define WORDS	  8
#define HUGE_PAGE (2ull << 20)

static const struct {
	const char *name;
	unsigned int argc;
	int (*run)(char *argv[], unsigned int argc, struct guest_result *r);
} operations[] = {
	{ "blk", 4, guest_blk },	 { "net", 2, guest_net_up },
	{ "udp", 3, guest_udp },	 { "tcp", 3, guest_tcp },
	{ "console", 2, guest_console }, { "line", 2, guest_line },
	{ "time", 3, guest_clock },	 { "timer", 3, guest_timer },
	{ "perf", 2, guest_perf },	 { "program", 2, guest_program },
	{ "mmap", 2, guest_mmap },
};

uint64_t guest_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int guest_fail(const char *format, ...)
{
	va_list ap;

	printf("\nE ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	return -1;
}

int guest_lacks(const char *what)
{
	printf("\nS not measured, the guest has no %s\n", what);
	return -1;
}

void *guest_buffer(uint64_t size)
{
	char *p = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	p = (char *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	memset(p, 0, size);
	return p;
}

/* The console changes no byte and echoes none. */
static void console_raw(void)
{
	struct termios t;

	if (tcgetattr(0, &t))
		return;
	cfmakeraw(&t);
	t.c_lflag |= ICANON;
	tcsetattr(0, TCSANOW, &t);
}

static void answer(const struct guest_result *r)
{
	const uint64_t values[] = { r->ns,  r->ops,  r->bytes, r->p50,	 r->p99,
				    r->min, r->mean, r->max,   r->waited };

	printf("\nR");
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		printf(" %llu", (unsigned long long)values[i]);
	putchar('\n');
}

static void obey(char *line)
{
	struct guest_result r = { 0 };
	char *argv[WORDS];
	unsigned int argc = 0;

	for (char *w = strtok(line, " \n"); w && argc < WORDS;
	     w = strtok(NULL, " \n"))
		argv[argc++] = w;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]);
	     i++) {
		if (!argc || strcmp(argv[0], operations[i].name))
			continue;
		if (argc - 1 < operations[i].argc)
			guest_fail("%s: too few arguments", argv[0]);
		else if (!operations[i].run(argv + 1, argc - 1, &r))
			answer(&r);
		return;
	}
	guest_fail("no such operation");
}

int main(void)
{
	char line[256];

	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	console_raw();
	/* One write for one answer. */
	setvbuf(stdout, NULL, _IOFBF, 4096);
	printf("READY\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		obey(line);
		fflush(stdout);
	}
	for (;;)
		pause();
}
