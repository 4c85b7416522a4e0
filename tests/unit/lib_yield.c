// SPDX-License-Identifier: GPL-2.0-only
/* See tests/unit/lib_yield.h. */
#include "tests/unit/lib_yield.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/lib_mmio.h"
#include "vmm/core/log.h"
#include "vmm/core/stats.h"

struct yield_bed yb;
const struct yield_options yield_pulls = { .ways = YIELD_PULL,
					   .rate = 1000000 };
static pthread_t sleeper[YIELD_CPUS];
static pthread_mutex_t over = PTHREAD_MUTEX_INITIALIZER;

static void *sleep_until_over(void *arg)
{
	struct vcpu *v = arg;

	atomic_store(&v->tid, gettid());
	pthread_mutex_lock(&over);
	pthread_mutex_unlock(&over);
	return NULL;
}

/* vCPU 0 is who asks; the others' threads sleep. */
void yield_make(const struct yield_options *opt)
{
	const struct mem_options mem = { .size = YIELD_MEM,
					 .backing = MEM_ANON };

	log_set_level(LOG_ERROR);
	memset(&yb.vm, 0, sizeof(yb.vm));
	yb.vm.nr_cpus = YIELD_CPUS;
	yb.vm.vcpu = yb.vcpu;
	ck_assert_int_eq(mem_init(&yb.vm.mem, &mem), 0);
	memset(&bed, 0, sizeof(bed));
	bed.kvm.on = true;
	pthread_mutex_lock(&over);
	for (unsigned int i = 0; i < YIELD_CPUS; i++) {
		yb.vcpu[i] = (struct vcpu){
			.vm = &yb.vm, .id = i, .fd = -1, .stats_fd = -1
		};
		if (!i)
			continue;
		pthread_create(&sleeper[i], NULL, sleep_until_over,
			       &yb.vcpu[i]);
		while (!atomic_load(&yb.vcpu[i].tid))
			usleep(100);
	}
	yb.yield = yield_new(&yb.vm, opt);
	ck_assert_ptr_nonnull(yb.yield);
}

void yield_unmake(void)
{
	yield_free(yb.yield);
	pthread_mutex_unlock(&over);
	for (unsigned int i = 1; i < YIELD_CPUS; i++)
		pthread_join(sleeper[i], NULL);
	mem_exit(&yb.vm.mem);
	bed.kvm.on = false;
}

unsigned long long yield_stat(const char *name)
{
	char *text = NULL, *at;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	unsigned long long n;

	yb.vm.parts->json(yb.vm.parts->ctx, f);
	fclose(f);
	at = strstr(text, name);
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(sscanf(at + strlen(name), "\":%llu", &n), 1);
	free(text);
	return n;
}
