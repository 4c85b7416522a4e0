// SPDX-License-Identifier: GPL-2.0-only
/* The control socket's server.  Everything runs on the I/O loop's thread. */
#include "vmm/backend/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vmm/backend/control_dir.h"
#include "vmm/backend/pause.h"
#include "vmm/backend/wants.h"
#include "vmm/core/clock.h"
#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/exits.h"
#include "vmm/core/log.h"
#include "vmm/core/stats.h"
#include "vmm/core/vm.h"

struct client {
	struct event_source src; /* first: src is the client; fd -1 = free */
	struct control *ctl;
	char line[CONTROL_LINE];
	size_t line_len;
	char *out; /* answer being sent, or NULL */
	size_t out_len, out_at;
	uint64_t used_ns;
	bool wants[WANTS];
};

struct control {
	struct event_source src; /* first: the listening socket */
	struct vm *vm;
	struct pause *pause;
	struct control_dir dir;
	char name[CONTROL_NAME_MAX + 1];
	struct stat file; /* of NAME.sock, to know it again */
	unsigned int cpus;
	uint64_t mem, start_ns;
	char *vmlinux;
	struct wants wants;
	struct client client[CONTROL_CLIENTS];
};

static void put_info(struct control *ctl, FILE *out)
{
	fprintf(out,
		"name=%s\npid=%d\ncpus=%u\nmem=%llu\n"
		"uptime_ms=%llu\nstate=%s\nvmlinux=%s\n",
		ctl->name, (int)getpid(), ctl->cpus,
		(unsigned long long)ctl->mem,
		(unsigned long long)(clock_ns() - ctl->start_ns) / 1000000,
		vm_state(ctl->vm), ctl->vmlinux ? ctl->vmlinux : "");
}

static void put_stat_json(struct control *ctl, FILE *out)
{
	stats_print_json(ctl->vm, out);
}

static void put_stat_text(struct control *ctl, FILE *out)
{
	stats_print_text(ctl->vm, out);
}

static void put_exits(struct control *ctl, FILE *out)
{
	exits_print(ctl->vm, out);
}

static void stop(struct control *ctl)
{
	info("stopped by `hotline stop`");
	vm_end(ctl->vm, EXIT_STOPPED);
}

static void do_pause(struct control *ctl)
{
	pause_begin(ctl->pause);
}

static void do_resume(struct control *ctl)
{
	pause_end(ctl->pause);
}

static const struct request {
	const char *line;
	void (*put)(struct control *ctl, FILE *out); /* the answer */
	void (*after)(struct control *ctl);	     /* once it is under way */
	enum want want;				     /* until the client goes */
} requests[] = {
	{ .line = "info", .put = put_info },
	{ .line = "stat", .put = put_stat_json },
	{ .line = "stat text", .put = put_stat_text },
	{ .line = "exits", .put = put_exits },
	{ .line = "watch latency", .want = WANT_TIMES },
	{ .line = "watch exits", .want = WANT_EXITS },
	{ .line = "pause", .after = do_pause },
	{ .line = "resume", .after = do_resume },
	{ .line = "stop", .after = stop },
};

static void drop(struct client *c)
{
	if (c->src.fd < 0)
		return;
	wants_drop(&c->ctl->wants, c->wants);
	event_del(c->ctl->vm->loop, &c->src);
	close(c->src.fd);
	free(c->out);
	c->out = NULL;
	c->src.fd = -1;
}

/* Sends what the socket takes.  False: the client is gone. */
static bool flush(struct client *c)
{
	while (c->out) {
		ssize_t n = send(c->src.fd, c->out + c->out_at,
				 c->out_len - c->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			drop(c);
			return false;
		}
		c->out_at += (size_t)n;
		if (c->out_at == c->out_len) {
			free(c->out);
			c->out = NULL;
		}
	}
	return true;
}

/* False: the client is gone. */
static bool answer(struct client *c, const char *status, const char *body,
		   size_t len)
{
	int n = asprintf(&c->out, "%s %zu\n%.*s", status, len, (int)len, body);

	if (n < 0) {
		c->out = NULL;
		drop(c);
		return false;
	}
	c->out_len = (size_t)n;
	c->out_at = 0;
	return flush(c);
}

static bool answer_request(struct client *c, const struct request *req)
{
	struct control *ctl = c->ctl;
	char *body = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&body, &len);
	bool here;

	if (!out) {
		drop(c);
		return false;
	}
	wants_add(&c->ctl->wants, c->wants, req->want);
	if (req->put)
		req->put(ctl, out);
	fclose(out);
	here = answer(c, "ok", body ? body : "", len);
	free(body);
	if (req->after)
		req->after(ctl);
	return here;
}

static bool do_line(struct client *c, const char *line)
{
	static const char text[] = "unknown request\n";

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (!strcmp(line, requests[i].line))
			return answer_request(c, &requests[i]);
	return answer(c, "error", text, strlen(text));
}

/* Answers complete lines until one answer has to wait for its reader. */
static bool do_lines(struct client *c)
{
	char line[CONTROL_LINE], *nl;

	while (!c->out && (nl = memchr(c->line, '\n', c->line_len))) {
		size_t len = (size_t)(nl - c->line);

		memcpy(line, c->line, len);
		line[len] = '\0';
		c->line_len -= len + 1;
		memmove(c->line, nl + 1, c->line_len);
		if (!do_line(c, line))
			return false;
	}
	if (c->out || c->line_len < sizeof(c->line))
		return true;
	drop(c); /* no request is that long */
	return false;
}

static void client_ready(struct event_source *src, uint32_t events)
{
	struct client *c = (struct client *)src;
	ssize_t n;

	c->used_ns = clock_ns();
	if (!flush(c))
		return;
	if (!c->out && !do_lines(c))
		return;
	if (!c->out && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		n = recv(src->fd, c->line + c->line_len,
			 sizeof(c->line) - c->line_len, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			drop(c);
			return;
		}
		c->line_len += n > 0 ? (size_t)n : 0;
		if (!do_lines(c))
			return;
	}
	/* Nothing is read while an answer waits: that bounds what we hold. */
	event_mod(c->ctl->vm->loop, src, c->out ? EPOLLOUT : EPOLLIN);
}

static struct client *free_slot(struct control *ctl)
{
	struct client *best = &ctl->client[0];

	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *c = &ctl->client[i];

		if (c->src.fd < 0)
			return c;
		if (c->used_ns < best->used_ns)
			best = c;
	}
	drop(best);
	return best;
}

static bool peer_ok(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	       (cred.uid == geteuid() || cred.uid == 0);
}

void control_serve(struct control *ctl, int fd)
{
	struct client *c;

	if (!peer_ok(fd)) {
		close(fd);
		return;
	}
	c = free_slot(ctl);
	*c = (struct client){
		.src = { .fd = fd, .fn = client_ready },
		.ctl = ctl,
		.used_ns = clock_ns(),
	};
	if (event_add(ctl->vm->loop, &c->src, EPOLLIN) < 0) {
		close(fd);
		c->src.fd = -1;
	}
}

static void listener_ready(struct event_source *src, uint32_t events)
{
	struct control *ctl = (struct control *)src;
	int fd;

	(void)events;
	fd = accept4(src->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		control_serve(ctl, fd);
}

/* Listening fd, or -errno; -EADDRINUSE after an error() that names who. */
static int claim_name(struct control *ctl)
{
	pid_t pid = 0;
	int fd;

	fd = control_dir_connect(&ctl->dir, ctl->name, &pid);
	if (fd >= 0 || fd == -EAGAIN) {
		if (fd >= 0)
			close(fd);
		/* Too busy to connect to: then the pid is not known. */
		error("--name %s: a machine of that name runs already (pid "
		      "%d); choose another, or `hotline stop %s`",
		      ctl->name, (int)pid, ctl->name);
		return -EADDRINUSE;
	}
	if (fd == -ECONNREFUSED)
		control_dir_unlink(&ctl->dir, ctl->name);
	return control_dir_listen(&ctl->dir, ctl->name);
}

static int open_socket(struct control *ctl)
{
	char path[PATH_MAX + CONTROL_NAME_MAX + 8];
	int fd, err;

	err = control_dir_open(&ctl->dir, true);
	if (err)
		return err;
	err = control_dir_lock(&ctl->dir);
	if (err) {
		warn("%s: locked for too long: %s", ctl->dir.path,
		     strerror(-err));
		return err;
	}
	fd = claim_name(ctl);
	control_dir_unlock(&ctl->dir);
	if (fd < 0) {
		if (fd != -EADDRINUSE)
			warn("%s/%s.sock: %s", ctl->dir.path, ctl->name,
			     strerror(-fd));
		return fd;
	}
	snprintf(path, sizeof(path), "%s/%s.sock", ctl->dir.path, ctl->name);
	if (stat(path, &ctl->file) < 0)
		ctl->file.st_ino = 0;
	return fd;
}

int control_new(struct control **out, struct vm *vm,
		const struct control_info *info)
{
	struct control *ctl = calloc(1, sizeof(*ctl));
	int fd, err;

	*out = NULL;
	if (!ctl) {
		error("control socket: out of memory");
		return EXIT_OSERR;
	}
	ctl->vm = vm;
	ctl->wants.vm = vm;
	ctl->pause = info->pause;
	ctl->cpus = info->cpus;
	ctl->mem = info->mem;
	ctl->start_ns = clock_ns();
	/* For clients, who may be anywhere. */
	ctl->vmlinux = info->vmlinux ? realpath(info->vmlinux, NULL) : NULL;
	ctl->dir.fd = -1;
	snprintf(ctl->name, sizeof(ctl->name), "%s", info->name);
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		ctl->client[i].src.fd = -1;
	fd = open_socket(ctl);
	ctl->src = (struct event_source){ .fd = fd, .fn = listener_ready };
	err = fd < 0 ? fd : event_add(vm->loop, &ctl->src, EPOLLIN);
	if (!err) {
		*out = ctl;
		return 0;
	}
	control_free(ctl);
	return err == -EADDRINUSE ? EXIT_USAGE : 0;
}

void control_free(struct control *ctl)
{
	char path[PATH_MAX + CONTROL_NAME_MAX + 8];
	struct stat st;

	if (!ctl)
		return;
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		drop(&ctl->client[i]);
	if (ctl->src.fd >= 0) {
		/* Before close(), after which another may take the name. */
		snprintf(path, sizeof(path), "%s/%s.sock", ctl->dir.path,
			 ctl->name);
		if (stat(path, &st) == 0 && st.st_ino == ctl->file.st_ino &&
		    st.st_dev == ctl->file.st_dev)
			unlink(path);
		event_del(ctl->vm->loop, &ctl->src);
		close(ctl->src.fd);
	}
	control_dir_close(&ctl->dir);
	free(ctl->vmlinux);
	free(ctl);
}
