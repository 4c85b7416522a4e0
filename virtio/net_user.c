// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network back end: user mode.  The TCP/IP stack that talks to the guest runs
 * in a process of its own, hotline-net-user (vmm/net-user/), so that what
 * parses hostile traffic shares no memory with the VMM.  A socket pair
 * carries one frame per message.  Started on the main thread, used on the I/O
 * thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "virtio/net.h"
#include "virtio/net_wire.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#define HELPER	      NET_WIRE_PROGRAM
#define SOCKET_BUFFER (4 << 20) /* bytes; the host may grant less */
#define MAX_FWD	      64
#define ARG_LEN	      48

/*
 * The host's stack, not ours, cuts what leaves into packets, so frames may be
 * as large as IPv4 allows: the fewer, the faster.
 */
#define DEFAULT_MTU 65520

extern char **environ;

struct net_user {
	struct net_backend be;
	pid_t pid; /* 0 = none (any more) */
};

/* Ends the helper if it has not done so, and returns its wait status. */
static int reap_helper(struct net_user *user)
{
	int status = 0;
	pid_t pid;

	if (!user->pid)
		return 0;
	kill(user->pid, SIGKILL);
	do {
		pid = waitpid(user->pid, &status, 0);
	} while (pid < 0 && errno == EINTR);
	user->pid = 0;
	return pid < 0 ? 0 : status;
}

/* It ends with an exit code only if it cannot start, having said why. */
static int user_lost(struct net_backend *be)
{
	int status = reap_helper((struct net_user *)be);

	if (WIFEXITED(status) && WEXITSTATUS(status))
		return WEXITSTATUS(status);
	warn("--net user: %s died (%s); the guest's link is down", HELPER,
	     WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "no status");
	return 0;
}

static void user_free(struct net_backend *be)
{
	if (be->fd >= 0)
		close(be->fd);
	reap_helper((struct net_user *)be);
	free(be);
}

static const struct net_backend_ops user_ops = {
	.name = "user",
	.lost = user_lost,
	.free = user_free,
};

/* Beside our own executable, or in ../libexec/hotline. */
static int find_helper(char *path, size_t len)
{
	static const char *const places[] = { "", "../libexec/hotline/" };
	const char *env = getenv("HOTLINE_NET_USER");
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (env) {
		snprintf(path, len, "%s", env);
		if (!access(path, X_OK))
			return 0;
		error("--net user: HOTLINE_NET_USER=%s: %s", env,
		      strerror(errno));
		return EXIT_UNAVAIL;
	}
	self[n < 0 ? 0 : n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		slash[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, len, "%s%s%s", self, places[i], HELPER);
		if (!access(path, X_OK))
			return 0;
	}
	error("--net user: the program " HELPER
	      " is neither in %s nor in %s../libexec/hotline; name it in "
	      "HOTLINE_NET_USER, or use --net tap or --net none",
	      self, self);
	return EXIT_UNAVAIL;
}

/* The helper's end must be no descriptor that the child's dup2() overwrites. */
static int make_sockets(int sock[2])
{
	int size = SOCKET_BUFFER, high;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, sock) < 0)
		return -errno;
	high = fcntl(sock[1], F_DUPFD_CLOEXEC, NET_WIRE_FD + 1);
	close(sock[1]);
	if (high < 0) {
		high = -errno;
		close(sock[0]);
		return high;
	}
	sock[1] = high;
	for (int i = 0; i < 2; i++)
		if (setsockopt(sock[i], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			       sizeof(size)) < 0)
			setsockopt(sock[i], SOL_SOCKET, SO_SNDBUF, &size,
				   sizeof(size));
	return 0;
}

/* See net_wire.h. */
static void make_args(char *argv[], char args[][ARG_LEN],
		      const struct net_backend *be,
		      const struct net_options *opt)
{
	unsigned int n = 0;

	snprintf(args[n++], ARG_LEN, HELPER);
	snprintf(args[n++], ARG_LEN, "%u", be->mtu);
	snprintf(args[n++], ARG_LEN,
		 opt->isolated ? NET_WIRE_ISOLATED : "open");
	for (unsigned int i = 0; i < opt->nr_fwd; i++) {
		const struct net_fwd *f = &opt->fwd[i];
		char addr[INET_ADDRSTRLEN] = "";

		inet_ntop(AF_INET, &f->host_addr, addr, sizeof(addr));
		snprintf(args[n++], ARG_LEN, "%s:%s:%u:%u",
			 f->udp ? "udp" : "tcp", addr, f->host_port,
			 f->guest_port);
	}
	for (unsigned int i = 0; i < n; i++)
		argv[i] = args[i];
	argv[n] = NULL;
}

/* 0 or an errno value. */
static int spawn(pid_t *pid, const char *path, char *argv[], int sock)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t all, none;
	int err;

	sigfillset(&all);
	sigemptyset(&none);
	err = posix_spawn_file_actions_init(&files);
	if (err)
		return err;
	err = posix_spawnattr_init(&attr);
	if (err)
		goto out_files;
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	err = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR,
					       0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&files, 0, 1);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&files, sock,
						       NET_WIRE_FD);
	if (!err)
		err = posix_spawn(pid, path, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
out_files:
	posix_spawn_file_actions_destroy(&files);
	return err;
}

static int start_helper(struct net_user *user, const struct net_options *opt)
{
	char args[3 + MAX_FWD][ARG_LEN], *argv[4 + MAX_FWD], path[4200];
	int err, sock[2], code = find_helper(path, sizeof(path));

	if (code)
		return code;
	if (opt->nr_fwd > MAX_FWD) {
		error("--net user: %u forwarded ports are too many, the limit "
		      "is %d",
		      opt->nr_fwd, MAX_FWD);
		return EXIT_USAGE;
	}
	err = make_sockets(sock);
	if (err) {
		error("--net user: socket pair: %s", strerror(-err));
		return EXIT_OSERR;
	}
	user->be.fd = sock[0];
	make_args(argv, args, &user->be, opt);
	err = spawn(&user->pid, path, argv, sock[1]);
	close(sock[1]);
	if (!err)
		return 0;
	user->pid = 0;
	error("--net user: cannot start %s: %s", path, strerror(err));
	return EXIT_OSERR;
}

/*
 * Does not wait for the helper, which needs about as long as the guest's
 * first instructions: if it cannot start, user_lost() hears of it.
 */
int net_user_open(struct net_backend **be, const struct net_options *opt)
{
	struct net_user *user = calloc(1, sizeof(*user));
	int code;

	if (!user) {
		error("--net user: out of memory");
		return EXIT_OSERR;
	}
	user->be = (struct net_backend){
		.ops = &user_ops,
		.fd = -1,
		.vhost_fd = -1,
		.sums_good = true,
		.mtu = opt->mtu ? opt->mtu : DEFAULT_MTU,
	};
	code = start_helper(user, opt);
	if (code) {
		user_free(&user->be);
		return code;
	}
	*be = &user->be;
	return 0;
}
