// SPDX-License-Identifier: GPL-2.0-only
/* The no-output watchdog: a timer on the I/O loop. */
#include "vmm/backend/watchdog.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/core/clock.h"
#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"
#include "vmm/core/vcpu.h"
#include "vmm/core/vm.h"

#define NS     1000000000ull
#define ASK_NS (10 * NS) /* a vCPU may take 2 s to answer */

struct watchdog {
	struct event_source src; /* first: the timerfd */
	struct vm *vm;
	struct watchdog_options opt;
	uint64_t start_ns;
};

static void say_where(struct watchdog *dog, struct vcpu *vcpu)
{
	const struct watchdog_options *opt = &dog->opt;
	char name[160];
	uint64_t rip;

	if (!vcpu_where(vcpu, &rip))
		error("  vCPU %u: does not answer", vcpu->id);
	else if (opt->symbol && opt->elf &&
		 opt->symbol(opt->elf, rip, name, sizeof(name)))
		error("  vCPU %u: %#llx %s", vcpu->id, (unsigned long long)rip,
		      name);
	else
		error("  vCPU %u: %#llx", vcpu->id, (unsigned long long)rip);
}

static void bark(struct watchdog *dog)
{
	uint64_t until = clock_ns() + ASK_NS;

	error("no console output for %u s (--watchdog): stopping the machine",
	      dog->opt.seconds);
	for (unsigned int i = 0; i < dog->vm->nr_cpus; i++) {
		if (clock_ns() >= until) {
			error("  and %u more", dog->vm->nr_cpus - i);
			break;
		}
		say_where(dog, &dog->vm->vcpu[i]);
	}
	vm_end(dog->vm, EXIT_WATCHDOG);
}

/* 0 or -errno. */
static int arm(struct watchdog *dog, uint64_t due_ns)
{
	const struct itimerspec it = { .it_value = {
					       .tv_sec = (time_t)(due_ns / NS),
					       .tv_nsec = (long)(due_ns % NS),
				       } };

	return timerfd_settime(dog->src.fd, TFD_TIMER_ABSTIME, &it, NULL) < 0
		       ? -errno
		       : 0;
}

static void due(struct event_source *src, uint32_t events)
{
	struct watchdog *dog = (struct watchdog *)src;
	uint64_t last = dog->opt.last_output_ns(dog->opt.ctx);
	uint64_t deadline, ticks;

	(void)events;
	if (read(src->fd, &ticks, sizeof(ticks)) < 0)
		return;
	if (last < dog->start_ns)
		last = dog->start_ns;
	deadline = last + dog->opt.seconds * NS;
	if (clock_ns() < deadline)
		arm(dog, deadline);
	else
		bark(dog);
}

struct watchdog *watchdog_new(struct vm *vm, const struct watchdog_options *opt)
{
	struct watchdog *dog = calloc(1, sizeof(*dog));
	int err;

	if (!dog)
		return NULL;
	dog->vm = vm;
	dog->opt = *opt;
	dog->start_ns = clock_ns();
	dog->src.fn = due;
	dog->src.fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (dog->src.fd < 0)
		goto err_free;
	err = arm(dog, dog->start_ns + opt->seconds * NS);
	if (!err)
		err = event_add(vm->loop, &dog->src, EPOLLIN);
	if (!err)
		return dog;

	close(dog->src.fd);
	errno = -err;
err_free:
	free(dog);
	return NULL;
}

void watchdog_free(struct watchdog *dog)
{
	if (!dog)
		return;
	event_del(dog->vm->loop, &dog->src);
	close(dog->src.fd);
	free(dog);
}
