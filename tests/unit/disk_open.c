// SPDX-License-Identifier: GPL-2.0-only
/* Opening disks: what is refused, how it is said, locks, choice of engine. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lib_disk.h"
#include "tests/unit/lib_run.h"
#include "virtio/disk.h"
#include "virtio/disk_impl.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

static struct disk *disk;

static void finish(void)
{
	disk_close(disk);
	unlink(disk_test_path);
}

static int try_open(const struct disk_options *opt)
{
	int code = disk_test_open(&disk, opt);

	ck_assert_int_eq(!code, disk != NULL);
	if (disk)
		disk_close(disk);
	disk = NULL;
	return code;
}

static void expect(const struct disk_options *opt, int code, const char *word)
{
	int got = try_open(opt);

	ck_assert_msg(got == code, "code %d, not %d: %s", got, code,
		      disk_test_said);
	ck_assert_msg(strstr(disk_test_said, opt->path) &&
			      strstr(disk_test_said, word),
		      "%s", disk_test_said);
	ck_assert_msg(strchr(disk_test_said, '\n') ==
			      disk_test_said + strlen(disk_test_said) - 1,
		      "more than a line: %s", disk_test_said);
}

START_TEST(refusals)
{
	struct disk_options opt = { .path = disk_test_path };
	char dir[] = "/tmp";

	log_set_level(LOG_WARN);
	snprintf(disk_test_path, sizeof(disk_test_path), "/nowhere/x");
	expect(&opt, EXIT_NOINPUT, "no such file");
	opt.path = dir;
	expect(&opt, EXIT_DATA, "a directory");
	opt.path = "/dev/null";
	expect(&opt, EXIT_DATA, "a character device");
	opt.path = disk_test_path;
	disk_test_file("/var/tmp", "", 0);
	expect(&opt, EXIT_DATA, "is empty");
	unlink(disk_test_path);
	disk_test_file("/var/tmp", "x", 1);
	expect(&opt, EXIT_DATA, "truncate -s %512");
	opt.readonly = opt.overlay = true;
	expect(&opt, EXIT_USAGE, "exclude each other");
	opt.readonly = opt.overlay = false;
	opt.queues = 9;
	expect(&opt, EXIT_USAGE, "queues=9");
	opt.queues = 8;
	unlink(disk_test_path);
	ck_assert_int_eq(mkfifo(disk_test_path, 0600), 0);
	expect(&opt, EXIT_DATA, "a pipe");
	finish();
}
END_TEST

START_TEST(other_formats)
{
	static const struct {
		const char *head;
		size_t off;
		const char *name;
	} formats[] = {
		{ "QFI\xfb", 0, "qcow2" },
		{ "KDMV", 0, "VMDK" },
		{ "vhdxfile", 0, "VHDX" },
		{ "\x7f\x10\xda\xbe", 64, "VDI" },
		{ "\xfd"
		  "7zXZ",
		  0, "unxz" },
	};
	char block[1024];
	unsigned int i;

	log_set_level(LOG_WARN);
	for (i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct disk_options opt = { .path = disk_test_path,
					    .readonly = true };

		memset(block, 0, sizeof(block));
		memcpy(block + formats[i].off, formats[i].head,
		       strlen(formats[i].head));
		disk_test_file("/var/tmp", block, sizeof(block));
		expect(&opt, EXIT_DATA, formats[i].name);
		opt.raw = true;
		ck_assert_int_eq(try_open(&opt), 0);
		unlink(disk_test_path);
	}
	finish();
}
END_TEST

static void as_nobody(const struct disk_options *opt, const char *word)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (setuid(65534))
			_exit(77);
		expect(opt, EXIT_NOPERM, word);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
}

START_TEST(permissions)
{
	struct disk_options opt = { .path = disk_test_path };
	char block[4096] = "";

	log_set_level(LOG_WARN);
	disk_test_file("/var/tmp", block, sizeof(block));
	ck_assert_int_eq(chmod(disk_test_path, 0444), 0);
	if (geteuid()) {
		expect(&opt, EXIT_NOPERM, "say ro");
	} else {
		as_nobody(&opt, "say ro");
		chmod(disk_test_path, 0);
		opt.readonly = true;
		as_nobody(&opt, "reading");
	}
	finish();
}
END_TEST

static int lock_byte(short type, off_t byte)
{
	struct flock fl = { .l_type = type, .l_start = byte, .l_len = 1 };
	int fd = open(disk_test_path, O_RDWR);

	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &fl), 0);
	return fd;
}

START_TEST(locks)
{
	struct disk_options rw = { .path = disk_test_path };
	struct disk_options ro = { .path = disk_test_path, .readonly = true };
	struct disk_options ov = { .path = disk_test_path, .overlay = true };
	struct disk *first;
	char block[4096] = "";
	int fd;

	log_set_level(LOG_WARN);
	disk_test_file("/var/tmp", block, sizeof(block));
	ck_assert_int_eq(disk_test_open(&first, &rw), 0);
	expect(&rw, EXIT_NOINPUT, "locked");
	expect(&ro, EXIT_NOINPUT, "locked");
	expect(&ov, EXIT_NOINPUT, "locked");
	disk_close(first);
	ck_assert_int_eq(disk_test_open(&first, &ro), 0);
	expect(&rw, EXIT_NOINPUT, "overlay=tmp");
	ck_assert_int_eq(try_open(&ro), 0);
	ck_assert_int_eq(try_open(&ov), 0);
	disk_close(first);

	fd = lock_byte(F_RDLCK, 101); /* QEMU, writing */
	expect(&rw, EXIT_NOINPUT, "locked");
	expect(&ro, EXIT_NOINPUT, "locked");
	close(fd);
	fd = lock_byte(F_RDLCK, 201); /* QEMU, reading */
	expect(&rw, EXIT_NOINPUT, "locked");
	ck_assert_int_eq(try_open(&ro), 0);
	close(fd);
	finish();
}
END_TEST

/* From here on io_uring_setup() fails with err in this process. */
static void forbid_uring(int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K,
			 SECCOMP_RET_ERRNO | (unsigned int)err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 4, .filter = code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), 0);
}

static void check_fallback(int err)
{
	struct disk_options opt = { .path = disk_test_path };
	char block[4096] = "";

	log_set_level(LOG_WARN);
	disk_test_file("/var/tmp", block, sizeof(block));
	forbid_uring(err);
	ck_assert_int_eq(disk_test_open(&disk, &opt), 0);
	ck_assert_str_eq(disk_engine_name(disk), "libaio");
	disk_close(disk);
	disk = NULL;
	opt.io = DISK_IO_URING;
	expect(&opt, EXIT_OSERR, "io_uring_disabled");
	finish();
}

START_TEST(fallback)
{
	static const int errs[] = { EPERM, ENOSYS };

	check_fallback(errs[_i]);
}
END_TEST

START_TEST(overlay_map)
{
	uint64_t map[4] = { 0 };
	struct disk d = { .map = map };
	bool top;

	ck_assert_uint_eq(disk_overlay_extent(&d, 0, 256 * 512, &top),
			  256 * 512);
	ck_assert(!top);
	disk_overlay_mark(&d, 3 * 512, 512);
	ck_assert_uint_eq(map[0], 8);
	ck_assert_uint_eq(disk_overlay_extent(&d, 0, 256 * 512, &top), 3 * 512);
	ck_assert_uint_eq(disk_overlay_extent(&d, 3 * 512, 253 * 512, &top),
			  512);
	ck_assert(top);
	disk_overlay_mark(&d, 60 * 512, 196 * 512);
	ck_assert_uint_eq(map[0], 8 | 0xfull << 60);
	ck_assert_uint_eq(map[1] & map[2] & map[3], ~0ull);
	ck_assert_uint_eq(disk_overlay_extent(&d, 61 * 512, 195 * 512, &top),
			  195 * 512);
	ck_assert(top);
	ck_assert_uint_eq(disk_overlay_extent(&d, 4 * 512, 252 * 512, &top),
			  56 * 512);
	ck_assert(!top);
}
END_TEST

START_TEST(overlay_tmpdir)
{
	struct disk_options opt = { .path = disk_test_path, .overlay = true };
	char block[4096] = "";

	log_set_level(LOG_WARN);
	disk_test_file("/var/tmp", block, sizeof(block));
	setenv("TMPDIR", "/nowhere", 1);
	expect(&opt, EXIT_OSERR, "TMPDIR=/nowhere");
	setenv("TMPDIR", "/dev/shm", 1);
	if (!access("/dev/shm", W_OK)) {
		ck_assert_int_eq(disk_test_open(&disk, &opt), 0);
		ck_assert(disk->file[DISK_TOP].memory);
		disk_close(disk);
		disk = NULL;
	}
	finish();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("disk_open");
	TCase *c = tcase_create("open");

	tcase_set_timeout(c, 120);
	tcase_add_test(c, refusals);
	tcase_add_test(c, other_formats);
	tcase_add_test(c, permissions);
	tcase_add_test(c, locks);
	tcase_add_loop_test(c, fallback, 0, 2);
	tcase_add_test(c, overlay_map);
	tcase_add_test(c, overlay_tmpdir);
	suite_add_tcase(s, c);
	return unit_run(s);
}
