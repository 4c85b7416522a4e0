/* SPDX-License-Identifier: GPL-2.0-only */
/* `hotline doctor`: a list of findings and what fills it.  Main thread. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <stdbool.h>

struct probe_result;

enum verdict { VERDICT_OK, VERDICT_NOTE, VERDICT_FAIL };

struct finding {
	enum verdict verdict;
	const char *check; /* static, at most 17 characters */
	char text[320];	   /* what it means */
	char fix[320];	   /* or "" */
};

#define DOCTOR_FINDINGS 48

struct doctor {
	const char *kvm; /* path */
	bool json, brief;
	struct finding finding[DOCTOR_FINDINGS];
	unsigned int nr;
	double mips; /* 0 = not measured */
};

/* The fix is a second call, doctor_fix(), for the newest finding. */
void doctor_add(struct doctor *doc, enum verdict verdict, const char *check,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void doctor_fix(struct doctor *doc, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* False: the device cannot be used at all, nothing more was asked. */
bool doctor_check_device(struct doctor *doc);
/* Speed of guest code and whether hypercalls arrive. */
void doctor_check_guest(struct doctor *doc);
/* io_uring, tun, vhost, huge pages, yields: all optional. */
void doctor_check_host(struct doctor *doc);

#endif
