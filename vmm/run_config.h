/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `hotline run` was asked for, as plain data: filled and checked by
 * vmm/cli/run.c, read by vmm/machine.c.  Constant once parsed.
 *
 * Strings point into argv, the environment or owned[] and live as long as
 * the config does.
 */
#ifndef RUN_CONFIG_H
#define RUN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/boot/boot.h"
#include "vmm/core/log.h"
#include "vmm/core/machine.h"
#include "vmm/core/mem.h"

#define RUN_DISKS      8
#define RUN_NETS       4
#define RUN_FWDS       16 /* forwarded ports of one network */
#define RUN_NAME_LEN   48 /* with the NUL */
#define RUN_RINGS      MACHINE_RINGS
#define RUN_WORKERS    64
#define RUN_PERIOD_MS  1000
#define RUN_YIELD_RATE 1000000
#define RUN_QUEUES     8  /* queues of one disk */
#define RUN_SERIAL_LEN 20 /* virtio 1.2, 5.2.6.1: VIRTIO_BLK_T_GET_ID */
#define RUN_MEM_MIN    (16ull << 20) /* bytes; no Linux of ours starts with less */
#define RUN_MEM_MAX    (4ull << 40) /* a KVM memory slot ends below 8 TiB */

/* Bits: which consoles the guest has. */
enum run_console {
	RUN_CONSOLE_OFF = 0,
	RUN_CONSOLE_VIRTIO = 1, /* hvc0 */
	RUN_CONSOLE_SERIAL = 2, /* ttyS0 */
	RUN_CONSOLE_BOTH = 3,	/* input goes to hvc0 */
};

enum run_aio { RUN_AIO_AUTO, RUN_AIO_URING, RUN_AIO_LIBAIO };
enum run_toggle { RUN_AUTO, RUN_ON, RUN_OFF };
enum run_net_kind { RUN_NET_USER, RUN_NET_TAP };

struct run_disk {
	const char *path;
	bool ro;
	bool overlay; /* writes go to a file that dies with the VM */
	bool raw;     /* other formats' marks don't matter */
	bool direct;  /* O_DIRECT */
	enum run_aio aio;
	unsigned int queues;		 /* 1..RUN_QUEUES; 0 = not said */
	char serial[RUN_SERIAL_LEN + 1]; /* "" = not said */
};

struct run_fwd {
	bool udp;			/* else TCP */
	uint32_t host_addr;		/* IPv4, network byte order */
	uint16_t host_port, guest_port; /* host byte order */
};

struct run_net {
	enum run_net_kind kind;
	const char *tap;       /* interface name; RUN_NET_TAP */
	enum run_toggle vhost; /* RUN_NET_TAP */
	uint16_t mtu;	       /* RUN_NET_TAP; 0 = not said */
	bool has_mac;
	uint8_t mac[6];		      /* unicast */
	struct run_fwd fwd[RUN_FWDS]; /* RUN_NET_USER */
	unsigned int nr_fwd;
};

struct run_line { /* --hypercalls */
	bool off;
	enum run_toggle vmcall; /* auto: if KVM lets us have it */
	bool test;		/* include/hotline/test.h */
	bool said_rings;
	unsigned int rings;   /* 0..RUN_RINGS; not said: one per CPU, up to 8 */
	unsigned int workers; /* 1..RUN_WORKERS; 0 = not said */
};

struct run_clock { /* --clock */
	bool off;
	unsigned int period_ms; /* 1..RUN_PERIOD_MS; 0 = not said */
};

struct run_timer { /* --timer */
	bool off;
	enum run_toggle halt_by_call; /* auto: if it pays here */
};

struct run_yield { /* --yield: what is done for a vCPU that others wait for */
	enum {
		RUN_YIELD_AUTO,
		RUN_YIELD_KVM, /* KVM's own call alone */
		RUN_YIELD_PULL,
		RUN_YIELD_LEASE,
		RUN_YIELD_OFF,
	} how;
	unsigned int
		rate; /* a second of a CPU, 1..RUN_YIELD_RATE; 0 = not said */
};

struct run_config {
	char name[RUN_NAME_LEN]; /* never "" */
	const char *kvm_path;
	const char *kernel;	/* never NULL */
	const char *initrd;	/* or NULL */
	const char *vmlinux;	/* symbols; or NULL: try the kernel */
	const char *params;	/* all -p joined by spaces; or NULL */
	bool no_default_params; /* params alone are the command line */
	unsigned int cpus;	/* 1..VM_MAX_CPUS */
	struct mem_options mem;
	enum boot_tables tables;
	bool pvh;
	enum run_console console;
	bool rng;
	struct run_disk disk[RUN_DISKS];
	unsigned int nr_disks;
	struct run_line line;
	struct run_clock clock;
	struct run_timer timer; /* with the line only */
	struct run_yield yield; /* likewise */
	struct run_net net[RUN_NETS];
	unsigned int nr_nets;	 /* default: one, user */
	bool no_net;		 /* --net none; nr_nets is 0 then */
	char *const *command;	 /* after --; NULL-terminated, or NULL */
	unsigned int watchdog_s; /* seconds without output; 0 = off */
	bool stats;		 /* table on stderr at the end */
	bool print_cmdline;	 /* print it on stdout instead of running */
	const char *dump_dtb; /* write it there instead of running; or NULL */
	enum log_level log_level; /* LOG_WARN; -v, -vv and -q move it */

	char **owned; /* malloc()ed strings */
	unsigned int nr_owned;
};

void run_config_init(struct run_config *cfg); /* the defaults */
void run_config_exit(struct run_config *cfg);
/* Makes s (malloc()ed, or NULL) the config's; dies without memory. */
char *run_config_own(struct run_config *cfg, char *s);

/*
 * Builds the machine, runs it to its end and takes it down.  Returns the
 * process' exit status (vmm/core/exitcode.h).  vmm/machine.c.
 */
int machine_run(const struct run_config *cfg);

#endif
