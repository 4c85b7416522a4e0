// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs benchmarks in L1 and prints a line per sample on standard output: bench,
 * case, metric, unit, mode and value, with tabs between.  One thread.
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
#include "tests/bench/netpeer.h"

#define DISK_BLOCKS 32768u /* of 4 KiB: as much as the guest's RAM */

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
static void make_disk(void)
{
	static char block[4096];
	int fd = open(BENCH_DISK, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		die(BENCH_DISK);
	for (uint64_t i = 0; i < DISK_BLOCKS; i++) {
		memcpy(block, &i, sizeof(i));
		if (write(fd, block, sizeof(block)) != sizeof(block))
			die(BENCH_DISK);
	}
	close(fd);
}

static void prepare(const struct bench_row *row)
{
	static bool disk, net, tap;

	if (row->machine.disk && !disk) {
		make_disk();
		disk = true;
	}
	if (row->machine.net != NET_NONE && !net) {
		errno = -netpeer_start();
		if (errno)
			die("servers");
		net = true;
	}
	if ((row->machine.net == NET_TAP || row->machine.net == NET_TAP_VHOST) &&
	    !tap) {
		for (unsigned int i = 0; i < vmms_count; i++) {
			errno = -netpeer_make_tap(i);
			if (errno)
				die("tap");
		}
		tap = true;
	}
}

static unsigned int run_row(const struct bench_row *row,
			    const struct bench_options *opt)
{
	prepare(row);
	return row->ops ? bench_ops(row, opt) : bench_boot(row, opt);
}

static enum bench_mode parse_mode(const char *name)
{
	for (int i = 0; i < MODE_NR; i++)
		if (!strcmp(bench_mode_names[i], name))
			return (enum bench_mode)i;
	fprintf(stderr, "bench: --mode %s: icount, wall or count\n", name);
	exit(2);
}

int main(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "bench", required_argument, NULL, 'b' },
		{ "case", required_argument, NULL, 'c' },
		{ "mode", required_argument, NULL, 'm' },
		{ "runs", required_argument, NULL, 'r' },
		{ "row", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	struct bench_options opt = { .mode = MODE_WALL, .runs = 5 };
	const char *bench = NULL, *variant = NULL;
	unsigned int failed = 0;
	int o;

	while ((o = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		switch (o) {
		case 'b':
			bench = optarg;
			break;
		case 'c':
			opt.vmm = optarg;
			break;
		case 'm':
			opt.mode = parse_mode(optarg);
			break;
		case 'r':
			opt.runs = (unsigned int)atoi(optarg);
			break;
		case 'w':
			variant = optarg;
			break;
		default:
			return 2;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < bench_rows_count; i++)
		if ((!bench || !strcmp(bench, bench_rows[i].bench)) &&
		    (!variant || !strcmp(variant, bench_rows[i].variant)))
			failed += run_row(&bench_rows[i], &opt);
	netpeer_stop();
	return failed ? 1 : 0;
}
