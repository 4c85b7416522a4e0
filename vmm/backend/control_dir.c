// SPDX-License-Identifier: GPL-2.0-only
/* The directory of control sockets: finding, checking, locking, connecting. */
#include "vmm/backend/control_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vmm/core/log.h"

#define LOCK_TRIES 200 /* of 10 ms */
#define BACKLOG	   16

bool control_name_ok(const char *name)
{
	static const char alnum[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(name), at;

	at = strspn(name, alnum);
	if (!at || len > CONTROL_NAME_MAX)
		return false;
	while (name[at]) {
		if (!strchr(".-_", name[at]) && !strchr(alnum, name[at]))
			return false;
		at++;
	}
	return true;
}

/* A directory of ours that others cannot write to (mask: nor anything else). */
static int check(int fd, mode_t mask, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid()) {
		warn("%s belongs to user %u; remove it or set XDG_RUNTIME_DIR",
		     path, (unsigned int)st.st_uid);
		return -EPERM;
	}
	if (st.st_mode & mask) {
		warn("%s is open to other users; chmod 700 %s", path, path);
		return -EPERM;
	}
	return 0;
}

static bool xdg_usable(const char *path)
{
	struct stat st;

	return path && path[0] == '/' && strlen(path) < 64 &&
	       stat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid() && !(st.st_mode & 022);
}

static int open_at(struct control_dir *dir, bool create)
{
	int err;

	if (create && mkdir(dir->path, 0700) < 0 && errno != EEXIST)
		return -errno;
	dir->fd = open(dir->path,
		       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd < 0) {
		err = -errno;
		if (err != -ENOENT)
			warn("%s: %s; remove it", dir->path, strerror(-err));
		return err;
	}
	err = check(dir->fd, 077, dir->path);
	if (err)
		control_dir_close(dir);
	return err;
}

int control_dir_open(struct control_dir *dir, bool create)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	int err;

	dir->fd = -1;
	if (xdg_usable(xdg)) {
		snprintf(dir->path, sizeof(dir->path), "%s/hotline", xdg);
		return open_at(dir, create);
	}
	if (geteuid() == 0 && access("/run", W_OK) == 0) {
		strcpy(dir->path, "/run/hotline");
		return open_at(dir, create);
	}
	snprintf(dir->path, sizeof(dir->path), "/tmp/hotline-%u",
		 (unsigned int)geteuid());
	err = open_at(dir, create);
	if (create && err == -ENOENT)
		warn("no place for the control socket: there is no /tmp and "
		     "$XDG_RUNTIME_DIR is not usable; `hotline stop` and "
		     "`stat` won't work");
	return err;
}

void control_dir_close(struct control_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	dir->fd = -1;
}

int control_dir_lock(struct control_dir *dir)
{
	const struct timespec tick = { .tv_nsec = 10000000 };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(dir->fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		nanosleep(&tick, NULL);
	}
	return -EBUSY;
}

void control_dir_unlock(struct control_dir *dir)
{
	flock(dir->fd, LOCK_UN);
}

static int address(const struct control_dir *dir, const char *name,
		   struct sockaddr_un *sa)
{
	int n;

	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(sa->sun_path, sizeof(sa->sun_path), "%s/%s.sock",
		     dir->path, name);
	return n < 0 || (size_t)n >= sizeof(sa->sun_path) ? -ENAMETOOLONG : 0;
}

/* A socket, and where it is to be; or -errno. */
static int open_socket(const struct control_dir *dir, const char *name,
		       struct sockaddr_un *sa)
{
	int err = address(dir, name, sa);
	int fd;

	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

int control_dir_listen(struct control_dir *dir, const char *name)
{
	struct sockaddr_un sa;
	int fd = open_socket(dir, name, &sa), err;

	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int control_dir_connect(struct control_dir *dir, const char *name, pid_t *pid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct sockaddr_un sa;
	int fd = open_socket(dir, name, &sa), err;

	if (fd < 0)
		return fd;
	/* The kernel's word for who called listen(). */
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	*pid = cred.pid;
	return fd;
}

int control_dir_unlink(struct control_dir *dir, const char *name)
{
	char file[CONTROL_NAME_MAX + 8];

	snprintf(file, sizeof(file), "%.*s.sock", CONTROL_NAME_MAX, name);
	return unlinkat(dir->fd, file, 0) < 0 ? -errno : 0;
}
