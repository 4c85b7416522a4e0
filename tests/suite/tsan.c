// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked into the TSan build only, around two functions that the VMM calls:
 * what TSan must know of a VMM.
 */
#include <signal.h>

#include "vmm/core/mem.h"

int __real_mem_init(struct mem *mem, const struct mem_options *opt);
int __wrap_mem_init(struct mem *mem, const struct mem_options *opt);
int __real_sigaction(int sig, const struct sigaction *sa,
		     struct sigaction *old);
int __wrap_sigaction(int sig, const struct sigaction *sa,
		     struct sigaction *old);

/* Of the run-time library and of libc, which have no headers for them. */
void AnnotateBenignRaceSized(const char *file, int line,
			     const volatile void *mem, size_t size,
			     const char *why);
int __sigaction(int sig, const struct sigaction *sa, struct sigaction *old);

/*
 * What orders accesses to guest memory is the guest, which TSan does not see,
 * and a guest may well leave them unordered.  So guest memory is no place for
 * its reports; what the VMM keeps for itself is.
 */
int __wrap_mem_init(struct mem *mem, const struct mem_options *opt)
{
	int err = __real_mem_init(mem, opt);

	if (!err)
		AnnotateBenignRaceSized(__FILE__, __LINE__, mem->host,
					mem->size, "guest memory");
	return err;
}

/*
 * TSan puts handlers off until the next call that it intercepts.  KVM_RUN may
 * be that call and not return, so a kick's handler (vcpu.c) must run at once.
 */
int __wrap_sigaction(int sig, const struct sigaction *sa, struct sigaction *old)
{
	return sig == SIGUSR1 ? __sigaction(sig, sa, old)
			      : __real_sigaction(sig, sa, old);
}
