// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches of MSRs by /dev/cpu/msr_batch.  Machine-check banks' MSRs are what
 * is written, as nothing else in the guest uses them.
 *
 *   msr one N     one write of N MSRs, read back by another
 *   msr test      order, errors, masks, permissions, on all processors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH	 "/dev/cpu/msr_batch"
#define ALLOW	 "/dev/cpu/msr_allowlist"
#define BANK(i)	 (0x400u + 4 * ((unsigned int)(i) % 32))
#define NO_MSR	 0x4fffffffu
#define TEST_MSR 0x484c0000u
#define NOBODY	 65534
#define ALL	 (~0ull)
#define OPS	 4096

/* As msr-safe has them. */
struct op {
	uint16_t cpu, isrdmsr;
	int32_t err;
	uint32_t msr;
	uint64_t msrdata, wmask;
};

struct array {
	uint32_t numops;
	struct op *ops;
};

#define X86_IOC_MSR_BATCH _IOWR('c', 0xA2, struct array)

static int fd;
static unsigned int failures;
static struct op op[OPS + 1];

#define check(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			printf("msr: line %d: %s\n", __LINE__, #what);         \
			failures++;                                            \
		}                                                              \
	} while (0)

static struct op *put(unsigned int i, unsigned int cpu, uint32_t msr,
		      uint64_t value)
{
	op[i] = (struct op){
		.cpu = (uint16_t)cpu, .msr = msr, .msrdata = value, .err = 77
	};
	return &op[i];
}

static struct op *get(unsigned int i, unsigned int cpu, uint32_t msr)
{
	put(i, cpu, msr, 0)->isrdmsr = 1;
	return &op[i];
}

/* 0 or errno */
static int run(unsigned int nr)
{
	struct array array = { .numops = nr, .ops = op };

	return ioctl(fd, X86_IOC_MSR_BATCH, &array) < 0 ? errno : 0;
}

static void allow(const char *text, int want)
{
	int f = open(ALLOW, O_WRONLY);
	ssize_t n = write(f, text, strlen(text));

	if ((n < 0 ? errno : 0) != want) {
		printf("msr: allow-list \"%s\": %s\n", text, strerror(errno));
		failures++;
	}
	close(f);
}

static void test_one(unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		put(i, 0, i < 32 ? BANK(i) : TEST_MSR + i % 64,
		    i % 3 ? ALL : 0);
	check(run(nr) == 0);
	for (unsigned int i = 0; i < nr; i++)
		check(op[i].err == 0);
	for (unsigned int i = 0; i < nr && i < 32; i++)
		get(i, 0, BANK(i));
	check(run(nr < 32 ? nr : 32) == 0);
	for (unsigned int i = 0; i < nr && i < 32; i++)
		check(op[i].msrdata == (i % 3 ? ALL : 0));
}

static void test_order(unsigned int cpus)
{
	unsigned int n = 0;

	/* Writes and reads of one MSR in turn, of all processors in turn. */
	for (unsigned int k = 0; k < 30; k++)
		for (unsigned int cpu = 0; cpu < cpus; cpu++) {
			put(n++, cpu, BANK(3), k % 2 ? ALL : 0);
			get(n++, cpu, BANK(3));
		}
	check(run(n) == 0);
	for (unsigned int i = 0; i < n; i += 2)
		check(op[i + 1].msrdata == op[i].msrdata && !op[i + 1].err);
}

static void test_errors(unsigned int cpus)
{
	for (unsigned int i = 0; i < 100; i++)
		put(i, 0, BANK(i), ALL);
	put(40, 0, NO_MSR, 1);
	put(41, 0, BANK(41), 2);
	get(99, 0, NO_MSR);
	check(run(100) == EIO);
	for (int i = 0; i < 100; i++)
		check(op[i].err == (i == 40 || i == 41 || i == 99 ? -EIO : 0));
	for (unsigned int i = 0; i < 32; i++)
		get(i, 0, BANK(i));
	check(run(32) == 0);
	for (unsigned int i = 0; i < 32; i++)
		check(op[i].msrdata == ALL);

	/* A processor that is not there: nothing is done. */
	put(0, 0, BANK(0), 0);
	put(1, cpus, BANK(0), 0);
	check(run(2) == ENXIO && op[1].err == -ENXIO && !op[0].err);
	get(0, 0, BANK(0));
	check(run(1) == 0 && op[0].msrdata == ALL);

	check(run(0) == EINVAL && run(OPS + 1) == EINVAL);
	check(ioctl(fd, X86_IOC_MSR_BATCH, NULL) < 0 && errno == EFAULT);
	check(ioctl(fd, 1, NULL) < 0 && errno == ENOTTY);
	for (unsigned int i = 0; i < OPS; i++)
		put(i, i / 64 % cpus, BANK(i), i % 2 ? ALL : 0);
	check(run(OPS) == 0);
}

static void test_allow_list(void)
{
	char text[256] = "";
	int f;

	allow("0x400 0x1 # bank 0\n\n  # nothing\n0x404 0xffffffffffffffff\n"
	      "0x408\n",
	      0);
	f = open(ALLOW, O_RDONLY);
	check(read(f, text, sizeof(text) - 1) > 0);
	check(!strcmp(text, "0x00000400 0x0000000000000001\n"
			    "0x00000404 0xffffffffffffffff\n"
			    "0x00000408 0x0000000000000000\n"));
	close(f);
	/* What is wrong changes nothing. */
	allow("0x400 bits", EINVAL);
	allow("0x400 1\n0x400 2\n", EINVAL);
	allow("0x100000000 1\n", EINVAL);
}

/* As a user whom the files' modes let in. */
static void test_user(void)
{
	put(0, 0, BANK(0), ALL);
	put(1, 0, BANK(1), 0);
	check(run(2) == 0 && op[0].wmask == ALL);

	close(fd);
	check(chmod(BATCH, 0666) == 0 && chmod(ALLOW, 0666) == 0);
	check(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	check(open(ALLOW, O_WRONLY) < 0 && errno == EPERM);
	fd = open(BATCH, O_RDWR);
	check(fd >= 0);

	/* Only bit 0 is its own: the others keep their value. */
	put(0, 0, BANK(0), 0);
	put(1, 0, BANK(1), ALL);
	get(2, 0, BANK(0));
	get(3, 0, BANK(1));
	get(4, 0, BANK(2));
	check(run(5) == 0);
	check(op[0].wmask == 1 && op[1].wmask == ALL && op[4].wmask == 0);
	check(op[2].msrdata == (ALL & ~1ull) && op[3].msrdata == ALL);

	/* One that may not be done: none is. */
	put(0, 0, BANK(1), 0);
	put(1, 0, BANK(2), ALL);
	check(run(2) == EACCES && op[1].err == -EACCES && !op[0].err);
	get(1, 0, BANK(3));
	check(run(2) == EACCES);
	get(0, 0, BANK(1));
	check(run(1) == 0 && op[0].msrdata == ALL);
}

int main(int argc, char **argv)
{
	unsigned int cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);

	fd = open(BATCH, O_RDWR);
	if (fd < 0) {
		perror(BATCH);
		return 2;
	}
	if (argc > 2 && !strcmp(argv[1], "one")) {
		unsigned int nr = (unsigned int)atoi(argv[2]);

		test_one(nr <= OPS ? nr : OPS);
	} else {
		test_order(cpus);
		test_errors(cpus);
		test_allow_list();
		test_user();
	}
	printf("msr: %u processors, %u failures\n", cpus, failures);
	return failures != 0;
}
