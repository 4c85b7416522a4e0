// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock read N       reads both clocks N times.  System calls that read clocks
 *                    are refused, so each one that is made is counted.
 * clock threads N    as many readings of CLOCK_MONOTONIC on each processor: none
 *                    is before one that any processor had made.
 * clock page         what /dev/vmclock0 says.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE	      4096
#define MAX_CPUS      64
#define VMCLOCK_MAGIC 0x4b4c4356 /* "VCLK" */

static int64_t read_clock(clockid_t id, uint64_t *failed)
{
	struct timespec ts = { 0 };

	*failed += clock_gettime(id, &ts) != 0;
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int refuse_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettimeofday, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/*
 * What the one clock is ahead of the other cannot be less than a reading of
 * both in turn allows, nor more; while nobody sets it, it is always the same.
 */
struct span {
	int64_t lo, hi;
};

static int read_both(uint64_t n)
{
	uint64_t failed = 0, backward = 0, apart = 0;
	struct span all = { INT64_MIN, INT64_MAX };
	int64_t before, real, after;

	if (refuse_calls()) {
		perror("seccomp");
		return 2;
	}
	before = read_clock(CLOCK_MONOTONIC, &failed);
	for (uint64_t i = 0; i < n; i += 2) {
		real = read_clock(CLOCK_REALTIME, &failed);
		after = read_clock(CLOCK_MONOTONIC, &failed);
		backward += after < before;
		/* Both round down. */
		if (real - after - 1 > all.lo)
			all.lo = real - after - 1;
		if (real - before + 1 < all.hi)
			all.hi = real - before + 1;
		apart += all.lo > all.hi;
		before = after;
	}
	printf("clock: %llu reads, %llu system calls, %llu backward, "
	       "%llu apart\n",
	       (unsigned long long)n, (unsigned long long)failed,
	       (unsigned long long)backward, (unsigned long long)apart);
	return failed || backward || apart;
}

struct reader {
	pthread_t thread;
	int cpu;
	uint64_t n, backward, failed;
};

static _Atomic int64_t latest;

static void *read_often(void *arg)
{
	struct reader *r = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(r->cpu, &set);
	r->failed += sched_setaffinity(0, sizeof(set), &set) != 0;
	for (uint64_t i = 0; i < r->n; i++) {
		int64_t before = atomic_load(&latest);
		int64_t now = read_clock(CLOCK_MONOTONIC, &r->failed);

		r->backward += now < before;
		if (now > before)
			atomic_compare_exchange_strong(&latest, &before, now);
	}
	return NULL;
}

static int read_everywhere(uint64_t n)
{
	static struct reader reader[MAX_CPUS];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t backward = 0, failed = 0;

	if (cpus > MAX_CPUS)
		cpus = MAX_CPUS;
	for (int i = 0; i < cpus; i++) {
		reader[i] = (struct reader){ .cpu = i, .n = n };
		if (pthread_create(&reader[i].thread, NULL, read_often,
				   &reader[i]))
			return 2;
	}
	for (int i = 0; i < cpus; i++) {
		pthread_join(reader[i].thread, NULL);
		backward += reader[i].backward;
		failed += reader[i].failed;
	}
	printf("clock: %ld threads, %llu reads each, %llu backward, "
	       "%llu failed\n",
	       cpus, (unsigned long long)n, (unsigned long long)backward,
	       (unsigned long long)failed);
	return backward || failed;
}

/* The page as other programs find it: mapped, and not to be written to. */
static int show_page(void)
{
	int fd = open("/dev/vmclock0", O_RDONLY);
	const uint32_t *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	static uint32_t copy[PAGE / 4];
	ssize_t got;

	if (fd < 0 || map == MAP_FAILED) {
		perror("/dev/vmclock0");
		return 1;
	}
	printf("vmclock: magic %s, size %u\n",
	       map[0] == VMCLOCK_MAGIC ? "right" : "wrong", map[1]);
	got = read(fd, copy, sizeof(copy));
	printf("vmclock: read %zd bytes, %s\n", got,
	       memcmp(copy, map, 8) ? "others" : "the same");
	printf("vmclock: writable %s\n",
	       mprotect((void *)map, PAGE, PROT_READ | PROT_WRITE) ? "no"
								   : "yes");
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

	if (argc > 2 && !strcmp(argv[1], "read"))
		return read_both(n);
	if (argc > 2 && !strcmp(argv[1], "threads"))
		return read_everywhere(n);
	if (argc > 1 && !strcmp(argv[1], "page"))
		return show_page();
	fprintf(stderr, "usage: clock read N | threads N | page\n");
	return 64;
}
