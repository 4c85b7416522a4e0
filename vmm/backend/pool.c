// SPDX-License-Identifier: GPL-2.0-only
/* The worker pool: one list, oldest first, under one lock. */
#include "vmm/backend/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "vmm/core/thread.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct pool_job todo; /* head of a circular list */
	unsigned int queued, idle, threads, max;
	bool quit;
	pthread_t thread[]; /* max of them */
};

static void unlink_job(struct pool *pool, struct pool_job *job)
{
	job->prev->next = job->next;
	job->next->prev = job->prev;
	job->prev = job->next = NULL;
	pool->queued--;
}

static void *work(void *arg)
{
	struct pool *pool = arg;

	pthread_mutex_lock(&pool->lock);
	while (!pool->quit) {
		struct pool_job *job = pool->todo.next;

		if (job == &pool->todo) {
			pool->idle++;
			pthread_cond_wait(&pool->more, &pool->lock);
			pool->idle--;
			continue;
		}
		unlink_job(pool, job);
		pthread_mutex_unlock(&pool->lock);
		job->run(job);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static int start(struct pool *pool)
{
	int err = thread_start(&pool->thread[pool->threads], work, pool);

	if (!err)
		pool->threads++;
	return err;
}

struct pool *pool_new(unsigned int threads)
{
	struct pool *pool =
		calloc(1, sizeof(*pool) + threads * sizeof(pool->thread[0]));

	if (!pool)
		return NULL;
	pool->max = threads;
	pool->todo.prev = pool->todo.next = &pool->todo;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->more, NULL);
	return pool;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->quit = true;
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->threads; i++)
		pthread_join(pool->thread[i], NULL);
	pthread_cond_destroy(&pool->more);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

int pool_add(struct pool *pool, struct pool_job *job)
{
	int err = -EAGAIN;

	pthread_mutex_lock(&pool->lock);
	if (pool->queued >= pool->idle && pool->threads < pool->max)
		err = start(pool);
	/* Fewer threads than wanted are slower; only none is a failure. */
	if (pool->threads) {
		err = 0;
		job->next = &pool->todo;
		job->prev = pool->todo.prev;
		job->prev->next = pool->todo.prev = job;
		pool->queued++;
		pthread_cond_signal(&pool->more);
	}
	pthread_mutex_unlock(&pool->lock);
	return err;
}

bool pool_remove(struct pool *pool, struct pool_job *job)
{
	bool queued;

	pthread_mutex_lock(&pool->lock);
	queued = job->next;
	if (queued)
		unlink_job(pool, job);
	pthread_mutex_unlock(&pool->lock);
	return queued;
}
