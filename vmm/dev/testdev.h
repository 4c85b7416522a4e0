/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEV_TESTDEV_H
#define DEV_TESTDEV_H

struct selftest;
struct vm;

/* Adds the test registers (include/hotline/test.h).  0 or -errno. */
int testdev_init(struct vm *vm, struct selftest *test);

#endif
