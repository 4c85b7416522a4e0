// SPDX-License-Identifier: GPL-2.0-only
/* Messages on stderr: one write() per line, so that threads don't mix. */
#include "vmm/core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT 5

static enum log_level level = LOG_WARN;
static void (*at_die)(void);

void log_set_level(enum log_level l)
{
	level = l;
}

bool log_enabled(enum log_level l)
{
	return l <= level;
}

void log_at_die(void (*fn)(void))
{
	at_die = fn;
}

__attribute__((format(printf, 2, 0))) static void
put(const char *prefix, const char *fmt, va_list ap)
{
	char line[1024];
	/* A guest may have the terminal raw: then a line feed is not enough. */
	const char *end = isatty(STDERR_FILENO) ? "\r\n" : "\n";
	size_t len, room = sizeof(line) - 3;
	int n;

	len = (size_t)snprintf(line, room, "hotline: %s", prefix);
	n = vsnprintf(line + len, room - len, fmt, ap);
	if (n > 0)
		len += (size_t)n < room - len ? (size_t)n : room - len - 1;
	strcpy(line + len, end);
	if (write(STDERR_FILENO, line, len + strlen(end)) < 0)
		return; /* nobody is left to tell */
}

#define PUT(lvl, prefix)                                                       \
	do {                                                                   \
		va_list ap_;                                                   \
		if (log_enabled(lvl)) {                                        \
			va_start(ap_, fmt);                                    \
			put(prefix, fmt, ap_);                                 \
			va_end(ap_);                                           \
		}                                                              \
	} while (0)

void die(int code, const char *fmt, ...)
{
	if (at_die)
		at_die();
	PUT(LOG_ERROR, "");
	exit(code);
}

void error(const char *fmt, ...)
{
	PUT(LOG_ERROR, "");
}

void warn(const char *fmt, ...)
{
	PUT(LOG_WARN, "warning: ");
}

void info(const char *fmt, ...)
{
	PUT(LOG_INFO, "");
}

void debug(const char *fmt, ...)
{
	PUT(LOG_DEBUG, "debug: ");
}

void warn_limited(struct log_limit *limit, const char *fmt, ...)
{
	unsigned int n = __atomic_fetch_add(&limit->count, 1, __ATOMIC_RELAXED);

	if (n < LIMIT)
		PUT(LOG_WARN, n == LIMIT - 1
				      ? "warning (the last of its kind): "
				      : "warning: ");
}
