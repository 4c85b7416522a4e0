/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands behind the test calls and the test registers
 * (include/hotline/test.h): a counter, and cells to wait at.  Any thread.
 */
#ifndef BACKEND_SELFTEST_H
#define BACKEND_SELFTEST_H

#include <stdint.h>

struct selftest;
struct vcpu;
struct vm;

/* NULL with errno set. */
struct selftest *selftest_new(struct vm *vm);
/* NULL is fine. */
void selftest_free(struct selftest *test);

/* Returns the counter as it was. */
uint64_t selftest_add(struct selftest *test, uint64_t n);

/* Sleeps; less if the machine ends. */
void selftest_delay(struct selftest *test, uint64_t ns);

/*
 * Waits for the cell's wake of the same number as this wait, at most ns.
 * 0, HL_ETIME, or HL_ECANCELED if the machine ends.
 */
int64_t selftest_wait(struct selftest *test, unsigned int cell, uint64_t ns);
void selftest_wake(struct selftest *test, unsigned int cell);

/* Of a vCPU, by KVM's statistics: the number, or HL_EIO.  NULL has none. */
int64_t selftest_exits(const struct vcpu *vcpu);

#endif
