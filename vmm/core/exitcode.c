// SPDX-License-Identifier: GPL-2.0-only
/* What each way to end means, for messages and for `hotline help run`. */
#include "vmm/core/exitcode.h"

#include <stddef.h>

static const struct {
	int code;
	const char *text;
} texts[] = {
	{ EXIT_OK, "the guest powered off" },
	{ EXIT_USAGE, "an option or its value is wrong" },
	{ EXIT_DATA, "a file is not what it should be" },
	{ EXIT_NOINPUT, "a file is missing or cannot be read" },
	{ EXIT_UNAVAIL, "KVM, or what we need of it, is not there" },
	{ EXIT_INTERNAL, "a fault of hotline itself" },
	{ EXIT_OSERR, "the host refused a resource" },
	{ EXIT_NOPERM, "no permission" },
	{ EXIT_REBOOT, "the guest asked for a reset" },
	{ EXIT_PANIC, "the guest kernel panicked" },
	{ EXIT_TRIPLE, "a vCPU shut down (triple fault)" },
	{ EXIT_KVM, "KVM cannot go on with this guest" },
	{ EXIT_WATCHDOG, "no output for longer than --watchdog allows" },
	{ EXIT_STOPPED,
	  "stopped from outside (Ctrl-a x, a signal, hotline stop)" },
};

const char *exit_code_text(int code)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].code == code)
			return texts[i].text;
	return NULL;
}
