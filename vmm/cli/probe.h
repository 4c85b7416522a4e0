/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks a KVM device what it can do, in a child process that is killed if an
 * ioctl does not come back: some KVMs emulate, some hang.
 */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include <stdbool.h>
#include <stdint.h>

enum probe_step {		 /* how far the child came */
		  PROBE_OPEN,	 /* open() of the device */
		  PROBE_VERSION, /* KVM_GET_API_VERSION */
		  PROBE_VM,	 /* KVM_CREATE_VM */
		  PROBE_CAPS,	 /* KVM_CHECK_EXTENSION */
		  PROBE_VCPU,	 /* memory, vCPU, registers */
		  PROBE_RUN,	 /* KVM_RUN */
		  PROBE_DONE,
};

#define PROBE_NR_CAPS 24

struct probe_result {
	enum probe_step step;
	int err;		/* errno that ended it; 0 = none */
	bool timed_out;		/* killed at `step` */
	int cap[PROBE_NR_CAPS]; /* KVM_CHECK_EXTENSION, as asked */
	/* probe_speed(): the fastest stretch of guest code */
	uint64_t instructions, ns;
	uint64_t exit_ns; /* a port write and back; 0 = not measured */
	/* probe_hypercall() */
	uint32_t exit_reason;	/* what KVM_RUN returned with */
	bool arrived, answered; /* at the VMM; back in the guest */
};

/* Each fills *res and returns within its budget and a little more. */
void probe_caps(const char *kvm, const int *caps, unsigned int nr,
		struct probe_result *res);
void probe_speed(const char *kvm, struct probe_result *res);
/* VMMCALL is AMD's encoding, VMCALL Intel's; KVM takes both on either. */
void probe_hypercall(const char *kvm, bool vmmcall, struct probe_result *res);

/* Millions of instructions per second, from a result of probe_speed(). */
double probe_mips(const struct probe_result *res);

#endif
