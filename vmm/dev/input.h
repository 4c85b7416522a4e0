/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEV_INPUT_H
#define DEV_INPUT_H

struct console;
struct vm;

/* HL_INPUT_PORT for con, which is held (console_hold()).  0 or -errno. */
int input_init(struct vm *vm, struct console *con);

#endif
