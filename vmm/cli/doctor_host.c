// SPDX-License-Identifier: GPL-2.0-only
/* Doctor's look at what the host has besides KVM; none of it is required. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/backend/lease.h"
#include "vmm/cli/doctor.h"

static void check_uring(struct doctor *doc)
{
	struct io_uring_params params = { 0 };
	long fd = syscall(SYS_io_uring_setup, 2, &params);

	if (fd >= 0) {
		close((int)fd);
		doctor_add(doc, VERDICT_OK, "io_uring", "works");
		return;
	}
	doctor_add(doc, VERDICT_NOTE, "io_uring",
		   "%s: disks use libaio instead, which is slower",
		   strerror(errno));
	if (errno == EPERM)
		doctor_fix(doc, "allow it in the container's seccomp profile, "
				"or sysctl kernel.io_uring_disabled=0");
}

static void check_open(struct doctor *doc, const char *check, const char *path,
		       const char *good, const char *without)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0) {
		close(fd);
		doctor_add(doc, VERDICT_OK, check, "%s", good);
		return;
	}
	doctor_add(doc, VERDICT_NOTE, check, "%s: %s; %s", path,
		   strerror(errno), without);
}

static void check_thp(struct doctor *doc)
{
	static const char check[] = "huge pages";
	char mode[128] = "";
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");

	if (f) {
		if (!fgets(mode, sizeof(mode), f))
			mode[0] = '\0';
		fclose(f);
	}
	if (strstr(mode, "[always]") || strstr(mode, "[madvise]")) {
		doctor_add(doc, VERDICT_OK, check, "guest memory gets them");
		return;
	}
	doctor_add(doc, VERDICT_NOTE, check,
		   "guest memory gets none: slower, above all while booting");
	doctor_fix(
		doc,
		"echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
}

static bool may_pull(void)
{
	cpu_set_t cpus;

	return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 &&
	       sched_setaffinity(0, sizeof(cpus), &cpus) == 0;
}

static void check_yield(struct doctor *doc)
{
	static const char check[] = "directed yield";
	int err = lease_allowed();

	if (!may_pull())
		doctor_add(doc, VERDICT_NOTE, check,
			   "no pulls: sched_setaffinity: %s%s", strerror(errno),
			   err ? "; no leases" : "");
	else if (err)
		doctor_add(doc, VERDICT_NOTE, check,
			   "pulls, but no leases: SCHED_FIFO: %s",
			   strerror(-err));
	else
		doctor_add(doc, VERDICT_OK, check, "pulls and leases");
	if (err)
		doctor_fix(doc, "give it CAP_SYS_NICE or ulimit -r 2, if "
				"guests have more CPUs than the host can run "
				"at a time");
}

void doctor_check_host(struct doctor *doc)
{
	check_uring(doc);
	check_open(doc, "tun", "/dev/net/tun", "tap networks can be opened",
		   "only user networks");
	check_open(doc, "vhost-net", "/dev/vhost-net",
		   "tap networks can run in the kernel",
		   "tap networks run in this process");
	check_thp(doc);
	check_yield(doc);
}
