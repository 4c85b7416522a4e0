// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing the clock page.  While a sequence count is odd its readers, in the
 * guest and here, go round in circles, so little is done then.
 *
 * The order that makes the clock monotonic between processors: the count is
 * seen odd before the TSC is read at which the new line leaves the old one.
 * Who still used the old line read an earlier tick; who uses the new one has
 * seen the count even again and reads a later.
 */
#include "vmm/backend/clock_page.h"

#include <x86intrin.h>

#include "vmm/core/clock.h"

#define NS_PER_S	  1000000000ull
#define READS		  1000 /* about 50 us */

#define PUT(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)
#define GET(field)	  __atomic_load_n(&(field), __ATOMIC_RELAXED)

/* The vmclock's side of the line; what takes long is done beforehand. */
struct vm_line {
	uint8_t shift, status, leap;
	int16_t tai;
	uint64_t flags, period, period_maxerror;
};

static inline uint64_t ticks(uint64_t offset)
{
	uint64_t t;

	_mm_lfence();
	t = __rdtsc();
	_mm_lfence();
	return t + offset;
}

/* 2^-32 ns in 2^-(64 + shift) s, rounded down. */
static uint64_t to_period(uint64_t mult, unsigned int shift)
{
	return (uint64_t)(((unsigned __int128)mult << (32 + shift)) / NS_PER_S);
}

static uint8_t leap_of(const struct clock_status *s)
{
	if (s->leaping)
		return VMCLOCK_LEAP_POS;
	if (s->leapt)
		return s->leap < 0 ? VMCLOCK_LEAP_POST_NEG
				   : VMCLOCK_LEAP_POST_POS;
	return s->leap > 0   ? VMCLOCK_LEAP_PRE_POS
	       : s->leap < 0 ? VMCLOCK_LEAP_PRE_NEG
			     : VMCLOCK_LEAP_NONE;
}

/* The host's own claim of its frequency, 500 ppm, and what we bend it by. */
static uint64_t mult_error(const struct discipline *d)
{
	uint64_t bent = d->next_mult > d->rate ? d->next_mult - d->rate
					       : d->rate - d->next_mult;

	return d->rate / 2000 + bent;
}

static struct vm_line prepare(const struct clock_news *news,
			      const struct discipline *d)
{
	const struct clock_status *s = &news->status;
	struct vm_line vm = {
		.leap = leap_of(s),
		.tai = (int16_t)s->tai,
		.status = s->synced ? VMCLOCK_STATUS_SYNCHRONIZED
				    : VMCLOCK_STATUS_FREERUNNING,
	};

	if (!news->valid) {
		vm.status = VMCLOCK_STATUS_UNRELIABLE;
		return vm;
	}
	/* As fine as fits: 29 for a TSC of 1 GHz or more. */
	vm.shift = 29;
	while (vm.shift && d->next_mult >> (61 - vm.shift))
		vm.shift--;
	vm.period = to_period(d->next_mult, vm.shift);
	vm.period_maxerror = to_period(mult_error(d), vm.shift);
	vm.flags = VMCLOCK_HAS_PERIOD_MAXERROR;
	if (s->synced)
		vm.flags |= VMCLOCK_HAS_TIME_MAXERROR |
			    VMCLOCK_HAS_TIME_ESTERROR;
	if (s->tai)
		vm.flags |= VMCLOCK_HAS_TAI_OFFSET;
	return vm;
}

static void begin(struct clock_page *p)
{
	PUT(p->vm.seq, p->vm.seq + 1);
	PUT(p->hl.seq, p->hl.seq + 1);
	/* Before the TSC is read, and before anything is written. */
	atomic_thread_fence(memory_order_seq_cst);
}

static void end(uint32_t *seq)
{
	__atomic_store_n(seq, *seq + 1, __ATOMIC_RELEASE);
}

/*
 * To the next line, or from a line to none, or back.  Says what the line may be
 * off besides what is known of it, as this thread may lose its processor at any
 * time; ns.
 */
static uint64_t move(struct clock_board *b, bool valid, struct discipline *d,
		     uint64_t offset)
{
	bool was = b->page->hl.flags & HL_CLOCK_VALID;
	uint64_t tsc = ticks(offset), mono;

	if (valid && was) {
		discipline_turn(d, tsc);
		return discipline_late(d);
	}
	mono = clock_ns(); /* behind the tick: the line does not go back */
	if (valid) {
		discipline_start(d, tsc, mono, mono + (uint64_t)d->base);
		return discipline_at(&d->line, ticks(offset)) - d->line.ns;
	}
	if (was) {
		int64_t ahead = (int64_t)(discipline_at(&d->line, tsc) - mono);

		if (ahead > d->base)
			d->base = ahead;
		d->next_mult = d->rate; /* what the next line begins with */
	}
	return 0;
}

static void put_hl(struct hl_clock *hl, const struct clock_news *news,
		   const struct discipline_line *line, uint64_t more_error)
{
	PUT(hl->flags, news->valid ? HL_CLOCK_VALID : 0);
	PUT(hl->tsc, news->valid ? line->tsc : 0);
	PUT(hl->ns, news->valid ? line->ns : 0);
	PUT(hl->mult, news->valid ? line->mult : 0);
	PUT(hl->wall_ns, news->valid ? news->wall_ns : 0);
	PUT(hl->wall_sets, news->wall_sets);
	PUT(hl->wall_error, news->valid ? news->wall_error + more_error : 0);
	PUT(hl->disruptions, news->disruptions);
}

static void put_vm_time(struct vmclock *vm, const struct clock_news *news,
			const struct discipline_line *line, uint64_t more_error)
{
	/* 2^93 / 10^9, so that 2^-64 s = ns * this >> 29. */
	const uint64_t fraction = 9903520314283042199ull;
	uint64_t utc = line->ns + (uint64_t)news->wall_ns;
	uint64_t ns = utc % NS_PER_S, error = news->wall_error + more_error;

	PUT(vm->counter_value, line->tsc);
	PUT(vm->time_s, utc / NS_PER_S);
	PUT(vm->time_fraction,
	    (uint64_t)((unsigned __int128)ns * fraction >> 29));
	PUT(vm->time_esterror_ns, news->status.esterror_ns + error);
	PUT(vm->time_maxerror_ns, news->status.maxerror_ns + error);
}

static void put_vm(struct vmclock *vm, const struct clock_news *news,
		   const struct vm_line *l)
{
	PUT(vm->counter,
	    news->valid ? VMCLOCK_COUNTER_TSC : VMCLOCK_COUNTER_INVALID);
	PUT(vm->disruption_marker, news->disruptions);
	PUT(vm->flags, l->flags);
	PUT(vm->status, l->status);
	PUT(vm->tai_offset_s, l->tai);
	PUT(vm->leap, l->leap);
	PUT(vm->period_shift, l->shift);
	PUT(vm->period, l->period);
	PUT(vm->period_maxerror, l->period_maxerror);
}

void clock_page_init(struct clock_board *b)
{
	struct vmclock *vm = &b->page->vm;

	vm->magic = VMCLOCK_MAGIC;
	vm->size = CLOCK_PAGE_SIZE;
	vm->version = VMCLOCK_VERSION;
	vm->counter = VMCLOCK_COUNTER_INVALID;
	vm->time_type = VMCLOCK_TIME_UTC;
	vm->status = VMCLOCK_STATUS_UNRELIABLE;
}

void clock_page_write(struct clock_board *b, const struct clock_news *news,
		      struct discipline *d, uint64_t offset)
{
	struct clock_page *p = b->page;
	struct vm_line vm = prepare(news, d);
	uint64_t more_error;

	begin(p);
	more_error = move(b, news->valid, d, offset);
	atomic_store_explicit(&b->offset, offset, memory_order_relaxed);
	atomic_store_explicit(&b->base, d->base, memory_order_relaxed);
	put_hl(&p->hl, news, &d->line, more_error);
	end(&p->hl.seq);
	put_vm(&p->vm, news, &vm);
	if (news->valid)
		put_vm_time(&p->vm, news, &d->line, more_error);
	end(&p->vm.seq);
}

static uint64_t read_once(const struct clock_board *b)
{
	const struct hl_clock *hl = &b->page->hl;
	struct discipline_line line = { GET(hl->tsc), GET(hl->ns),
					GET(hl->mult) };

	if (GET(hl->flags) & HL_CLOCK_VALID)
		return discipline_at(
			&line, ticks(atomic_load_explicit(
				       &b->offset, memory_order_relaxed)));
	return clock_ns() +
	       (uint64_t)atomic_load_explicit(&b->base, memory_order_relaxed);
}

bool clock_page_read(const struct clock_board *b, uint64_t *ns)
{
	const struct hl_clock *hl = &b->page->hl;

	for (int i = 0; i < READS; i++) {
		uint32_t seq = __atomic_load_n(&hl->seq, __ATOMIC_ACQUIRE);

		*ns = read_once(b);
		atomic_thread_fence(memory_order_acquire);
		if (!(seq & 1) && GET(hl->seq) == seq)
			return true;
		_mm_pause();
	}
	return false;
}
