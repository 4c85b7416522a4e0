/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's end of the control socket (vmm/backend/control.h).  Main
 * thread of `hotline list|stop|stat`; no call waits longer than it says.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <sys/types.h>

#include "vmm/backend/control_dir.h"

/* A machine answers at once, unless its host has better things to do. */
#define CLIENT_MS 10000

/*
 * Sends a request and waits for its answer: 0 with *body malloc()ed and
 * NUL-terminated, -ETIMEDOUT, -EPROTO, -ECONNRESET when the machine has ended,
 * or another -errno.
 */
int client_ask(int fd, const char *request, char **body);

/* Waits until process pid, which serves fd, is gone.  0 or -ETIMEDOUT. */
int client_wait_gone(int fd, pid_t pid, int timeout_ms);

/* The machines of this user by name: malloc()ed; *names[] and names too. */
int client_names(struct control_dir *dir, char ***names, unsigned int *nr);
void client_names_free(char **names, unsigned int nr);

/* The value of KEY in an answer of KEY=VALUE lines; "" if it is not there. */
void client_value(const char *body, const char *key, char *buf, size_t len);

/*
 * Like control_dir_connect(), but removes a socket that nobody serves:
 * -ENOENT then.
 */
int client_connect(struct control_dir *dir, const char *name, pid_t *pid);

/*
 * Opens the directory of the sockets, for one machine or, without a name, for
 * any.  EXIT_OK; EXIT_NOINPUT: there is none of that name, as was said, or none
 * at all, which is not said; or EXIT_NOPERM after a warn().
 */
int client_open(struct control_dir *dir, const char *name);

/* Says that no machine is called so; returns EXIT_NOINPUT. */
int client_no_such(const char *name);

#endif
