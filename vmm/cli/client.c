// SPDX-License-Identifier: GPL-2.0-only
/* Talking to running machines. */
#include "vmm/cli/client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vmm/core/clock.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#define BODY_MAX (1u << 20)
#define HEAD_MAX 64

static int wait_for(int fd, short events, int64_t until)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int64_t left;
	int n;

	do {
		left = until - clock_ms();
		n = left > 0 ? poll(&pfd, 1, (int)left) : 0;
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : n < 0 ? -errno : -ETIMEDOUT;
}

/* Reads exactly len bytes. */
static int read_all(int fd, char *buf, size_t len, int64_t until)
{
	while (len) {
		ssize_t n = recv(fd, buf, len, 0);
		int err;

		if (n > 0) {
			buf += n;
			len -= (size_t)n;
			continue;
		}
		if (n == 0)
			return -ECONNRESET;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		err = wait_for(fd, POLLIN, until);
		if (err)
			return err;
	}
	return 0;
}

/* "ok LEN\n": byte by byte, so that nothing of the body is taken. */
static int read_head(int fd, size_t *len, int64_t until)
{
	char head[HEAD_MAX];
	size_t n = 0;
	int err;

	do {
		if (n == sizeof(head))
			return -EPROTO;
		err = read_all(fd, head + n, 1, until);
		if (err)
			return err;
	} while (head[n++] != '\n');
	head[n - 1] = '\0';
	if (sscanf(head, "ok %zu", len) != 1 || *len > BODY_MAX)
		return -EPROTO;
	return 0;
}

int client_ask(int fd, const char *request, char **body)
{
	int64_t until = clock_ms() + CLIENT_MS;
	char line[64];
	size_t len;
	int n, err;

	/* Shorter than any socket's buffer: goes out whole. */
	n = snprintf(line, sizeof(line), "%s\n", request);
	if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n)
		return errno == EPIPE ? -ECONNRESET : -errno;
	err = read_head(fd, &len, until);
	if (err)
		return err;
	*body = malloc(len + 1);
	if (!*body)
		return -ENOMEM;
	(*body)[len] = '\0';
	err = read_all(fd, *body, len, until);
	if (err)
		free(*body);
	return err;
}

int client_wait_gone(int fd, pid_t pid, int timeout_ms)
{
	int64_t until = clock_ms() + timeout_ms;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	char c;
	int err;

	if (pidfd >= 0) {
		err = wait_for(pidfd, POLLIN, until);
		close(pidfd);
		return err;
	}
	if (errno == ESRCH)
		return 0;
	/* No pidfds here: the end of its socket is nearly the same. */
	err = read_all(fd, &c, 1, until);
	return err == -ETIMEDOUT ? err : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(const char *file, char ***names, unsigned int *nr)
{
	size_t len = strlen(file);
	char **more, *name;

	if (len <= 5 || strcmp(file + len - 5, ".sock"))
		return 0;
	name = strndup(file, len - 5);
	if (name && !control_name_ok(name)) {
		free(name);
		return 0;
	}
	more = realloc(*names, (*nr + 1) * sizeof(*more));
	if (!name || !more) {
		free(name);
		*names = more ? more : *names;
		return -ENOMEM;
	}
	*names = more;
	more[(*nr)++] = name;
	return 0;
}

int client_names(struct control_dir *dir, char ***names, unsigned int *nr)
{
	int fd = fcntl(dir->fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	int err = 0;

	*names = NULL;
	*nr = 0;
	if (!d) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	rewinddir(d);
	while (!err && (e = readdir(d)))
		err = add_name(e->d_name, names, nr);
	closedir(d);
	if (err)
		client_names_free(*names, *nr);
	else if (*nr)
		qsort(*names, *nr, sizeof(**names), by_name);
	return err;
}

void client_names_free(char **names, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		free(names[i]);
	free(names);
}

void client_value(const char *body, const char *key, char *buf, size_t len)
{
	size_t klen = strlen(key);

	buf[0] = '\0';
	while (body && *body) {
		if (!strncmp(body, key, klen) && body[klen] == '=') {
			snprintf(buf, len, "%.*s",
				 (int)strcspn(body + klen + 1, "\n"),
				 body + klen + 1);
			return;
		}
		body = strchr(body, '\n');
		body += !!body;
	}
}

int client_connect(struct control_dir *dir, const char *name, pid_t *pid)
{
	int fd = control_dir_connect(dir, name, pid);

	if (fd != -ECONNREFUSED)
		return fd;
	if (control_dir_lock(dir))
		return -ECONNREFUSED;
	/* Again, as its name may have been taken meanwhile. */
	fd = control_dir_connect(dir, name, pid);
	if (fd == -ECONNREFUSED) {
		control_dir_unlink(dir, name);
		fd = -ENOENT;
	}
	control_dir_unlock(dir);
	return fd;
}

int client_open(struct control_dir *dir, const char *name)
{
	int err;

	if (name && !control_name_ok(name))
		return client_no_such(name);
	err = control_dir_open(dir, false);
	if (err == -ENOENT)
		return name ? client_no_such(name) : EXIT_NOINPUT;
	return err ? EXIT_NOPERM : EXIT_OK;
}

int client_no_such(const char *name)
{
	error("%s: no machine of that name is running; see `hotline list`",
	      name);
	return EXIT_NOINPUT;
}
