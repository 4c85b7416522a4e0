/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Worker threads for work that may take long.  They start when there is work
 * and stay.  Any thread may call these.
 */
#ifndef BACKEND_POOL_H
#define BACKEND_POOL_H

#include <stdbool.h>

struct pool;

/* Lies in the caller's object; all zero but run before its first use. */
struct pool_job {
	/* On a worker; may reuse or free the job. */
	void (*run)(struct pool_job *job);
	struct pool_job *prev, *next; /* the pool's; NULL: not queued */
};

/* At most `threads` jobs run at a time.  NULL with errno set. */
struct pool *pool_new(unsigned int threads);
/* Waits for the jobs that run; those still queued never will. */
void pool_free(struct pool *pool);

/*
 * Jobs start in the order of these calls.  0, or -errno if no thread can be
 * had: then it is not queued.
 */
int pool_add(struct pool *pool, struct pool_job *job);
/* True if the job was still queued: it will not run. */
bool pool_remove(struct pool *pool, struct pool_job *job);

#endif
