// SPDX-License-Identifier: GPL-2.0-only
/* Raw mode, and the way back from it whatever happens. */
#include "vmm/backend/tty.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "vmm/core/log.h"

/* Process-wide, as signal handlers are. */
static struct {
	int fd;
	struct termios cooked;
	atomic_bool raw;
	atomic_int wake; /* eventfd, or -1 */
	atomic_bool resized, continued;
} tty = { .wake = -1 };

/* Job control only concerns the controlling terminal; others give ENOTTY. */
bool tty_foreground(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group < 0 || group == getpgrp();
}

static void crashed(int sig)
{
	tty_restore();
	raise(sig); /* delivered on return, with its default effect */
}

static void guard_crashes(void)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction old, sa = {
		.sa_handler = crashed,
		.sa_flags = (int)SA_RESETHAND,
	};

	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		/* Somebody else's handler (a sanitizer's) stays. */
		sigaction(sigs[i], NULL, &old);
		if (old.sa_handler == SIG_DFL)
			sigaction(sigs[i], &sa, NULL);
	}
}

int tty_raw(int fd)
{
	struct termios t;

	if (!atomic_load(&tty.raw) && tcgetattr(fd, &tty.cooked) < 0)
		return -errno;
	t = tty.cooked;
	cfmakeraw(&t);
	if (tcsetattr(fd, TCSANOW, &t) < 0)
		return -errno;
	tty.fd = fd;
	if (!atomic_exchange(&tty.raw, true)) {
		log_at_die(tty_restore);
		guard_crashes();
	}
	return 0;
}

void tty_restore(void)
{
	int err = errno;

	/* In the background the modes are another job's. */
	if (atomic_exchange(&tty.raw, false) && tty_foreground(tty.fd))
		tcsetattr(tty.fd, TCSANOW, &tty.cooked);
	errno = err;
}

bool tty_size(int fd, uint16_t *cols, uint16_t *rows)
{
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) < 0 || !ws.ws_col || !ws.ws_row)
		return false;
	*cols = ws.ws_col;
	*rows = ws.ws_row;
	return true;
}

static void on_signal(int sig)
{
	int fd = atomic_load(&tty.wake), err = errno;

	atomic_store(sig == SIGCONT ? &tty.continued : &tty.resized, true);
	if (fd >= 0)
		eventfd_write(fd, 1);
	errno = err;
}

void tty_signals(int eventfd)
{
	struct sigaction sa = {
		.sa_handler = eventfd < 0 ? SIG_DFL : on_signal,
		.sa_flags = SA_RESTART,
	};

	atomic_store(&tty.wake, eventfd);
	sigaction(SIGWINCH, &sa, NULL);
	sigaction(SIGCONT, &sa, NULL);
}

bool tty_resized(void)
{
	return atomic_exchange(&tty.resized, false);
}

bool tty_continued(void)
{
	return atomic_exchange(&tty.continued, false);
}
