/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEV_PVPANIC_H
#define DEV_PVPANIC_H

struct vm;

/* The pvpanic register.  0 or -errno. */
int pvpanic_init(struct vm *vm);

#endif
