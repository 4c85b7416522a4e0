// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations in guests that are all up at once and take turns, run by run.
 * The runner's only thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/session.h"
#include "tests/bench/vmmem.h"

#define SETTLE_US 200000

/* What one of n takes by itself, where it is more than nothing. */
static const uint64_t lasts_ns[] = {
	[UNIT_CPU_PER_OP] = 50000000,
	[UNIT_EXITS_PER_S] = 1000000,
};

static const char *server_of(const struct session *s, char *buf, size_t size)
{
	if (s->machine.net == NET_USER)
		return "10.0.2.2";
	snprintf(buf, size, "10.9.%u.1", s->machine.place);
	return buf;
}

/* Starts the guest and its network. */
static int start(struct session *s)
{
	struct session_result r;
	char command[128], buf[32];
	const char *server = server_of(s, buf, sizeof(buf));
	int last = s->machine.net == NET_USER ? 15 : 2;
	int err = session_start(s);

	if (err)
		return err;
	if (s->machine.net == NET_NONE)
		return 0;
	snprintf(command, sizeof(command), "net %.*s.%d %s\n",
		 (int)(strrchr(server, '.') - server), server, last, server);
	return session_do(s, command, &r);
}

static void print_counts(struct session *s, const struct bench_op *op,
			 const struct kvmstats_values *a,
			 const struct kvmstats_values *b,
			 const struct session_result *r)
{
	bool byte = op->unit == UNIT_US_PER_BYTE;
	bool mib = op->unit == UNIT_MIB_PER_S;
	double per = byte  ? (double)r->bytes
		     : mib ? (double)r->bytes / (1 << 20)
			   : (double)r->ops;

	session_sample(s, op->metric,
		       byte  ? "exits/byte"
		       : mib ? "exits/MiB"
			     : "exits/op",
		       "count", (double)(b->exits - a->exits) / per);
	session_sample(s, op->metric,
		       byte  ? "exits to the VMM/byte"
		       : mib ? "exits to the VMM/MiB"
			     : "exits to the VMM/op",
		       "count", (double)(b->user - a->user) / per);
}

/* In a time; and by operation, if the guest did any meanwhile. */
static void print_rates(struct session *s, const struct bench_op *op,
			const struct kvmstats_values *a,
			const struct kvmstats_values *b,
			const struct session_result *r)
{
	const struct {
		const char *what;
		uint64_t n;
	} rows[] = { { "exits", b->exits - a->exits },
		     { "exits to the VMM", b->user - a->user },
		     { "timer writes", b->timer - a->timer } };
	char unit[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(unit, sizeof(unit), "%s/s", rows[i].what);
		session_sample(s, op->metric, unit, "count",
			       (double)rows[i].n / ((double)r->ns / 1e9));
		if (!r->ops)
			continue;
		snprintf(unit, sizeof(unit), "%s/op", rows[i].what);
		session_sample(s, op->metric, unit, "count",
			       (double)rows[i].n / (double)r->ops);
	}
}

static void print_quantiles(struct session *s, const struct bench_op *op,
			    const struct session_result *r)
{
	const struct {
		const char *name;
		uint64_t ns;
	} quantiles[] = { { "p50", r->p50 },
			  { "p99", r->p99 },
			  { "min", r->min },
			  { "mean", r->mean },
			  { "max", r->max } };
	size_t known = sizeof(quantiles) / sizeof(quantiles[0]);
	char metric[96];

	if (!r->max)
		known = 2;
	for (size_t i = 0; i < known; i++) {
		snprintf(metric, sizeof(metric), "%s, %s of %llu", op->metric,
			 quantiles[i].name, (unsigned long long)r->ops);
		session_sample(s, metric, "us", bench_mode_names[s->opt->mode],
			       (double)quantiles[i].ns / 1e3);
	}
}

static void print_time(struct session *s, const struct bench_op *op,
		       const struct session_result *r)
{
	static const char *const units[] = {
		[UNIT_US_PER_OP] = "us",
		[UNIT_MIB_PER_S] = "MiB/s",
		[UNIT_US_PER_BYTE] = "us/byte",
		[UNIT_CPU_PER_OP] = "us of processor",
	};
	double ns = (double)r->ns, value = 0;

	switch (op->unit) {
	case UNIT_US_PER_OP:
		value = ns / 1e3 / (double)r->ops;
		/* The mean is mostly that of others' time slices. */
		if (s->opt->mode == MODE_WALL && r->p50)
			value = (double)r->p50 / 1e3;
		break;
	case UNIT_CPU_PER_OP:
		value = (double)r->cpu_ns / 1e3 / (double)r->ops;
		break;
	case UNIT_MIB_PER_S:
		value = (double)r->bytes / (1 << 20) / (ns / 1e9);
		break;
	case UNIT_US_PER_BYTE:
		value = ns / 1e3 / (double)r->bytes;
		break;
	case UNIT_US_QUANTILES:
		print_quantiles(s, op, r);
		return;
	case UNIT_EXITS_PER_S:
		return;
	}
	session_sample(s, op->metric, units[op->unit],
		       bench_mode_names[s->opt->mode], value);
}

/* Once it has settled: some let go of memory a little after. */
static int print_memory(struct session *s)
{
	struct vmmem m;
	int err;

	usleep(SETTLE_US);
	err = vmmem_read(&m, s->vm.pid, (uint64_t)BENCH_RAM_MIB << 20);
	if (err) {
		bench_fault(s->row, s->vmm->name, "memory", strerror(-err));
		return err;
	}
	session_sample(s, "memory beyond guest RAM (Pss)", "MB", "count",
		       (double)m.pss / 1e6);
	session_sample(s, "memory beyond guest RAM (private)", "MB", "count",
		       (double)m.private / 1e6);
	session_sample(s, "memory beyond guest RAM (Rss)", "MB", "count",
		       (double)m.rss / 1e6);
	return 0;
}

static int do_once(struct session *s, const struct bench_op *op, bool first)
{
	struct kvmstats_values before, after;
	struct session_result r;
	char command[128], buf[32];
	bool count = s->row->kind == KIND_OPS && s->opt->mode == MODE_COUNT;
	bool rates = op->unit == UNIT_EXITS_PER_S;
	int n, err;

	n = snprintf(command, sizeof(command), op->command,
		     server_of(s, buf, sizeof(buf)));
	snprintf(command + n, sizeof(command) - (size_t)n, " %llu%s\n",
		 (unsigned long long)op->n[s->opt->mode], op->tail);
	s->asked_ns = op->n[s->opt->mode] * lasts_ns[op->unit];
	err = count ? session_counts(s, &before) : 0;
	if (!err)
		err = session_do(s, command, &r);
	if (!err && count)
		err = session_counts(s, &after);
	if (err || first)
		return err;
	if (!count)
		print_time(s, op, &r);
	else if (rates)
		print_rates(s, op, &before, &after, &r);
	else
		print_counts(s, op, &before, &after, &r);
	return 0;
}

/* What a guest cannot do, nobody expects of it. */
static bool is_fault(int err)
{
	return err && err != -EOPNOTSUPP;
}

/* The same, but a guest that hangs is made anew. */
static int do_surely(struct session *s, const struct bench_op *op, bool first)
{
	int err = do_once(s, op, first);

	for (int i = 0; is_fault(err) && err != -EPROTO && i < RESTARTS; i++) {
		session_stop(s);
		err = start(s);
		if (!err && !first)
			err = do_once(s, op, true);
		if (!err)
			err = do_once(s, op, first);
	}
	return err;
}

unsigned int bench_memory(const struct bench_row *row,
			  const struct bench_options *opt)
{
	static struct session s[SESSIONS];
	unsigned int failed = 0, n = session_init_all(s, SESSIONS, row, opt);

	for (unsigned int i = 0; i < n; i++) {
		int err = start(&s[i]);

		for (const struct bench_op *op = row->ops; op && op->metric;
		     op++)
			err = err ? err : do_surely(&s[i], op, true);
		failed += err || print_memory(&s[i]);
		session_stop(&s[i]);
	}
	return failed;
}

/* How many operations it has. */
static size_t ops_of(const struct bench_row *row)
{
	size_t n = 0;

	while (row->ops && row->ops[n].metric)
		n++;
	return n;
}

/* One operation in all, run by run. */
static void do_all(struct session *s, unsigned int n, size_t op)
{
	bool lacking[SESSIONS] = { false };

	for (unsigned int run = 0; run <= s->opt->runs; run++)
		for (unsigned int i = 0; i < n; i++) {
			int err = s[i].failed || lacking[i]
					  ? 0
					  : do_surely(&s[i], &s[i].row->ops[op],
						      !run);

			lacking[i] |= err == -EOPNOTSUPP;
			s[i].failed |= is_fault(err);
		}
}

static bool has_mode(const struct bench_row *row, enum bench_mode mode)
{
	for (const struct bench_op *op = row->ops; op->metric; op++)
		if (op->n[mode])
			return true;
	return false;
}

unsigned int bench_ops(const struct bench_row *row, size_t rows,
		       const struct bench_options *opt)
{
	static struct session s[SESSIONS];
	unsigned int failed = 0, n = 0;

	if (!has_mode(row, opt->mode))
		return 0;
	for (size_t i = 0; i < rows; i++)
		n += session_init_all(s + n, SESSIONS - n, &row[i], opt);
	for (unsigned int i = 0; i < n; i++)
		s[i].failed = start(&s[i]) != 0;
	for (size_t op = 0; op < ops_of(row); op++)
		if (row->ops[op].n[opt->mode])
			do_all(s, n, op);
	for (unsigned int i = 0; i < n; i++) {
		failed += s[i].failed;
		session_stop(&s[i]);
	}
	return failed;
}
