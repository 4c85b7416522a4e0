/* SPDX-License-Identifier: GPL-2.0-only */
/* What the process gives up before it sees the guest's first frame. */
#ifndef NET_USER_SANDBOX_H
#define NET_USER_SANDBOX_H

/* 0, or -errno with *step set to what failed. */
int sandbox_enter(const char **step);

#endif
