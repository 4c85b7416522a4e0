// SPDX-License-Identifier: GPL-2.0-only
/* Signals that end the machine, as a descriptor on the I/O loop. */
#include "vmm/backend/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"
#include "vmm/core/vm.h"

struct signals {
	struct event_source src; /* first: the signalfd */
	struct vm *vm;
	sigset_t set, old_mask;
	struct sigaction old_pipe;
};

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };

static void (*at_second)(void);

static void second(int sig)
{
	(void)sig;
	if (at_second)
		at_second();
	_exit(EXIT_STOPPED);
}

/* From now on they reach a handler: the loop is about to stop reading. */
static void let_through(struct signals *sig)
{
	struct sigaction sa = { .sa_handler = second };

	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (sigismember(&sig->set, ending[i]))
			sigaction(ending[i], &sa, NULL);
	pthread_sigmask(SIG_UNBLOCK, &sig->set, NULL);
}

static void caught(struct event_source *src, uint32_t events)
{
	struct signals *sig = (struct signals *)src;
	struct signalfd_siginfo si;

	(void)events;
	if (read(src->fd, &si, sizeof(si)) != sizeof(si))
		return;
	info("stopped by signal %u (%s)", si.ssi_signo,
	     strsignal((int)si.ssi_signo));
	let_through(sig);
	vm_end(sig->vm, EXIT_STOPPED);
}

struct signals *signals_new(struct vm *vm, void (*restore)(void))
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, sa;
	struct signals *sig = calloc(1, sizeof(*sig));
	int err;

	if (!sig)
		return NULL;
	sig->vm = vm;
	sig->src.fn = caught;
	at_second = restore;
	sigemptyset(&sig->set);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		/* One ignored from the start (nohup) stays so. */
		sigaction(ending[i], NULL, &sa);
		if (sa.sa_handler != SIG_IGN)
			sigaddset(&sig->set, ending[i]);
	}
	sig->src.fd = signalfd(-1, &sig->set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sig->src.fd < 0)
		goto err_free;
	err = event_add(vm->loop, &sig->src, EPOLLIN);
	if (err)
		goto err_fd;
	sigaction(SIGPIPE, &ignore, &sig->old_pipe);
	pthread_sigmask(SIG_BLOCK, &sig->set, &sig->old_mask);
	return sig;

err_fd:
	close(sig->src.fd);
	errno = -err;
err_free:
	free(sig);
	return NULL;
}

void signals_free(struct signals *sig)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };

	if (!sig)
		return;
	event_del(sig->vm->loop, &sig->src);
	close(sig->src.fd);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (sigismember(&sig->set, ending[i]))
			sigaction(ending[i], &dfl, NULL);
	sigaction(SIGPIPE, &sig->old_pipe, NULL);
	pthread_sigmask(SIG_SETMASK, &sig->old_mask, NULL);
	free(sig);
}
