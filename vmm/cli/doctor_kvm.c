// SPDX-License-Identifier: GPL-2.0-only
/* Doctor's questions to the KVM device itself. */
#include <errno.h>
#include <grp.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/cli/doctor.h"
#include "vmm/cli/probe.h"

/* Emulation does about 1, translation by QEMU hundreds, a CPU thousands. */
#define MIPS_MIN 20

#define DEVICE	 "device"

static const struct cap {
	int cap;
	const char *name;
	bool required;
	const char *without; /* what it means not to have it */
} caps[] = {
	{ KVM_CAP_USER_MEMORY, "USER_MEMORY", true, "guest memory" },
	{ KVM_CAP_SPLIT_IRQCHIP, "SPLIT_IRQCHIP", true,
	  "interrupt controllers" },
	{ KVM_CAP_IOEVENTFD, "IOEVENTFD", true, "virtio notifications" },
	{ KVM_CAP_IRQFD, "IRQFD", true, "device interrupts" },
	{ KVM_CAP_SIGNAL_MSI, "SIGNAL_MSI", true,
	  "message-signalled interrupts" },
	{ KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT", true, "stopping a vCPU" },
	{ KVM_CAP_EXIT_HYPERCALL, "EXIT_HYPERCALL", false,
	  "hypercalls cannot reach hotline" },
	{ KVM_CAP_READONLY_MEM, "READONLY_MEM", false,
	  "reading device registers costs an exit" },
	{ KVM_CAP_SYNC_REGS, "SYNC_REGS", false,
	  "reading a vCPU's registers costs a system call" },
	{ KVM_CAP_BINARY_STATS_FD, "BINARY_STATS_FD", false,
	  "statistics lack KVM's own counters" },
};

#define NR_CAPS (sizeof(caps) / sizeof(caps[0]))
_Static_assert(NR_CAPS <= PROBE_NR_CAPS, "a result holds every capability");

static bool in_container(void)
{
	return access("/.dockerenv", F_OK) == 0 ||
	       access("/run/.containerenv", F_OK) == 0 || getenv("container");
}

/* "vmx" on Intel, "svm" on AMD, or NULL if the CPU offers neither. */
static const char *cpu_flag(void)
{
	const char *found = NULL;
	FILE *f = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t size = 0;

	while (f && !found && getline(&line, &size, f) > 0) {
		if (strncmp(line, "flags", 5))
			continue;
		found = strstr(line, " vmx")   ? "vmx"
			: strstr(line, " svm") ? "svm"
					       : NULL;
		break;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

static void explain_absence(struct doctor *doc, int err)
{
	const char *flag = cpu_flag();

	doctor_add(doc, VERDICT_FAIL, DEVICE, "%s: %s. The CPU %s%s%s",
		   doc->kvm, strerror(err),
		   flag ? "offers " : "offers neither VMX nor SVM",
		   flag ? flag : "",
		   in_container() ? ", and this is a container." : ".");
	if (!flag)
		doctor_fix(doc,
			   "enable virtualisation in the firmware or, if this "
			   "is a virtual machine, nested virtualisation at its "
			   "host (a cloud may need another instance type)");
	else if (in_container())
		doctor_fix(doc,
			   "start the container with --device /dev/kvm; on its "
			   "host: modprobe %s",
			   *flag == 'v' ? "kvm_intel" : "kvm_amd");
	else
		doctor_fix(doc,
			   "modprobe %s; if that fails, dmesg says why (often: "
			   "disabled in the firmware)",
			   *flag == 'v' ? "kvm_intel" : "kvm_amd");
}

/* Straight from the file: a static program has no name service to ask. */
static const struct group *group_by_id(gid_t gid)
{
	FILE *f = fopen("/etc/group", "re");
	const struct group *gr;

	if (!f)
		return NULL;
	do {
		gr = fgetgrent(f);
	} while (gr && gr->gr_gid != gid);
	fclose(f);
	return gr;
}

static void explain_permission(struct doctor *doc, int err)
{
	const struct group *gr = NULL;
	struct stat st;

	if (stat(doc->kvm, &st) == 0 && st.st_mode & 060)
		gr = group_by_id(st.st_gid);
	doctor_add(doc, VERDICT_FAIL, DEVICE, "%s: %s", doc->kvm,
		   strerror(err));
	if (geteuid() == 0)
		doctor_fix(doc,
			   "root may not open it either: a container or cgroup "
			   "forbids the device; start it with --device %s",
			   doc->kvm);
	else if (gr && gr->gr_gid)
		doctor_fix(doc, "sudo usermod -aG %s $USER, then log in again",
			   gr->gr_name);
	else
		doctor_fix(doc,
			   "sudo chgrp kvm %s && sudo chmod 660 %s && sudo "
			   "usermod -aG kvm $USER, then log in again",
			   doc->kvm, doc->kvm);
}

static void explain_open(struct doctor *doc, int err)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		explain_absence(doc, err);
		break;
	case EACCES:
	case EPERM:
		explain_permission(doc, err);
		break;
	default:
		doctor_add(doc, VERDICT_FAIL, DEVICE, "%s: %s", doc->kvm,
			   strerror(err));
		doctor_fix(doc,
			   "ls -l %s should show a character device 10, 232",
			   doc->kvm);
	}
}

static void explain_vm(struct doctor *doc, int err)
{
	if (err == EBUSY) {
		doctor_add(doc, VERDICT_FAIL, DEVICE,
			   "busy: another hypervisor holds the CPU's "
			   "virtualisation");
		doctor_fix(doc, "stop the other one (VirtualBox, VMware, ...) "
				"or unload its kernel module");
		return;
	}
	doctor_add(doc, VERDICT_FAIL, DEVICE, "no VM can be created: %s",
		   strerror(err));
	if (err == ENOMEM)
		doctor_fix(doc, "free memory, or raise the limit of this "
				"control group");
	else
		doctor_fix(doc, "dmesg | grep -i kvm says why");
}

static void explain_end(struct doctor *doc, const struct probe_result *res)
{
	static const char *const steps[] = {
		[PROBE_OPEN] = "opening it",
		[PROBE_VERSION] = "its version",
		[PROBE_VM] = "creating a VM",
		[PROBE_CAPS] = "its abilities",
		[PROBE_VCPU] = "creating a vCPU",
		[PROBE_RUN] = "running it",
		[PROBE_DONE] = "nothing",
	};

	if (res->timed_out) {
		doctor_add(doc, VERDICT_FAIL, DEVICE,
			   "%s hangs (%s): not a working KVM", doc->kvm,
			   steps[res->step]);
		doctor_fix(doc, "dmesg may say why; try again on an idle host");
	} else if (res->step == PROBE_OPEN) {
		explain_open(doc, res->err);
	} else if (res->step == PROBE_VERSION) {
		doctor_add(doc, VERDICT_FAIL, DEVICE,
			   "%s is not a KVM device of API version %d", doc->kvm,
			   KVM_API_VERSION);
		doctor_fix(doc, "give the right one with --kvm PATH");
	} else {
		explain_vm(doc, res->err);
	}
}

static void judge_caps(struct doctor *doc, const struct probe_result *res)
{
	unsigned int have = 0;

	for (size_t i = 0; i < NR_CAPS; i++)
		have += res->cap[i] > 0;
	doctor_add(doc, VERDICT_OK, "capabilities", "%u of %zu that we know",
		   have, NR_CAPS);
	for (size_t i = 0; i < NR_CAPS; i++) {
		if (res->cap[i] > 0)
			continue;
		if (!caps[i].required) {
			doctor_add(doc, VERDICT_NOTE, caps[i].name,
				   "not there: %s", caps[i].without);
			continue;
		}
		doctor_add(doc, VERDICT_FAIL, caps[i].name,
			   "not there, but needed for %s", caps[i].without);
		doctor_fix(doc, "a host kernel of version 5.14 or later");
	}
}

bool doctor_check_device(struct doctor *doc)
{
	struct probe_result res;
	int nr[NR_CAPS];

	for (size_t i = 0; i < NR_CAPS; i++)
		nr[i] = caps[i].cap;
	probe_caps(doc->kvm, nr, NR_CAPS, &res);
	if (res.timed_out || res.err) {
		explain_end(doc, &res);
		return false;
	}
	doctor_add(doc, VERDICT_OK, DEVICE, "%s opens and creates VMs",
		   doc->kvm);
	judge_caps(doc, &res);
	return true;
}

static void judge_speed(struct doctor *doc, const struct probe_result *res)
{
	static const char check[] = "guest code";

	doc->mips = probe_mips(res);
	if (doc->mips >= MIPS_MIN && !res->timed_out && !res->err) {
		doctor_add(doc, VERDICT_OK, check,
			   "executes: %.0f million instructions per second, "
			   "%.1f us for an exit and back",
			   doc->mips, (double)res->exit_ns / 1e3);
	} else if (doc->mips > 0 && doc->mips < MIPS_MIN) {
		doctor_add(doc, VERDICT_FAIL, check,
			   "is emulated, not executed: %.2f million "
			   "instructions per second",
			   doc->mips);
		doctor_fix(doc, "use a host (or instance type) with hardware "
				"virtualisation, nested if this is a virtual "
				"machine; for tests, `make run` and `make "
				"check` bring a nested one of their own");
	} else {
		doctor_add(doc, VERDICT_FAIL, check,
			   "does not run: %s (step %d, exit reason %u)",
			   res->timed_out ? "KVM hangs"
			   : res->err	  ? strerror(res->err)
					  : "unexpected exit",
			   (int)res->step, res->exit_reason);
		doctor_fix(doc, "dmesg | grep -i kvm may say why; a newer host "
				"kernel may help");
	}
}

static void judge_hypercall(struct doctor *doc, const char *name,
			    const struct probe_result *res)
{
	static const char instead[] = "hypercalls by it cannot reach hotline";

	if (res->arrived && res->answered)
		doctor_add(doc, VERDICT_OK, name,
			   "arrives here and is answered");
	else if (res->timed_out)
		doctor_add(doc, VERDICT_NOTE, name, "hangs in KVM_RUN; %s",
			   instead);
	else if (res->err == EINVAL && res->step == PROBE_VCPU)
		doctor_add(doc, VERDICT_NOTE, name, "cannot be asked for; %s",
			   instead);
	else if (res->err)
		doctor_add(doc, VERDICT_NOTE, name, "fails: %s; %s",
			   strerror(res->err), instead);
	else
		doctor_add(doc, VERDICT_NOTE, name,
			   "does not arrive (exit reason %u); %s",
			   res->exit_reason, instead);
}

void doctor_check_guest(struct doctor *doc)
{
	struct probe_result res;

	probe_speed(doc->kvm, &res);
	judge_speed(doc, &res);
	probe_hypercall(doc->kvm, false, &res);
	judge_hypercall(doc, "vmcall", &res);
	probe_hypercall(doc->kvm, true, &res);
	judge_hypercall(doc, "vmmcall", &res);
}
