// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock page's life.  Its thread, "clock", wakes once a period and when
 * somebody sets the host's clock, and is the only one that bends the line;
 * the I/O thread writes to the page when the machine is resumed.
 */
#include "vmm/backend/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vmm/backend/clock_host.h"
#include "vmm/backend/clock_page.h"
#include "vmm/core/clock.h"
#include "vmm/core/counter.h"
#include "vmm/core/hold.h"
#include "vmm/core/irq.h"
#include "vmm/core/log.h"
#include "vmm/core/machine.h"
#include "vmm/core/stats.h"
#include "vmm/core/thread.h"
#include "vmm/core/tsc.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define NS_PER_MS 1000000ull
#define IDLE_MS	  250 /* period while there is no line to bend */
/*
 * How long after the host's TSC was lost KVM is made to look again, which stops
 * the vCPUs for a moment; twice as long each time, up to the second.
 */
#define RENEW_NS      (1000 * NS_PER_MS)
#define RENEW_MOST_NS (64 * RENEW_NS)
/* Not having run for so much longer than planned is a disruption. */
#define GAP_NS (1000 * NS_PER_MS)
/* A time that does not come before this code is gone: year 2242. */
#define NEVER_S 8589934592

struct clock {
	struct vm *vm;
	struct clock_options opt;
	struct clock_board board;
	struct stats_part part;
	pthread_t thread;
	atomic_bool alive; /* the page has been read: all below is in use */
	bool has_thread, has_irq;
	int stop_fd;   /* eventfd: end, thread */
	int set_fd;    /* timerfd: readable when the wall clock is set */
	uint64_t woke; /* CLOCK_BOOTTIME when the thread last ran */
	uint64_t lost; /* and when the line was lost, or KVM last asked; 0: no */
	uint64_t renew_ns;

	pthread_mutex_t lock; /* all below */
	struct discipline d;
	struct clock_host host;
	struct clock_news news;
	uint64_t offset;    /* guest's TSC - host's */
	bool level;	    /* it is the same on all vCPUs */
	uint64_t status_at; /* when news.status was read, CLOCK_MONOTONIC */
	uint64_t updates;
};

static void tell(struct clock *c)
{
	if (c->has_irq)
		irq_raise(&c->vm->irq, c->opt.irq);
}

static void take_status(struct clock *c, bool now)
{
	uint64_t ns = clock_ns();

	/* maxerror grows by 500 us a second, in steps of a second. */
	if (!now && ns - c->status_at < 1000 * NS_PER_MS)
		return;
	c->status_at = ns;
	clock_host_status(&c->news.status);
}

/* Samples the host and plans the next line: c->news but for disruptions. */
static void sample(struct clock *c, bool gap)
{
	struct clock_news *n = &c->news;
	struct clock_sample s;
	bool was = n->valid;
	int err = c->level ? clock_host_sample(&c->host, &s) : -ENODEV;
	int64_t wall;

	/* A line without a new sample grows old, and goes on. */
	n->valid = !err || (was && err == -EAGAIN);
	if (!err && was)
		discipline_sample(&c->d, s.tsc + c->offset, s.mono, gap);
	wall = c->host.wall - c->d.base;
	if (wall != n->wall_ns)
		n->wall_sets += was;
	n->wall_ns = wall;
	n->wall_error = c->d.error + c->host.wall_unsure;
}

/* Whether the guest must be told. */
static bool update(struct clock *c, bool set, bool gap)
{
	struct clock_news before = c->news;

	if (set)
		clock_host_set(&c->host);
	sample(c, gap);
	take_status(c, set || gap);
	c->news.disruptions += gap;
	clock_page_write(&c->board, &c->news, &c->d, c->offset);
	c->updates++;
	if (before.valid != c->news.valid)
		info("clock page: %s",
		     c->news.valid ? "the host's TSC is a clock"
				   : "the host's TSC is no clock (any more); "
				     "guests take another");
	return before.valid != c->news.valid ||
	       before.wall_ns != c->news.wall_ns || gap;
}

/*
 * When the host slept, KVM may have moved the vCPUs' TSCs, which can be read
 * only while they stand still.
 */
static void read_offset(struct clock *c)
{
	uint64_t offset = 0;
	bool level = false;

	hold_begin(c->vm);
	if (hold_wait(c->vm))
		level = tsc_offset(c->vm, &offset) == 0;
	pthread_mutex_lock(&c->lock);
	c->level = level;
	if (level)
		c->offset = offset;
	pthread_mutex_unlock(&c->lock);
	hold_end(c->vm);
}

/* Of a line that there was.  A guest that made its TSCs differ has none. */
static bool may_come_back(struct clock *c, uint64_t now)
{
	if (!c->lost || !c->level || now - c->lost < c->renew_ns)
		return false;
	c->lost = now;
	if (c->renew_ns < RENEW_MOST_NS)
		c->renew_ns *= 2;
	return true;
}

/* Whether it was set since the last look. */
static bool was_set(struct clock *c)
{
	uint64_t n;

	return read(c->set_fd, &n, sizeof(n)) < 0 && errno == ECANCELED;
}

/* planned, and returned: how long it may sleep, ms. */
static int tick(struct clock *c, int planned)
{
	uint64_t now = clock_host_boottime(), slept = now - c->woke;
	bool gap = slept > (uint64_t)planned * NS_PER_MS + GAP_NS, news, was;
	int next;

	c->woke = now;
	if (gap)
		read_offset(c);
	if (may_come_back(c, now))
		tsc_renew(c->vm);
	pthread_mutex_lock(&c->lock);
	was = c->news.valid;
	news = update(c, was_set(c), gap);
	next = c->news.valid ? (int)c->opt.period_ms : IDLE_MS;
	if (was != c->news.valid) {
		c->lost = was ? now : 0;
		c->renew_ns = RENEW_NS;
	}
	pthread_mutex_unlock(&c->lock);
	if (news)
		tell(c);
	return next;
}

static void *thread(void *arg)
{
	struct clock *c = arg;
	struct pollfd fds[] = { { .fd = c->stop_fd, .events = POLLIN },
				{ .fd = c->set_fd, .events = POLLIN } };
	int ms = (int)c->opt.period_ms;

	pthread_setname_np(pthread_self(), "clock");
	while (poll(fds, 2, ms) < 0 || !fds[0].revents)
		ms = tick(c, ms);
	return NULL;
}

/* A timer that never ends but by the clock's being set. */
static int open_set_fd(void)
{
	const struct itimerspec never = { .it_value.tv_sec = NEVER_S };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
				&never, NULL);
	return fd;
}

static int start_thread(struct clock *c)
{
	int err;

	c->woke = clock_host_boottime();
	c->set_fd = open_set_fd();
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (c->stop_fd < 0)
		return -errno;
	err = thread_start(&c->thread, thread, c);
	c->has_thread = !err;
	return err;
}

/* The lock is held, which the thread waits for first of all. */
static void start(struct clock *c)
{
	int err = start_thread(c);

	if (err) {
		warn("clock page: no thread: %s; guests take another clock",
		     strerror(-err));
		c->level = false;
	}
	c->has_irq = c->opt.irq != MACHINE_NO_IRQ &&
		     irq_open(&c->vm->irq, c->opt.irq) >= 0;
	clock_host_set(&c->host);
	update(c, false, false);
	if (!c->news.valid)
		info("clock page: the host's TSC is no clock; guests take another");
	err = vm_add_rom(c->vm, c->opt.addr, c->board.page, CLOCK_PAGE_SIZE);
	if (err)
		debug("clock page: reads exit: %s", strerror(-err));
	atomic_store(&c->alive, true);
}

/* The first read comes here; the slot that it makes takes the others. */
static uint64_t page_read(void *dev, uint64_t off, unsigned int len)
{
	struct clock *c = dev;
	uint64_t val = 0;

	if (off + len > CLOCK_PAGE_SIZE)
		return UINT64_MAX;
	pthread_mutex_lock(&c->lock);
	if (!atomic_load(&c->alive))
		start(c);
	memcpy(&val, (const uint8_t *)c->board.page + off, len);
	pthread_mutex_unlock(&c->lock);
	return val;
}

static const struct bus_ops page_ops = { .read = page_read };

static void put_stats(struct clock *c, FILE *out, const char *fmt)
{
	pthread_mutex_lock(&c->lock);
	fprintf(out, fmt, c->news.valid, (unsigned long long)c->updates,
		(unsigned long long)c->news.wall_error,
		(unsigned long long)c->news.wall_sets,
		(unsigned long long)c->news.disruptions,
		(unsigned long long)c->d.jumps,
		(unsigned long long)c->d.rebases);
	pthread_mutex_unlock(&c->lock);
}

static void stats_json(void *ctx, FILE *out)
{
	put_stats(ctx, out,
		  "{\"valid\":%d,\"updates\":%llu,\"wall_error_ns\":%llu,"
		  "\"wall_sets\":%llu,\"disruptions\":%llu,\"jumps\":%llu,"
		  "\"rebases\":%llu}");
}

static void stats_text(void *ctx, FILE *out)
{
	struct clock *c = ctx;

	if (atomic_load(&c->alive))
		put_stats(c, out,
			  "clock page: valid %d, updates %llu, wall error %llu "
			  "ns, wall sets %llu, disruptions %llu, jumps %llu, "
			  "rebases %llu\n");
}

static void init(struct clock *c, struct vm *vm,
		 const struct clock_options *opt)
{
	int err;

	c->vm = vm;
	c->opt = *opt;
	c->stop_fd = c->set_fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	discipline_init(&c->d, vcpu_tsc_khz(&vm->vcpu[0]),
			opt->period_ms * NS_PER_MS);
	/* The guest need not know how long the host is up. */
	c->d.base = -(int64_t)clock_ns();
	atomic_init(&c->board.base, c->d.base);
	clock_page_init(&c->board);
	clock_host_init(&c->host, vm);
	err = tsc_level(vm, &c->offset);
	c->level = !err;
	if (err)
		debug("the guest's TSC offset: %s", strerror(-err));
}

struct clock *clock_new(struct vm *vm, const struct clock_options *opt)
{
	struct clock *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return NULL;
	c->board.page = mmap(NULL, CLOCK_PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->board.page == MAP_FAILED) {
		free(c);
		return NULL;
	}
	init(c, vm, opt);
	err = bus_add(&vm->mmio, opt->addr, CLOCK_PAGE_SIZE, &page_ops, c,
		      "clock");
	if (err) {
		clock_free(c);
		errno = -err;
		return NULL;
	}
	c->part = (struct stats_part){ .name = "clock",
				       .json = stats_json,
				       .text = stats_text,
				       .ctx = c };
	stats_add(vm, &c->part);
	return c;
}

void clock_free(struct clock *c)
{
	if (!c)
		return;
	if (c->has_thread) {
		eventfd_write(c->stop_fd, 1);
		pthread_join(c->thread, NULL);
	}
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	if (c->set_fd >= 0)
		close(c->set_fd);
	pthread_mutex_destroy(&c->lock);
	munmap(c->board.page, CLOCK_PAGE_SIZE);
	free(c);
}

uint64_t clock_read(struct clock *c)
{
	uint64_t ns;

	while (!clock_page_read(&c->board, &ns)) {
		/* Its writer does not run: it shall before we do. */
		pthread_mutex_lock(&c->lock);
		pthread_mutex_unlock(&c->lock);
	}
	return ns;
}

uint64_t clock_wall(void)
{
	return clock_host_realtime();
}

void clock_disrupted(struct clock *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->news.disruptions++;
	clock_page_write(&c->board, &c->news, &c->d, c->offset);
	pthread_mutex_unlock(&c->lock);
	tell(c);
}
