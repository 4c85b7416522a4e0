/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to people, all on stderr.  Any thread may call these.
 *
 * die() is for set-up only.  What the guest does wrong is at most a
 * warn_limited(), which prints the first few and then counts.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* Runs before die() exits, e.g. to restore the terminal; at most one. */
void log_at_die(void (*fn)(void));

/* "hotline: MESSAGE"; code is an enum exit_code. */
_Noreturn void die(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One per call site; zero-initialised static.  Prints the first 5. */
struct log_limit {
	unsigned int count;
};
void warn_limited(struct log_limit *limit, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
