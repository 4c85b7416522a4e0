/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the control sockets of a user's machines are: one directory that
 * nobody else can write to, NAME.sock for each.  Any thread; no state.
 */
#ifndef BACKEND_CONTROL_DIR_H
#define BACKEND_CONTROL_DIR_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define CONTROL_NAME_MAX 47 /* characters */

struct control_dir {
	int fd;
	char path[PATH_MAX];
};

/* Letters, digits, '.', '-', '_'; begins with a letter or digit. */
bool control_name_ok(const char *name);

/*
 * $XDG_RUNTIME_DIR/hotline if that is ours, else for root /run/hotline, else
 * /tmp/hotline-UID; made if `create`.  Returns 0, -ENOENT if there is none
 * (nothing is said about that), or -errno after a warn().
 */
int control_dir_open(struct control_dir *dir, bool create);
void control_dir_close(struct control_dir *dir);

/*
 * Held while a socket is made or a stale one removed.  Waits at most two
 * seconds: 0 or -errno.  Closing the directory releases it.
 */
int control_dir_lock(struct control_dir *dir);
void control_dir_unlock(struct control_dir *dir);

/* A listening socket for `name`.  fd or -errno; the lock is held. */
int control_dir_listen(struct control_dir *dir, const char *name);

/*
 * Connects without waiting.  Returns the (non-blocking) fd with *pid set to
 * the machine's process, or -errno: -ECONNREFUSED means that nobody listens
 * any more, -EAGAIN that too many are waiting for an answer.
 */
int control_dir_connect(struct control_dir *dir, const char *name, pid_t *pid);

/* Removes NAME.sock; 0 or -errno. */
int control_dir_unlink(struct control_dir *dir, const char *name);

#endif
