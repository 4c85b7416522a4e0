/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations that the guest can be told to do and time. */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <stdint.h>

/*
 * What an operation did; ns is the guest's own clock.  p50 and p99, also of
 * nanoseconds, only if it says what each of ops took; the others, too, unless
 * max is 0.  waited: what passed besides ns, on purpose.
 */
struct guest_result {
	uint64_t ns, ops, bytes, p50, p99, min, mean, max, waited;
};

uint64_t guest_now(void);
/* Says why the operation failed, printf-like; returns -1. */
int guest_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says what the guest would need for it; returns -1. */
int guest_lacks(const char *what);
/* Zeroed pages that begin at a multiple of 2 MiB, so as to be huge if can be. */
void *guest_buffer(uint64_t size);

/* Each with its arguments as text; 0, or -1 after guest_fail(). */
int guest_blk(char *argv[], unsigned int argc, struct guest_result *r);
int guest_net_up(char *argv[], unsigned int argc, struct guest_result *r);
int guest_udp(char *argv[], unsigned int argc, struct guest_result *r);
int guest_tcp(char *argv[], unsigned int argc, struct guest_result *r);
int guest_console(char *argv[], unsigned int argc, struct guest_result *r);
int guest_clock(char *argv[], unsigned int argc, struct guest_result *r);
int guest_timer(char *argv[], unsigned int argc, struct guest_result *r);
int guest_perf(char *argv[], unsigned int argc, struct guest_result *r);
int guest_program(char *argv[], unsigned int argc, struct guest_result *r);
int guest_mmap(char *argv[], unsigned int argc, struct guest_result *r);
int guest_line(char *argv[], unsigned int argc, struct guest_result *r);

/* Ways of guest_timer(): so many wakeups as r->ops says. */
int guest_cyclictest(struct guest_result *r);
int guest_wheel(struct guest_result *r);
/* The same for so many milliseconds; r->ops is then what was done. */
int guest_idle(struct guest_result *r);
int guest_busy(struct guest_result *r);
int guest_storm(struct guest_result *r);
/* p50 and the others of r->ops times, which it sorts. */
void guest_summarize(struct guest_result *r, uint64_t *ns);

#endif
