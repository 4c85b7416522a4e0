// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs benchmarks in L1 and prints a line per sample on standard output: bench,
 * case, metric, unit, mode and value, with tabs between.  One thread.
 *
 *   --bench NAME, --variant NAME, --case NAME[,NAME...]   only these
 *   --metric NAME               of yield only this one
 *   --mode icount|wall|count    what this machine's clock is good for
 *   --runs N                    samples of each figure, after one to warm up
 *   --try N                     the N-th attempt at this
 *   --convoy                    pictures in the place of figures
 *   --list, --list-rows, --list-cases, --list-kernels, --args
 *                               what there is, instead of running
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/kvmstats.h"
#include "tests/bench/netpeer.h"
#include "tests/bench/session.h"

#define DISK_BLOCKS 32768u /* of 4 KiB: as much as the guest's RAM */

/* A repeatable machine would fail again: each try begins so much later. */
#define TRY_US 1370

void bench_sample(const struct bench_row *row, const char *vmm,
		  const char *metric, const char *unit, const char *mode,
		  double value)
{
	printf("%s\t%s\t%s%s%s\t%s\t%s\t%.6g\n", row->bench, vmm, metric,
	       *row->variant ? ", " : "", row->variant, unit, mode, value);
	fflush(stdout);
}

void bench_fault(const struct bench_row *row, const char *vmm, const char *what,
		 const char *why)
{
	fprintf(stderr, "bench: %s %s: %s: %.*s: %s\n", row->bench,
		row->variant, vmm, (int)strcspn(what, "\n"), what, why);
}

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Each block holds its number, which the guest checks. */
static void make_disk(unsigned int place)
{
	static char block[4096];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), BENCH_DISK, place);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die(path);
	for (uint64_t i = 0; i < DISK_BLOCKS; i++) {
		memcpy(block, &i, sizeof(i));
		if (write(fd, block, sizeof(block)) != sizeof(block))
			die(path);
	}
	close(fd);
}

/* What it needs of this machine, once for each place. */
static void prepare_machine(const struct vmms_machine *m)
{
	static unsigned int disks, taps; /* by place, a bit each */
	static bool servers;
	unsigned int place = 1u << m->place;

	if (m->disk && !(disks & place)) {
		make_disk(m->place);
		disks |= place;
	}
	if (m->net != NET_NONE && !servers) {
		errno = -netpeer_start();
		if (errno)
			die("servers");
		servers = true;
	}
	if ((m->net == NET_TAP || m->net == NET_TAP_VHOST) && !(taps & place)) {
		errno = -netpeer_make_tap(m->place);
		if (errno)
			die("tap");
		taps |= place;
	}
}

/* For the VMMs that take part: a disk is as large as a guest. */
static void prepare(const struct bench_row *row,
		    const struct bench_options *opt)
{
	static struct session s[SESSIONS];
	unsigned int n = session_init_all(s, SESSIONS, row, opt);

	for (unsigned int i = 0; i < n; i++)
		prepare_machine(&s[i].machine);
}

/* rows of them, if they take turns. */
static unsigned int run_rows(const struct bench_row *row, size_t rows,
			     const struct bench_options *opt)
{
	if (opt->convoy != (row->kind == KIND_CONVOY))
		return 0;
	for (size_t i = 0; i < rows; i++)
		prepare(&row[i], opt);
	switch (row->kind) {
	case KIND_BOOT:
		return bench_boot(row, opt);
	case KIND_OPS:
		return bench_ops(row, rows, opt);
	case KIND_MEMORY:
		return opt->mode == MODE_COUNT ? bench_memory(row, opt) : 0;
	case KIND_YIELD:
		return opt->mode == MODE_WALL ? bench_yield(row, opt) : 0;
	case KIND_HOLDER:
		return opt->mode == MODE_WALL ? bench_holder(row, opt) : 0;
	case KIND_CONVOY:
		return opt->convoy ? bench_convoy(row, opt) : 0;
	}
	return 1;
}

static enum bench_mode parse_mode(const char *name)
{
	for (int i = 0; i < MODE_NR; i++)
		if (!strcmp(bench_mode_names[i], name))
			return (enum bench_mode)i;
	fprintf(stderr, "bench: --mode %s: icount, wall or count\n", name);
	exit(2);
}

/* The VMMs that can make the machine of one of its rows, with blanks before. */
static void list_able(const char *bench)
{
	for (size_t c = 0; c < vmms_count; c++) {
		bool able = false;

		for (size_t i = 0; i < bench_rows_count && !able; i++) {
			struct vmms_args args = { .n = 0 };

			able = !strcmp(bench_rows[i].bench, bench) &&
			       vmms[c].args(&bench_rows[i].machine, &args);
		}
		if (able)
			printf(" %s", vmms[c].name);
	}
}

static bool can_mode(const struct bench_row *row, enum bench_mode mode)
{
	const struct bench_op *op = row->ops;

	if (row->yield)
		return mode == MODE_WALL;
	if (row->kind != KIND_OPS)
		return row->kind == KIND_BOOT || mode == MODE_COUNT;
	while (op->metric && !op->n[mode])
		op++;
	return op->metric;
}

/* With commas between. */
static void list_modes(const char *bench)
{
	const char *comma = "";

	for (int m = 0; m < MODE_NR; m++) {
		bool can = false;

		for (size_t i = 0; i < bench_rows_count && !can; i++)
			can = !strcmp(bench_rows[i].bench, bench) &&
			      can_mode(&bench_rows[i], (enum bench_mode)m);
		if (!can)
			continue;
		printf("%s%s", comma, bench_mode_names[m]);
		comma = ",";
	}
}

/* Their names, the modes that make sense, and who takes part. */
static void list_benches(const char *wanted)
{
	const char *last = "";

	(void)wanted;
	for (size_t i = 0; i < bench_rows_count; i++) {
		const char *bench = bench_rows[i].bench;

		if (strcmp(last, bench)) {
			printf("%s ", bench);
			list_modes(bench);
			list_able(bench);
			putchar('\n');
		}
		last = bench;
	}
}

/* Those of one bench's rows, some more than once. */
static void list_kernels(const char *bench)
{
	char name[32];

	for (size_t i = 0; i < bench_rows_count; i++) {
		if (bench && strcmp(bench_rows[i].bench, bench))
			continue;
		vmms_kernel_name(&bench_rows[i].machine, name, sizeof(name));
		puts(name);
	}
}

static void list_rows(const char *bench)
{
	(void)bench;
	for (size_t i = 0; i < bench_rows_count; i++)
		if (bench_rows[i].kind != KIND_CONVOY)
			printf("%s\t%s\n", bench_rows[i].bench,
			       bench_rows[i].variant);
}

static void list_cases(const char *bench)
{
	(void)bench;
	for (size_t i = 0; i < vmms_count; i++)
		puts(vmms[i].name);
}

/* The machine of the first row that it can make. */
static bool find_args(const struct vmms_vmm *vmm, struct vmms_args *args)
{
	for (size_t i = 0; i < bench_rows_count; i++) {
		*args = (struct vmms_args){ .n = 0 };
		if (vmm->args(&bench_rows[i].machine, args))
			return true;
	}
	return false;
}

/* The command line of one VMM, for the record. */
static void print_args(const char *vmm)
{
	for (size_t i = 0; i < vmms_count; i++) {
		struct vmms_args args;

		if (!vmm || strcmp(vmms[i].name, vmm) ||
		    !find_args(&vmms[i], &args))
			continue;
		for (size_t a = 0; a < args.n; a++)
			printf(strchr(args.v[a], ' ') ? "%s'%s'" : "%s%s",
			       a ? " " : "", args.v[a]);
		putchar('\n');
	}
}

struct command {
	struct bench_options opt;
	const char *bench, *variant;
	void (*list)(const char *bench);
	bool args;
};

static void parse(struct command *c, int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "bench", required_argument, NULL, 'b' },
		{ "variant", required_argument, NULL, 'v' },
		{ "case", required_argument, NULL, 'c' },
		{ "metric", required_argument, NULL, 'M' },
		{ "mode", required_argument, NULL, 'm' },
		{ "runs", required_argument, NULL, 'r' },
		{ "try", required_argument, NULL, 't' },
		{ "convoy", no_argument, NULL, 'C' },
		{ "list", no_argument, NULL, 'l' },
		{ "list-rows", no_argument, NULL, 'R' },
		{ "list-cases", no_argument, NULL, 'L' },
		{ "list-kernels", no_argument, NULL, 'k' },
		{ "args", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (o == 'b')
			c->bench = optarg;
		else if (o == 'v')
			c->variant = optarg;
		else if (o == 'c')
			c->opt.vmms = optarg;
		else if (o == 'M')
			c->opt.metric = optarg;
		else if (o == 'm')
			c->opt.mode = parse_mode(optarg);
		else if (o == 'r')
			c->opt.runs = (unsigned int)atoi(optarg);
		else if (o == 't')
			usleep((useconds_t)atoi(optarg) * TRY_US);
		else if (o == 'C')
			c->opt.convoy = true;
		else if (o == 'l' || o == 'L')
			c->list = o == 'l' ? list_benches : list_cases;
		else if (o == 'k')
			c->list = list_kernels;
		else if (o == 'R')
			c->list = list_rows;
		else if (o == 'a')
			c->args = true;
		else
			exit(2);
	}
}

static bool is_wanted(const struct command *c, size_t i)
{
	const struct bench_row *row = &bench_rows[i];

	return (!c->bench || !strcmp(c->bench, row->bench)) &&
	       (!c->variant || !strcmp(c->variant, row->variant));
}

/* How many rows from the i-th on take turns. */
static size_t turns_of(const struct command *c, size_t i)
{
	size_t n = 1;

	while (c->opt.mode == MODE_WALL && i + n < bench_rows_count &&
	       bench_rows[i + n].with_last && is_wanted(c, i + n))
		n++;
	return n;
}

int main(int argc, char *argv[])
{
	struct command c = { .opt = { .mode = MODE_WALL, .runs = 5 } };
	unsigned int failed = 0;

	parse(&c, argc, argv);
	if (c.list) {
		c.list(c.bench);
		return 0;
	}
	if (c.args) {
		print_args(c.opt.vmms);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	errno = c.opt.mode == MODE_COUNT ? -kvmstats_trace() : 0;
	if (errno)
		die("KVM's tracepoints");
	for (size_t i = 0, n; i < bench_rows_count; i += n) {
		n = turns_of(&c, i);
		if (is_wanted(&c, i))
			failed += run_rows(&bench_rows[i], n, &c.opt);
	}
	netpeer_stop();
	return failed ? 1 : 0;
}
