/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exit status of `hotline`.  When a command was given (-- CMD) and it
 * ended, its own status (0..255) is used instead.  The numbers up to 78 are
 * those of sysexits.h.
 */
#ifndef CORE_EXITCODE_H
#define CORE_EXITCODE_H

enum exit_code {
	EXIT_OK = 0,	    /* guest powered off */
	EXIT_USAGE = 64,    /* an option or its value is wrong */
	EXIT_DATA = 65,	    /* a file is not what it should be */
	EXIT_NOINPUT = 66,  /* a file is missing or cannot be read */
	EXIT_UNAVAIL = 69,  /* KVM, or what we need of it, is not there */
	EXIT_INTERNAL = 70, /* a fault of our own */
	EXIT_OSERR = 71,    /* the host refused a resource */
	EXIT_NOPERM = 77,   /* no permission */
	EXIT_REBOOT = 80,   /* guest asked for a reset */
	EXIT_PANIC = 81,    /* guest kernel panicked (pvpanic) */
	EXIT_TRIPLE = 82,   /* triple fault */
	EXIT_KVM = 83,	    /* KVM cannot go on with this guest */
	EXIT_WATCHDOG = 84, /* no output for longer than --watchdog */
	EXIT_STOPPED =
		85, /* stopped from outside: Ctrl-a x, a signal, `hotline stop` */
};

/* What ended the machine, one line for people; NULL if code is no such end. */
const char *exit_code_text(int code);

#endif
