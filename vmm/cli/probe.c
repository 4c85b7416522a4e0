// SPDX-License-Identifier: GPL-2.0-only
/* Runs a probe in a child process, with a deadline.  Main thread. */
#include "vmm/cli/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vmm/cli/probe_guest.h"
#include "vmm/core/clock.h"

/* Milliseconds; with four probes and their kills, all of it stays below 3 s. */
#define CAPS_MS	     500
#define SPEED_MS     800
#define HYPERCALL_MS 400
#define REAP_MS	     100

struct job {
	const char *kvm;
	int (*guest)(int kvm, struct probe_result *res); /* or NULL */
	const int *caps;
	unsigned int nr_caps;
	int budget_ms;
};

static int open_kvm(const struct job *job, struct probe_result *res)
{
	int fd, version;

	res->step = PROBE_OPEN;
	fd = open(job->kvm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	res->step = PROBE_VERSION;
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version < 0)
		return -errno;
	return version == KVM_API_VERSION ? fd : -EPROTO;
}

static int ask_caps(int kvm, const struct job *job, struct probe_result *res)
{
	int vm;

	res->step = PROBE_VM;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return -errno;
	res->step = PROBE_CAPS;
	for (unsigned int i = 0; i < job->nr_caps; i++)
		res->cap[i] = ioctl(vm, KVM_CHECK_EXTENSION, job->caps[i]);
	return 0;
}

static void child(const struct job *job, struct probe_result *res)
{
	int kvm = open_kvm(job, res);
	int err = kvm < 0 ? kvm : 0;

	if (!err)
		err = job->guest ? job->guest(kvm, res)
				 : ask_caps(kvm, job, res);
	res->err = -err;
	if (!err)
		res->step = PROBE_DONE;
}

/* A child that even SIGKILL does not end at once is left to init. */
static void reap(pid_t pid)
{
	const struct timespec tick = { .tv_nsec = 1000000 };

	for (int i = 0; i < REAP_MS; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		nanosleep(&tick, NULL);
	}
}

/* The pipe's other end closes when the child is gone.  False: time is up. */
static bool wait_gone(int fd, int budget_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t until = clock_ms() + budget_ms;

	for (;;) {
		int64_t left = until - clock_ms();

		if (left <= 0)
			return false;
		if (poll(&pfd, 1, (int)left) > 0)
			return true;
	}
}

static int fork_child(const struct job *job, struct probe_result *shared)
{
	int pipefd[2];
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child(job, shared);
		_exit(0);
	}
	close(pipefd[1]);
	if (pid > 0) {
		shared->timed_out = !wait_gone(pipefd[0], job->budget_ms);
		kill(pid, SIGKILL);
		reap(pid);
	}
	close(pipefd[0]);
	return pid < 0 ? -EAGAIN : 0;
}

static void run(const struct job *job, struct probe_result *res)
{
	struct probe_result *shared;
	int err;

	*res = (struct probe_result){ .err = ENOMEM };
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return;
	err = fork_child(job, shared);
	*res = *shared;
	if (err)
		res->err = -err;
	else if (!res->timed_out && !res->err && res->step != PROBE_DONE)
		res->err = ECHILD; /* it crashed */
	munmap(shared, sizeof(*shared));
}

void probe_caps(const char *kvm, const int *caps, unsigned int nr,
		struct probe_result *res)
{
	const struct job job = {
		.kvm = kvm,
		.caps = caps,
		.budget_ms = CAPS_MS,
		.nr_caps = nr < PROBE_NR_CAPS ? nr : PROBE_NR_CAPS,
	};

	run(&job, res);
}

void probe_speed(const char *kvm, struct probe_result *res)
{
	const struct job job = {
		.kvm = kvm,
		.guest = probe_guest_speed,
		.budget_ms = SPEED_MS,
	};

	run(&job, res);
}

void probe_hypercall(const char *kvm, bool vmmcall, struct probe_result *res)
{
	const struct job job = {
		.kvm = kvm,
		.budget_ms = HYPERCALL_MS,
		.guest = vmmcall ? probe_guest_vmmcall : probe_guest_vmcall,
	};

	run(&job, res);
}

double probe_mips(const struct probe_result *res)
{
	return res->ns ? (double)res->instructions * 1e3 / (double)res->ns : 0;
}
