// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plays a person at a terminal: runs CMD on a pseudo terminal and follows a
 * script, one word and its text a line, from standard input:
 *
 *   expect TEXT    wait until TEXT is shown (behind the last find)
 *   send TEXT      type it; \r \n \t \e \\ and \xHH are escapes
 *   size COLS ROWS resize the terminal
 *   signal NUMBER  send it to CMD
 *   raw            wait until CMD has taken the terminal out of line mode
 *   limit SECONDS  for each wait from here on, and for CMD's end
 *
 * Shows what the terminal showed and ends with CMD's own status (128 + n for
 * a signal), or with 125 and a reason: a limit ran out, or CMD left the
 * terminal in other modes than it found it in.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FAILED	 125
#define SEEN_MAX (1 << 22) /* bytes kept of what was shown */
#define CHUNK	 4096

static struct {
	int master, slave;
	pid_t pid; /* 0 once it was reaped */
	int status;
	char seen[SEEN_MAX + CHUNK + 1];
	size_t len, found; /* bytes; where the last expect ended */
	int limit;	   /* seconds */
} term = { .limit = 600 };

static void show(void)
{
	for (size_t i = 0; i < term.len; i++) {
		unsigned char c = (unsigned char)term.seen[i];

		if (c == '\n' || (c >= ' ' && c < 0x7f))
			putchar(c);
		else if (c != '\r')
			printf("\\x%02x", c);
	}
	fflush(stdout);
}

static _Noreturn void fail(const char *fmt, ...)
{
	va_list ap;

	if (term.pid > 0)
		kill(term.pid, SIGKILL);
	show();
	fputs("\npty: ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(FAILED);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

/* Keeps what is shown within ms; false if nothing was. */
static bool take(int ms)
{
	struct pollfd pfd = { term.master, POLLIN, 0 };
	char *at = term.seen + term.len;
	ssize_t got;

	if (poll(&pfd, 1, ms) <= 0)
		return false;
	if (term.len > SEEN_MAX)
		fail("more output than this program keeps");
	got = read(term.master, at, CHUNK);
	if (got <= 0)
		return false;
	for (ssize_t i = 0; i < got; i++)
		if (!at[i])
			at[i] = '\1'; /* a NUL would end the search */
	term.len += (size_t)got;
	term.seen[term.len] = '\0';
	return true;
}

static bool ended(void)
{
	if (term.pid && waitpid(term.pid, &term.status, WNOHANG) == term.pid)
		term.pid = 0;
	return !term.pid;
}

static int code(void)
{
	return WIFEXITED(term.status) ? WEXITSTATUS(term.status)
				      : 128 + WTERMSIG(term.status);
}

static bool find(const char *text)
{
	char *at = strstr(term.seen + term.found, text);

	if (!at)
		return false;
	term.found = (size_t)(at - term.seen) + strlen(text);
	return true;
}

static void expect(const char *text)
{
	long long end = now_ms() + term.limit * 1000ll;

	while (!find(text)) {
		if (now_ms() > end)
			fail("\"%s\" did not come in %d s", text, term.limit);
		if (!take(100) && ended() && !take(0) && !find(text))
			fail("it ended with %d before \"%s\"", code(), text);
	}
}

/* In place; returns the bytes that are left. */
static size_t unescape(char *s)
{
	static const char names[] = "rnte\\", values[] = "\r\n\t\033\\";
	char *in = s, *out = s;

	while (*in) {
		const char *name = *in == '\\' && in[1] ? strchr(names, in[1])
							: NULL;
		unsigned int byte;

		if (*in == '\\' && in[1] == 'x' &&
		    sscanf(in + 2, "%2x", &byte) == 1) {
			*out++ = (char)byte;
			in += 4;
		} else if (name) {
			*out++ = values[name - names];
			in += 2;
		} else {
			*out++ = *in++;
		}
	}
	return (size_t)(out - s);
}

static void type(char *text)
{
	size_t len = unescape(text);

	for (size_t at = 0; at < len;) {
		ssize_t put = write(term.master, text + at, len - at);

		if (put < 0)
			fail("cannot type: %s", strerror(errno));
		at += (size_t)put;
		while (take(0))
			;
	}
}

static void resize(const char *text)
{
	struct winsize ws = { 0 };

	if (sscanf(text, "%hu %hu", &ws.ws_col, &ws.ws_row) != 2 ||
	    ioctl(term.master, TIOCSWINSZ, &ws))
		fail("size %s: cannot", text);
}

static void wait_raw(void)
{
	long long end = now_ms() + term.limit * 1000ll;
	struct termios now;

	while (!tcgetattr(term.slave, &now) && now.c_lflag & ICANON) {
		if (now_ms() > end || ended())
			fail("the terminal stayed in line mode");
		take(20);
	}
}

static void step(char *line)
{
	char *text = line + strcspn(line, " ");

	if (*text)
		*text++ = '\0';
	if (!strcmp(line, "expect"))
		expect(text);
	else if (!strcmp(line, "send"))
		type(text);
	else if (!strcmp(line, "size"))
		resize(text);
	else if (!strcmp(line, "signal"))
		kill(term.pid, atoi(text));
	else if (!strcmp(line, "raw"))
		wait_raw();
	else if (!strcmp(line, "limit"))
		term.limit = atoi(text);
	else if (*line && *line != '#')
		fail("unknown step: %s", line);
}

static void start(char **argv)
{
	struct winsize ws = { .ws_row = 24, .ws_col = 80 };

	term.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (term.master < 0 || grantpt(term.master) || unlockpt(term.master))
		fail("no pseudo terminal: %s", strerror(errno));
	term.slave = open(ptsname(term.master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ioctl(term.master, TIOCSWINSZ, &ws);
	term.pid = fork();
	if (term.pid)
		return;
	setsid();
	ioctl(term.slave, TIOCSCTTY, 0);
	/* A shell has its background jobs ignore these. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	for (int fd = 0; fd < 3; fd++)
		dup2(term.slave, fd);
	execvp(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct termios before = { 0 }, after = { 0 };
	long long end;
	char line[4096];

	if (argc < 2) {
		fputs("usage: pty CMD [ARG...] <SCRIPT\n", stderr);
		return FAILED;
	}
	start(argv + 1);
	tcgetattr(term.slave, &before);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		step(line);
	}
	for (end = now_ms() + term.limit * 1000ll; !ended(); take(50))
		if (now_ms() > end)
			fail("it did not end in %d s", term.limit);
	while (take(0))
		;
	tcgetattr(term.slave, &after);
	if (memcmp(&before, &after, sizeof(before)))
		fail("it ended with %d and left the terminal in other modes",
		     code());
	show();
	return code();
}
