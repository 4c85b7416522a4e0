/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEV_POWER_H
#define DEV_POWER_H

struct vm;

/*
 * All the ways in which guest software ends the machine: the exit port, the
 * power port and register (include/hotline/platform.h), and the two resets
 * that PC kernels know without being told.  0 or -errno.
 */
int power_init(struct vm *vm);

#endif
