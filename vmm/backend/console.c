// SPDX-License-Identifier: GPL-2.0-only
/*
 * Console input: the escape keys, and when to read.  Everything
 * runs on the I/O thread but what console.h says otherwise of.
 */
#include "vmm/backend/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vmm/backend/inring.h"
#include "vmm/backend/sink.h"
#include "vmm/backend/tty.h"
#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/vm.h"

#define ESCAPE	   0x01	     /* Ctrl-a */
#define LOOK_NS	   500000000 /* between looks at a terminal not ours now */
#define STOPPED_MS 1000	     /* patience with the reader when told to stop */

struct console {
	struct vm *vm;
	struct console_client *client;
	struct sink out;
	int in_fd, out_fd; /* as given */
	bool tty;	   /* in_fd is one */
	struct nbio io;	   /* how to read in_fd */
	struct event_source in;
	struct event_source wake; /* eventfd: room, or a signal */
	struct event_source look; /* timerfd: is the terminal ours again? */
	bool watching;		  /* in is on the loop */
	bool at_end;		  /* no more input will come */
	bool escaped;		  /* the last byte was ESCAPE */
	struct inring ring;
};

static struct console *from_source(struct event_source *src, size_t member)
{
	return (struct console *)((char *)src - member);
}

/* --- for devices --- */

bool console_has_input(struct console *con)
{
	return inring_has(&con->ring);
}

size_t console_read(struct console *con, void *buf, size_t len)
{
	bool wake;
	size_t n = inring_get(&con->ring, buf, len, &wake);

	if (wake)
		eventfd_write(con->wake.fd, 1);
	return n;
}

void console_input_ready(struct console *con)
{
	if (console_has_input(con))
		eventfd_write(con->wake.fd, 1);
}

/* --- keys --- */

static void say_help(void)
{
	/* The terminal is raw, so a line needs both its ends. */
	dprintf(STDERR_FILENO,
		"\r\nhotline: Ctrl-a x stops the machine, "
		"Ctrl-a Ctrl-a sends Ctrl-a, Ctrl-a h prints this\r\n");
}

static void put_key(struct console *con, uint8_t byte)
{
	if (!con->escaped) {
		con->escaped = byte == ESCAPE;
		if (!con->escaped)
			inring_put(&con->ring, byte);
		return;
	}
	con->escaped = false;
	switch (byte) {
	case 'x':
		vm_end(con->vm, EXIT_STOPPED);
		break;
	case 'h':
		say_help();
		break;
	case ESCAPE:
		inring_put(&con->ring, ESCAPE);
		break;
	default: /* no command of ours: meant for the guest */
		inring_put(&con->ring, ESCAPE);
		inring_put(&con->ring, byte);
	}
}

/* --- reading --- */

static void watch(struct console *con, bool on)
{
	if (on == con->watching || (on && con->at_end))
		return;
	con->watching = on;
	if (!on)
		event_del(con->vm->loop, &con->in);
	else if (event_add(con->vm->loop, &con->in, EPOLLIN) < 0)
		con->watching = false;
}

static void end_input(struct console *con)
{
	watch(con, false);
	con->at_end = true;
	if (con->ring.stream)
		inring_put_end(&con->ring);
}

/*
 * Reads once; false if there is nothing to read or no room.  A terminal is
 * read even then.
 */
static bool read_some(struct console *con)
{
	uint8_t buf[512];
	size_t want = inring_room(&con->ring);
	ssize_t n;

	if (con->tty || want > sizeof(buf))
		want = sizeof(buf);
	if (!want || con->at_end)
		return false;
	n = nbio_read(&con->io, buf, want);
	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		end_input(con);
		return false;
	}
	for (ssize_t i = 0; i < n; i++)
		if (con->tty)
			put_key(con, buf[i]);
		else
			inring_put(&con->ring, buf[i]);
	return true;
}

/* epoll refuses files; they can always be read, so read as much as fits. */
static void resume(struct console *con)
{
	if (con->at_end || con->watching || con->tty)
		return;
	if (con->io.how != NBIO_PLAIN)
		watch(con, true);
	else
		while (read_some(con))
			;
}

static void offer(struct console *con)
{
	if (con->client && console_has_input(con))
		con->client->input(con->client);
}

/* Takes a terminal that is ours; looks again later if it is not. */
static void take_tty(struct console *con)
{
	struct itimerspec at = { .it_value.tv_nsec = LOOK_NS };
	bool ours;

	if (!con->tty || con->at_end)
		return;
	ours = tty_foreground(con->in_fd);
	if (ours)
		tty_raw(con->in_fd);
	else
		timerfd_settime(con->look.fd, 0, &at, NULL);
	watch(con, ours);
}

static void on_input(struct event_source *src, uint32_t events)
{
	struct console *con = from_source(src, offsetof(struct console, in));

	(void)events;
	if (con->tty && !tty_foreground(con->in_fd)) {
		take_tty(con);
		return;
	}
	read_some(con);
	if (!con->tty && !inring_room(&con->ring))
		watch(con, false);
	offer(con);
}

static void on_look(struct event_source *src, uint32_t events)
{
	(void)events;
	take_tty(from_source(src, offsetof(struct console, look)));
}

static void on_wake(struct event_source *src, uint32_t events)
{
	struct console *con = from_source(src, offsetof(struct console, wake));

	(void)events;
	if (tty_continued())
		take_tty(con);
	if (tty_resized() && con->client && con->client->resized)
		con->client->resized(con->client);
	resume(con);
	offer(con);
}

void console_hold(struct console *con)
{
	if (con->tty)
		return;
	inring_hold(&con->ring);
	if (con->at_end) /* there never was any */
		end_input(con);
}

void console_release(struct console *con)
{
	inring_release(&con->ring);
	eventfd_write(con->wake.fd, 1);
}

/* --- output, size --- */

void console_write(struct console *con, const void *buf, size_t len)
{
	sink_write(&con->out, buf, len);
}

uint64_t console_last_output_ns(const struct console *con)
{
	return atomic_load_explicit(&con->out.last_ns, memory_order_relaxed);
}

bool console_size(const struct console *con, uint16_t *cols, uint16_t *rows)
{
	return tty_size(con->out_fd, cols, rows) ||
	       (con->in_fd >= 0 && tty_size(con->in_fd, cols, rows));
}

/* --- lifetime --- */

void console_attach(struct console *con, struct console_client *client)
{
	con->client = client;
}

void console_detach(struct console *con, struct console_client *client)
{
	if (con->client == client)
		con->client = NULL;
}

static int add_source(struct console *con, struct event_source *src, int fd,
		      void (*fn)(struct event_source *, uint32_t))
{
	if (fd < 0)
		return -errno;
	src->fd = fd;
	src->fn = fn;
	return event_add(con->vm->loop, src, EPOLLIN | EPOLLET);
}

static void close_source(struct console *con, struct event_source *src)
{
	if (src->fd < 0)
		return;
	event_del(con->vm->loop, src);
	close(src->fd);
}

struct console *console_new(struct vm *vm, int in, int out)
{
	struct console *con = calloc(1, sizeof(*con));
	int err;

	if (!con)
		return NULL;
	con->vm = vm;
	con->in_fd = in;
	con->out_fd = out;
	con->tty = in >= 0 && isatty(in);
	con->at_end = in < 0;
	con->wake.fd = con->look.fd = -1;
	err = sink_init(&con->out, vm, out);
	if (err)
		goto err_free;
	err = add_source(con, &con->wake,
			 eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), on_wake);
	if (!err)
		err = add_source(con, &con->look,
				 timerfd_create(CLOCK_MONOTONIC,
						TFD_CLOEXEC | TFD_NONBLOCK),
				 on_look);
	if (err)
		goto err_sources;
	inring_init(&con->ring);
	nbio_init(&con->io, in, O_RDONLY);
	con->in = (struct event_source){ con->io.fd, on_input };
	return con;

err_sources:
	close_source(con, &con->look);
	close_source(con, &con->wake);
	sink_exit(&con->out, 0);
err_free:
	free(con);
	errno = -err;
	return NULL;
}

int console_start(struct console *con)
{
	if (con->tty || isatty(con->out_fd))
		tty_signals(con->wake.fd);
	take_tty(con);
	/* Files are read on the loop's thread. */
	return eventfd_write(con->wake.fd, 1) < 0 ? -errno : 0;
}

void console_restore(void)
{
	tty_restore();
}

void console_free(struct console *con)
{
	int end;

	if (!con)
		return;
	tty_signals(-1);
	tty_restore();
	end = atomic_load(&con->vm->end);
	sink_exit(&con->out, end == EXIT_STOPPED || end == EXIT_WATCHDOG
				     ? STOPPED_MS
				     : -1);
	watch(con, false);
	close_source(con, &con->look);
	close_source(con, &con->wake);
	nbio_exit(&con->io);
	inring_exit(&con->ring);
	free(con);
}
