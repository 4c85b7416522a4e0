/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes of the host that want a processor for themselves. */
#ifndef BENCH_HOG_H
#define BENCH_HOG_H

#include <stdint.h>

#define HOGS_MAX 8

/* Starts one more, held to cpu, at rest: 0 or -errno. */
int hog_start(int cpu);
/* The first one. */
int hog_pid(void);
/* Lets all of them work, or rest. */
void hogs_work(void);
void hogs_rest(void);
/* Rounds of work that all of them have done. */
uint64_t hogs_done(void);
void hogs_stop(void);

#endif
