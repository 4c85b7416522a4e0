/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMMs that are compared, and how each is told to make a machine. */
#ifndef BENCH_VMMS_H
#define BENCH_VMMS_H

#include <stdbool.h>
#include <stddef.h>

/* Where things are: /bench, as in L1, or what BENCH_DIR says. */
const char *vmms_dir(void);
#define BENCH_DISK    "/dev/shm/bench%u.img"
#define BENCH_RAM_MIB 128
#define BENCH_ARGS    96

enum vmms_kernel { KERNEL_COMMON, KERNEL_PV };
enum vmms_console { CONSOLE_VIRTIO, CONSOLE_SERIAL };
/* Ways of waiting for locks are compared, by machines of ours only. */
enum vmms_waits { WAITS_USUAL, WAITS_AUTO, WAITS_ALL };
enum vmms_net { NET_NONE, NET_TAP, NET_TAP_VHOST, NET_USER };

/* A machine to be made, in words that all VMMs know. */
struct vmms_machine {
	enum vmms_kernel kernel;
	unsigned int hz; /* the kernel's ticks a second; 0: as it comes */
	enum vmms_console console;
	enum vmms_net net;
	unsigned int cpus; /* 0: one */
	bool disk;	   /* BENCH_DISK, its own */
	bool line;	   /* hypercalls, which only we have */
	bool timers;	   /* HPET and ACPI PM timer, by ACPI */
	enum vmms_waits waits;
	const char *initrd; /* a file of BENCH_DIR */
	const char *append; /* to the kernel's command line */
	unsigned int place; /* number of its disk, tap and network */
};

/* A command line in the making; strings are never freed. */
struct vmms_args {
	char *v[BENCH_ARGS];
	size_t n;
};

struct vmms_vmm {
	const char *name;
	/* False: it cannot make such a machine. */
	bool (*args)(const struct vmms_machine *m, struct vmms_args *a);
};

extern const struct vmms_vmm vmms[];
extern const size_t vmms_count;

/* The directory in BENCH_DIR that its kernel is in: what build.sh calls it. */
void vmms_kernel_name(const struct vmms_machine *m, char *buf, size_t size);

/* Adds one argument, printf-like. */
void vmms_arg(struct vmms_args *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
