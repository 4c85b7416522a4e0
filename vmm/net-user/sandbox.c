// SPDX-License-Identifier: GPL-2.0-only
/*
 * From here on the process can talk to the network and to the VMM, and read
 * the name server's address, and nothing else: no root, no new privileges, no
 * files but those of name resolution (Landlock), few system calls (seccomp).
 */
#include "vmm/net-user/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

static int drop_root(void)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	     setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	return 0;
}

/* Changing the user cleared the signal, so it is set after that. */
static int set_process(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	return 0;
}

static void allow_reading(int ruleset, const char *dir)
{
	struct landlock_path_beneath_attr path = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = open(dir, O_PATH | O_CLOEXEC),
	};

	if (path.parent_fd < 0)
		return; /* not on this host */
	syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&path, 0);
	close(path.parent_fd);
}

/* resolv.conf is often a link to where a service keeps it. */
static int limit_files(void)
{
	static const char *const dirs[] = {
		"/etc",
		"/run/systemd/resolve",
		"/run/NetworkManager",
		"/run/resolvconf",
		"/run/connman",
	};
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int err = 0;

	if (fd < 0) /* a host without it */
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		allow_reading((int)fd, dirs[i]);
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		err = -errno;
	close((int)fd);
	return err;
}

static const int calls[] = {
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(bind),
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(close),
	SCMP_SYS(connect),
	SCMP_SYS(dup2),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpeername),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(listen),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(stat),
	SCMP_SYS(statx),
	SCMP_SYS(sysinfo),
	SCMP_SYS(time),
	SCMP_SYS(tgkill),
	SCMP_SYS(uname),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* Allowed if the argument, masked, has the value. */
static const struct {
	int call;
	unsigned int arg;
	uint64_t mask, value;
} checked[] = {
	{ SCMP_SYS(socket), 0, UINT64_MAX, AF_INET },
	{ SCMP_SYS(socket), 0, UINT64_MAX, AF_INET6 },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, FIONREAD },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, FIONBIO },
	{ SCMP_SYS(openat), 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY },
	{ SCMP_SYS(mmap), 2, PROT_EXEC, 0 },
	{ SCMP_SYS(mprotect), 2, PROT_EXEC, 0 },
};

/* What nobody asks for by mistake. */
static const int deadly[] = {
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(kill),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(ptrace),
	SCMP_SYS(vfork),
};

static int limit_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = 0;

	if (!ctx)
		return -ENOMEM;
	for (size_t i = 0; !err && i < sizeof(calls) / sizeof(calls[0]); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; !err && i < sizeof(checked) / sizeof(checked[0]);
	     i++)
		err = seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, checked[i].call, 1,
			SCMP_CMP(checked[i].arg, SCMP_CMP_MASKED_EQ,
				 checked[i].mask, checked[i].value));
	for (size_t i = 0; !err && i < sizeof(deadly) / sizeof(deadly[0]); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, deadly[i],
				       0);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

int sandbox_enter(const char **step)
{
	static const struct {
		const char *name;
		int (*fn)(void);
	} steps[] = {
		{ "dropping root", drop_root },
		{ "process attributes", set_process },
		{ "Landlock", limit_files },
		{ "seccomp", limit_calls },
	};
	int err;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		*step = steps[i].name;
		err = steps[i].fn();
		if (err)
			return err;
	}
	return 0;
}
