/* SPDX-License-Identifier: GPL-2.0-only */
/* Temporary files as disks, for the tests of virtio/disk*.c. */
#ifndef UNIT_LIB_DISK_H
#define UNIT_LIB_DISK_H

#include <stddef.h>

#include "virtio/disk.h"

extern char disk_test_path[128];
extern const char *disk_test_said; /* on stderr by the last opening */

/* A file in `dir` named disk_test_path; the caller unlinks it. */
void disk_test_file(const char *dir, const void *data, size_t len);
/* disk_open() with stderr caught. */
int disk_test_open(struct disk **disk, const struct disk_options *opt);

#endif
