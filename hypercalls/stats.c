// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls' counters for people.  I/O thread, or the main thread when the
 * machine has ended.
 */
#include "hypercalls/stats.h"

#include <stdio.h>
#include <string.h>

#include "hypercalls/call.h"
#include "hypercalls/hypercalls.h"
#include "hypercalls/table.h"
#include "vmm/core/counter.h"
#include "vmm/core/vm.h"

struct sum { /* of one row, over all vCPUs and what was posted */
	uint64_t calls, errors, entries, posted;
	uint64_t length[CALL_LENGTHS], time[CALL_TIMES];
};

/* times: they belong to the request at hand. */
static void add(struct sum *sum, const struct call_stats *s, bool times)
{
	sum->calls += counter_get(&s->calls);
	sum->errors += counter_get(&s->errors);
	sum->entries += counter_get(&s->entries);
	for (unsigned int i = 0; i < CALL_LENGTHS; i++)
		sum->length[i] += counter_get(&s->length[i]);
	for (unsigned int i = 0; times && i < CALL_TIMES; i++)
		sum->time[i] += counter_get(&s->time[i]);
}

static struct sum sum_up(const struct hypercalls *hc, unsigned int op)
{
	unsigned int timing = atomic_load(&hc->timing);
	struct sum sum = { .posted = counter_get(&hc->posted[op].calls) };

	add(&sum, &hc->posted[op], timing);
	for (unsigned int i = 0; i < hc->nr_cpus; i++)
		add(&sum, &hc->cpu[i].stats[op],
		    timing && atomic_load(&hc->cpu[i].timing) == timing);
	return sum;
}

static uint64_t crossings(const struct hypercalls *hc)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < hc->nr_cpus; i++)
		n += counter_get(&hc->cpu[i].crossings);
	return n;
}

/* Is there anything to say of this op?  The last is for unknown ones. */
static bool shown(const struct hypercalls *hc, unsigned int op)
{
	return op == call_rows || hc->row[op];
}

static const char *name_of(unsigned int op)
{
	return op == call_rows ? "unknown" : call_table[op].name;
}

/* "1,0,5": without the zeros at the end. */
static void json_array(FILE *out, const char *name, const uint64_t *n,
		       unsigned int nr)
{
	while (nr && !n[nr - 1])
		nr--;
	fprintf(out, ",\"%s\":[", name);
	for (unsigned int i = 0; i < nr; i++)
		fprintf(out, "%s%llu", i ? "," : "", (unsigned long long)n[i]);
	fputc(']', out);
}

static void print_json(void *ctx, FILE *out)
{
	struct hypercalls *hc = ctx;
	const char *sep = "";

	fprintf(out, "{\"crossings\":%llu,\"calls\":[",
		(unsigned long long)crossings(hc));
	for (unsigned int op = 0; op <= call_rows; op++) {
		struct sum s;

		if (!shown(hc, op))
			continue;
		s = sum_up(hc, op);
		fprintf(out,
			"%s{\"name\":\"%s\",\"calls\":%llu,\"errors\":%llu,"
			"\"posted\":%llu,\"entries\":%llu",
			sep, name_of(op), (unsigned long long)s.calls,
			(unsigned long long)s.errors,
			(unsigned long long)s.posted,
			(unsigned long long)s.entries);
		json_array(out, "lengths_log2", s.length, CALL_LENGTHS);
		if (atomic_load(&hc->timing))
			json_array(out, "ns_log2", s.time, CALL_TIMES);
		fputc('}', out);
		sep = ",";
	}
	fputs("]}", out);
}

/* A line for each power of two that was seen. */
static void text_histogram(FILE *out, const char *what, const uint64_t *n,
			   unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (n[i])
			fprintf(out, "    %-8s from %-20llu %12llu\n", what,
				i ? 1ull << i : 0ull, (unsigned long long)n[i]);
}

static void print_text(void *ctx, FILE *out)
{
	struct hypercalls *hc = ctx;

	fprintf(out, "hypercalls, in %llu crossings: calls, errors, entries\n",
		(unsigned long long)crossings(hc));
	for (unsigned int op = 0; op <= call_rows; op++) {
		struct sum s;

		if (!shown(hc, op))
			continue;
		s = sum_up(hc, op);
		if (!s.calls)
			continue;
		fprintf(out, "  %-16s %12llu %12llu %12llu\n", name_of(op),
			(unsigned long long)s.calls,
			(unsigned long long)s.errors,
			(unsigned long long)s.entries);
		if (s.posted)
			fprintf(out, "    %-34s %12llu\n", "through rings",
				(unsigned long long)s.posted);
		text_histogram(out, "entries", s.length, CALL_LENGTHS);
		text_histogram(out, "ns", s.time, CALL_TIMES);
	}
}

/* vCPUs forget their earlier times when they see the new number. */
static void want_times(void *ctx, bool on)
{
	struct hypercalls *hc = ctx;

	for (unsigned int op = 0; on && op <= call_rows; op++)
		for (unsigned int i = 0; i < CALL_TIMES; i++)
			atomic_store(&hc->posted[op].time[i], 0);
	if (on)
		hc->nr_timings++;
	atomic_store(&hc->timing, on ? hc->nr_timings : 0);
}

void call_stats_add(struct hypercalls *hc)
{
	hc->part = (struct stats_part){
		.name = "hypercalls",
		.json = print_json,
		.text = print_text,
		.want_times = want_times,
		.ctx = hc,
	};
	stats_add(hc->vm, &hc->part);
}
