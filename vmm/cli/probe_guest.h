/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest of a few instructions; only in the child that vmm/cli/probe.c forks. */
#ifndef CLI_PROBE_GUEST_H
#define CLI_PROBE_GUEST_H

#include "vmm/cli/probe.h"

/* kvm: the open device; res->step says how far it came.  0 or -errno. */
int probe_guest_speed(int kvm, struct probe_result *res);
int probe_guest_vmcall(int kvm, struct probe_result *res);
int probe_guest_vmmcall(int kvm, struct probe_result *res);

#endif
