// SPDX-License-Identifier: GPL-2.0-only
/* See tests/unit/lib_disk.h. */
#include "tests/unit/lib_disk.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

char disk_test_path[128];
const char *disk_test_said;

void disk_test_file(const char *dir, const void *data, size_t len)
{
	int fd;

	snprintf(disk_test_path, sizeof(disk_test_path),
		 "%s/hotline-disk-XXXXXX", dir);
	fd = mkstemp(disk_test_path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

int disk_test_open(struct disk **disk, const struct disk_options *opt)
{
	static char said[4096];
	int old = dup(STDERR_FILENO), fd = memfd_create("stderr", 0), code;

	dup2(fd, STDERR_FILENO);
	code = disk_open(disk, opt);
	dup2(old, STDERR_FILENO);
	memset(said, 0, sizeof(said));
	ck_assert_int_ge(pread(fd, said, sizeof(said) - 1, 0), 0);
	disk_test_said = said;
	close(old);
	close(fd);
	return code;
}
