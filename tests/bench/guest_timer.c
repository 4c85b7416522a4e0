// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers, by the clock event device that the kernel has.
 *
 *   timer DEVICE HOW N    fails if the device is not DEVICE; HOW:
 *                         later       sets a timer N times, always to later
 *                         earlier     the same, always to earlier
 *                         cancel      sets and cancels it N times
 *                         sleep       N times until 1 ms from now, while idle
 *                         cyclictest  the same as that program does it
 *                         wheel       N times for 30 ms in vain for a message
 *                         idle, busy  does nothing, computes for N ms
 *                         storm       has sockets' timers put off for N ms
 *
 * The timer that is set never expires, but is the next one that would: behind
 * it is the kernel's tick, which is at the multiples of its period.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEVICE	   "/sys/devices/system/clockevents/clockevent0/current_device"

#define TIMER_LIST "/proc/timer_list"

#define SLEEP_NS   1000000
/* Before the next tick: when to stop, and the times to set; each by a step. */
#define STOP_NS	 100000
#define FIRST_NS 90000
#define LAST_NS	 10000
#define STEP_NS	 2

static int check_device(const char *wanted)
{
	char name[64] = "";
	int fd = open(DEVICE, O_RDONLY);
	ssize_t n;

	if (fd < 0) {
		mkdir("/sys", 0755);
		mount("sysfs", "/sys", "sysfs", 0, NULL);
		fd = open(DEVICE, O_RDONLY);
	}
	n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	if (n <= 0)
		return guest_fail(DEVICE ": %s", strerror(errno));
	close(fd);
	name[strcspn(name, "\n")] = '\0';
	if (strcmp(name, wanted))
		return guest_fail("the clock event device is %s, not %s", name,
				  wanted);
	return 0;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000),
				  .tv_nsec = (long)(ns % 1000000000) };
}

/* --- set and cancelled --- */

/* The earliest that the timer may expire now; the signal's handler looks. */
static volatile uint64_t due;
static volatile sig_atomic_t early;

static void expired(int signal)
{
	(void)signal;
	early |= guest_now() < due;
}

/* 0: to cancel it.  The old time holds until the new one does. */
static int set(timer_t timer, uint64_t ns)
{
	const struct itimerspec t = { .it_value = timespec_of(ns) };
	int err;

	if (ns && ns < due)
		due = ns;
	err = timer_settime(timer, TIMER_ABSTIME, &t, NULL);
	if (ns)
		due = ns;
	return err;
}

static int set_later(timer_t timer, uint64_t tick, uint64_t i)
{
	uint64_t by = i * STEP_NS;

	if (by > FIRST_NS - LAST_NS)
		by = FIRST_NS - LAST_NS;
	return set(timer, tick - FIRST_NS + by);
}

static int set_earlier(timer_t timer, uint64_t tick, uint64_t i)
{
	uint64_t by = i * STEP_NS;

	if (by > FIRST_NS - LAST_NS)
		by = FIRST_NS - LAST_NS;
	return set(timer, tick - LAST_NS - by);
}

static int set_and_cancel(timer_t timer, uint64_t tick, uint64_t i)
{
	(void)i;
	return set(timer, tick - FIRST_NS) || set(timer, 0);
}

static uint64_t coarse_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/*
 * Waits until the kernel has handled a tick, which moves the coarse clock; a
 * tick that a busy host is late to interrupt for is still the next to expire.
 * Returns when the one after it is due.
 */
static uint64_t next_tick(uint64_t period)
{
	uint64_t before = coarse_now();

	while (coarse_now() == before)
		;
	return (guest_now() / period + 1) * period;
}

/*
 * What the kernel says of its timers: when its devices are to interrupt next,
 * and how often it hung.  If timers expire faster than it can handle them, it
 * programs no device for a while, whatever is set.
 */
static uint64_t look(uint64_t at, bool *programmed)
{
	unsigned long long n, hangs = 0;
	FILE *f = fopen(TIMER_LIST, "re");
	char line[128];

	if (!f) {
		mkdir("/proc", 0755);
		mount("proc", "/proc", "proc", 0, NULL);
		f = fopen(TIMER_LIST, "re");
	}
	*programmed = false;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " .nr_hangs : %llu", &n) == 1)
			hangs += n;
		if (sscanf(line, " next_event: %llu", &n) == 1)
			*programmed |= n == at;
	}
	if (f)
		fclose(f);
	return hangs;
}

/*
 * Until the next tick is near or left have been done; how many, or -1.  None
 * if the kernel does not program the device meanwhile.
 */
static int64_t set_until_tick(timer_t timer, uint64_t period, uint64_t left,
			      int (*one)(timer_t, uint64_t, uint64_t),
			      struct guest_result *r, uint64_t *took)
{
	uint64_t before = guest_now(), tick = next_tick(period);
	uint64_t start, now, last, hung, i;
	bool programmed, again;

	due = tick;
	if (set(timer, tick - LAST_NS))
		return -1;
	hung = look(tick - LAST_NS, &programmed);
	start = now = guest_now();
	for (i = 0; programmed && i < left && now < tick - STOP_NS; i++) {
		last = now;
		if (one(timer, tick, i))
			return -1;
		now = guest_now();
		took[i] = now - last;
	}
	r->waited += start - before;
	if (set(timer, 0))
		return -1;
	if (look(0, &again) != hung) {
		r->waited += guest_now() - start;
		return 0;
	}
	r->ns += now - start;
	return (int64_t)i;
}

static int do_set(int (*one)(timer_t, uint64_t, uint64_t),
		  struct guest_result *r)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGALRM };
	struct timespec period;
	uint64_t *took = calloc(r->ops, sizeof(*took)), done = 0;
	timer_t timer;
	int64_t n = 0;

	early = 0;
	signal(SIGALRM, expired);
	/* What the coarse clock moves by is the tick's period. */
	if (!took || clock_getres(CLOCK_MONOTONIC_COARSE, &period) ||
	    timer_create(CLOCK_MONOTONIC, &event, &timer))
		return guest_fail("timer: %s", strerror(errno));
	for (; done < r->ops && n >= 0; done += (uint64_t)n)
		n = set_until_tick(timer, (uint64_t)period.tv_nsec,
				   r->ops - done, one, r, took + done);
	timer_delete(timer);
	if (n >= 0)
		guest_summarize(r, took);
	free(took);
	if (n < 0)
		return guest_fail("timer: %s", strerror(errno));
	return early ? guest_fail("timer: expired early") : 0;
}

static int later(struct guest_result *r)
{
	return do_set(set_later, r);
}
static int earlier(struct guest_result *r)
{
	return do_set(set_earlier, r);
}
static int cancel(struct guest_result *r)
{
	return do_set(set_and_cancel, r);
}

/* --- slept by --- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void guest_summarize(struct guest_result *r, uint64_t *ns)
{
	uint64_t sum = 0;

	if (!r->ops)
		return;
	qsort(ns, r->ops, sizeof(*ns), by_value);
	for (uint64_t i = 0; i < r->ops; i++)
		sum += ns[i];
	r->min = ns[0];
	r->mean = sum / r->ops;
	r->max = ns[r->ops - 1];
	r->p50 = ns[r->ops / 2];
	r->p99 = ns[r->ops * 99 / 100];
}

static int sleeps(struct guest_result *r)
{
	uint64_t *late = calloc(r->ops, sizeof(*late));
	uint64_t start = guest_now(), now = start;
	bool ok = late && r->ops;

	/* Else it may be as late as 50 us, to share another's interrupt. */
	prctl(PR_SET_TIMERSLACK, 1ul);
	for (uint64_t i = 0; ok && i < r->ops; i++) {
		uint64_t until = now + SLEEP_NS;
		struct timespec t = timespec_of(until);

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		now = guest_now();
		late[i] = now - until;
		ok = now >= until;
	}
	r->ns = now - start;
	if (ok)
		guest_summarize(r, late);
	free(late);
	return ok ? 0 : guest_fail("timer: woken early, or no memory");
}

int guest_timer(char *argv[], unsigned int argc, struct guest_result *r)
{
	static const struct {
		const char *name;
		int (*run)(struct guest_result *r);
	} ways[] = {
		{ "later", later },
		{ "earlier", earlier },
		{ "cancel", cancel },
		{ "sleep", sleeps },
		{ "cyclictest", guest_cyclictest },
		{ "wheel", guest_wheel },
		{ "idle", guest_idle },
		{ "busy", guest_busy },
		{ "storm", guest_storm },
	};

	(void)argc;
	if (check_device(argv[0]))
		return -1;
	r->ops = strtoull(argv[2], NULL, 10);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(argv[1], ways[i].name))
			return ways[i].run(r);
	return guest_fail("timer: no way \"%s\"", argv[1]);
}
