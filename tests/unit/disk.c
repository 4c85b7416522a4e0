// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks on real files: every engine with and without overlay and page cache,
 * refusals at opening, failing files.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "virtio/disk.h"
#include "virtio/disk_impl.h"
#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#define SIZE (3u << 20)
#define MAX_IOV 24
#define REQS 80

/* What a loop test runs over. */
static const struct variant {
	const char *name, *dir;
	enum disk_io io;
	bool direct, overlay;
} variants[] = {
	{ "io_uring", "/var/tmp", DISK_IO_URING, false, false },
	{ "io_uring direct", "/var/tmp", DISK_IO_URING, true, false },
	{ "io_uring overlay", "/var/tmp", DISK_IO_URING, false, true },
	{ "io_uring direct overlay", "/var/tmp", DISK_IO_URING, true, true },
	{ "io_uring memory", "/dev/shm", DISK_IO_URING, false, false },
	{ "libaio", "/var/tmp", DISK_IO_LIBAIO, false, false },
	{ "libaio direct", "/var/tmp", DISK_IO_LIBAIO, true, false },
	{ "libaio overlay", "/var/tmp", DISK_IO_LIBAIO, false, true },
	{ "libaio direct overlay", "/var/tmp", DISK_IO_LIBAIO, true, true },
	{ "libaio memory", "/dev/shm", DISK_IO_LIBAIO, false, false },
};
#define NR_VARIANTS ((int)(sizeof(variants) / sizeof(*variants)))

static char path[128];
static char *said;		/* what went to stderr during the last open */
static struct disk *disk;
static struct event_loop *loop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int dones, batches;

struct test_req {
	struct disk_req req;	/* first */
	struct iovec iov[MAX_IOV];
	bool done;
	int err;
};

static struct test_req reqs[REQS];
static uint8_t *shadow, *base, *buffer;

static void on_done(struct disk_user *user, struct disk_req *req, int err)
{
	struct test_req *t = (struct test_req *)req;

	(void)user;
	ck_assert(!t->done);
	t->done = true;
	t->err = err;
	dones++;
}

static void on_batch(struct disk_user *user)
{
	(void)user;
	batches++;
}

static struct disk_user user = {
	.lock = &lock, .done = on_done, .batch = on_batch,
};

static void make_file(const char *dir, const void *data, size_t len)
{
	int fd;

	snprintf(path, sizeof(path), "%s/hotline-disk-XXXXXX", dir);
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

/* disk_open() with stderr caught in `said`. */
static int open_quiet(struct disk **d, const struct disk_options *opt)
{
	int old = dup(STDERR_FILENO), fd = memfd_create("stderr", 0), code;
	ssize_t n;

	dup2(fd, STDERR_FILENO);
	code = disk_open(d, opt);
	dup2(old, STDERR_FILENO);
	free(said);
	said = calloc(1, 4096);
	n = pread(fd, said, 4095, 0);
	ck_assert_int_ge(n, 0);
	close(old);
	close(fd);
	return code;
}

static void attach(void)
{
	loop = event_new();
	ck_assert_ptr_nonnull(loop);
	ck_assert_int_eq(disk_attach(disk, loop, &user), 0);
}

static void finish(void)
{
	disk_close(disk);
	disk = NULL;
	event_free(loop);
	loop = NULL;
	unlink(path);
	free(said);
	said = NULL;
}

/* A disk of random contents, which are in base and shadow, too. */
static bool start_variant(const struct variant *v)
{
	struct disk_options opt = {
		.path = path, .io = v->io, .direct = v->direct,
		.overlay = v->overlay,
	};
	size_t i;
	int code;

	if (access(v->dir, W_OK)) {
		printf("SKIP %s: %s cannot be written\n", v->name, v->dir);
		return false;
	}
	base = malloc(SIZE);
	shadow = malloc(SIZE);
	ck_assert_int_eq(posix_memalign((void **)&buffer, 4096, 2 * SIZE), 0);
	srandom(7);
	for (i = 0; i < SIZE; i++)
		base[i] = (uint8_t)(random() | 1);
	memcpy(shadow, base, SIZE);
	make_file(v->dir, base, SIZE);
	code = open_quiet(&disk, &opt);
	if (code && (strstr(said, "does not let us") ||
		     strstr(said, "file system cannot"))) {
		printf("SKIP %s: %s", v->name, said);
		unlink(path);
		return false;
	}
	ck_assert_msg(!code, "%s: %s", v->name, said);
	attach();
	return true;
}

static void end_variant(void)
{
	finish();
	free(base);
	free(shadow);
	free(buffer);
}

/* Cuts [buf, buf + len) into sector-sized or larger pieces. */
static void fill_iov(struct test_req *t, uint8_t *buf, size_t len)
{
	unsigned int n = 0;
	size_t part;

	while (len) {
		part = (1 + (size_t)random() % 32) * DISK_SECTOR;
		if (part > len || n == MAX_IOV - 1)
			part = len;
		t->iov[n++] = (struct iovec){ buf, part };
		buf += part;
		len -= part;
	}
	t->req.iov = t->iov;
	t->req.iovcnt = n;
}

static void put(struct test_req *t, enum disk_op op, unsigned int flags,
		uint64_t off, uint8_t *buf, uint64_t len)
{
	t->done = false;
	t->req.op = op;
	t->req.flags = flags;
	t->req.off = off;
	t->req.len = len;
	t->req.iovcnt = 0;
	if (op <= DISK_WRITE)
		fill_iov(t, buf, len);
	disk_submit(disk, &t->req);
}

static int one(enum disk_op op, unsigned int flags, uint64_t off, uint8_t *buf,
	       uint64_t len)
{
	struct test_req *t = &reqs[0];

	pthread_mutex_lock(&lock);
	put(t, op, flags, off, buf, len);
	disk_kick(disk);
	disk_drain(disk);
	pthread_mutex_unlock(&lock);
	ck_assert(t->done);
	return t->err;
}

static void check_all(void)
{
	ck_assert_int_eq(one(DISK_READ, 0, 0, buffer, SIZE), 0);
	ck_assert_int_eq(memcmp(buffer, shadow, SIZE), 0);
}

/* One random request inside [off, off + room); shadow follows. */
static void random_req(struct test_req *t, uint64_t off, uint64_t room)
{
	uint64_t sectors = room / DISK_SECTOR;
	uint64_t at = off + (uint64_t)random() % sectors * DISK_SECTOR;
	uint64_t len = (1 + (uint64_t)random() % sectors) * DISK_SECTOR;
	unsigned int flags = random() % 4 ? 0 : DISK_SYNC;
	uint64_t i;

	if (at + len > off + room)
		len = off + room - at;
	switch (random() % 8) {
	case 0:
		put(t, DISK_FLUSH, 0, 0, NULL, 0);
		break;
	case 1:
		put(t, DISK_ZERO, flags | (random() % 2 ? DISK_UNMAP : 0), at,
		    NULL, len);
		memset(shadow + at, 0, len);
		break;
	case 2:
	case 3:
	case 4:
		for (i = 0; i < len; i++)
			buffer[SIZE + at + i] = (uint8_t)random();
		memcpy(shadow + at, buffer + SIZE + at, len);
		put(t, DISK_WRITE, flags, at, buffer + SIZE + at, len);
		break;
	default:
		put(t, DISK_READ, 0, at, buffer + at, len);
	}
}

START_TEST(model)
{
	const struct variant *v = &variants[_i];
	uint64_t room = SIZE / REQS / DISK_SECTOR * DISK_SECTOR;
	unsigned int i, round;

	if (!start_variant(v))
		return;
	srandom(1);
	for (round = 0; round < 8; round++) {
		dones = 0;
		pthread_mutex_lock(&lock);
		for (i = 0; i < REQS; i++)
			random_req(&reqs[i], i * room, room);
		disk_kick(disk);
		disk_drain(disk);
		pthread_mutex_unlock(&lock);
		ck_assert_uint_eq(dones, REQS);
		for (i = 0; i < REQS; i++)
			ck_assert_int_eq(reqs[i].err, 0);
		check_all();
	}
	end_variant();
}
END_TEST

static void *run_loop(void *arg)
{
	event_run(arg);
	return NULL;
}

static void wait_dones(unsigned int n)
{
	unsigned int ms;

	for (ms = 0; ms < 10000; ms++) {
		pthread_mutex_lock(&lock);
		if (dones >= n) {
			pthread_mutex_unlock(&lock);
			return;
		}
		pthread_mutex_unlock(&lock);
		usleep(1000);
	}
	ck_abort_msg("%u of %u requests done", dones, n);
}

/* Nobody drains: completions come by the event loop. */
START_TEST(by_loop)
{
	uint64_t room = SIZE / REQS / DISK_SECTOR * DISK_SECTOR;
	unsigned int i, round;
	pthread_t thread;

	if (!start_variant(&variants[_i]))
		return;
	pthread_create(&thread, NULL, run_loop, loop);
	dones = 0;
	for (round = 0; round < 4; round++) {
		pthread_mutex_lock(&lock);
		for (i = 0; i < REQS; i++)
			random_req(&reqs[i], i * room, room);
		disk_kick(disk);
		pthread_mutex_unlock(&lock);
		wait_dones((round + 1) * REQS);
	}
	event_stop(loop);
	pthread_join(thread, NULL);
	check_all();
	end_variant();
}
END_TEST

static void *submit_all(void *arg)
{
	uint64_t room = SIZE / REQS / DISK_SECTOR * DISK_SECTOR;
	unsigned int i;

	(void)arg;
	pthread_mutex_lock(&lock);
	for (i = 0; i < REQS; i++)
		random_req(&reqs[i], i * room, room);
	disk_kick(disk);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* The submitter may be gone when another thread drains. */
START_TEST(drained_elsewhere)
{
	unsigned int i;
	pthread_t thread;

	if (!start_variant(&variants[_i]))
		return;
	dones = 0;
	pthread_create(&thread, NULL, submit_all, NULL);
	pthread_join(thread, NULL);
	pthread_mutex_lock(&lock);
	disk_drain(disk);
	pthread_mutex_unlock(&lock);
	ck_assert_uint_eq(dones, REQS);
	for (i = 0; i < REQS; i++)
		ck_assert_int_eq(reqs[i].err, 0);
	check_all();
	end_variant();
}
END_TEST

START_TEST(discard)
{
	const struct variant *v = &variants[_i];
	size_t at = 1 << 20, len = 1 << 20;

	if (!start_variant(v))
		return;
	memset(buffer + SIZE, 0x55, SIZE);
	ck_assert_int_eq(one(DISK_WRITE, 0, at, buffer + SIZE, len / 2), 0);
	ck_assert_int_eq(one(DISK_DISCARD, DISK_SYNC, at, NULL, len), 0);
	memset(shadow + at, 0, v->overlay ? len / 2 : len);
	check_all();
	end_variant();
}
END_TEST

/* What was written is in the file, or with an overlay is not. */
START_TEST(ends_in_file)
{
	const struct variant *v = &variants[_i];
	int fd;

	if (!start_variant(v))
		return;
	memset(buffer + SIZE, 0x77, 8192);
	memset(shadow + 4096, 0x77, 8192);
	ck_assert_int_eq(one(DISK_WRITE, DISK_SYNC, 4096, buffer + SIZE, 8192),
			 0);
	check_all();
	fd = open(path, O_RDONLY);
	ck_assert_int_eq(read(fd, buffer, SIZE), SIZE);
	ck_assert_int_eq(memcmp(buffer, v->overlay ? base : shadow, SIZE), 0);
	close(fd);
	end_variant();
}
END_TEST

START_TEST(shrunk_file)
{
	if (!start_variant(&variants[_i]))
		return;
	ck_assert_int_eq(truncate(path, SIZE / 2), 0);
	ck_assert_int_eq(one(DISK_READ, 0, SIZE / 2 - 4096, buffer, 4096), 0);
	ck_assert_int_eq(one(DISK_READ, 0, SIZE / 2 - 4096, buffer, 8192),
			 -EIO);
	ck_assert_int_eq(one(DISK_READ, 0, SIZE - 4096, buffer, 4096), -EIO);
	ck_assert_int_eq(one(DISK_FLUSH, 0, 0, NULL, 0), 0);
	end_variant();
}
END_TEST

/* More than one piece where zeroes have to be written (tmpfs). */
START_TEST(zero)
{
	if (!start_variant(&variants[_i]))
		return;
	memset(shadow + 512, 0, 3000 * 512);
	ck_assert_int_eq(one(DISK_ZERO, DISK_SYNC, 512, NULL, 3000 * 512), 0);
	check_all();
	end_variant();
}
END_TEST

static int try_open(const struct disk_options *opt)
{
	int code = open_quiet(&disk, opt);

	ck_assert_int_eq(!code, disk != NULL);
	if (disk)
		disk_close(disk);
	disk = NULL;
	return code;
}

static void expect(const struct disk_options *opt, int code, const char *word)
{
	int got = try_open(opt);

	ck_assert_msg(got == code, "code %d, not %d: %s", got, code, said);
	ck_assert_msg(strstr(said, opt->path) && strstr(said, word), "%s", said);
	ck_assert_msg(strchr(said, '\n') == said + strlen(said) - 1,
		      "more than a line: %s", said);
}

START_TEST(refusals)
{
	struct disk_options opt = { .path = path };
	char dir[] = "/tmp";

	log_set_level(LOG_WARN);
	snprintf(path, sizeof(path), "/nowhere/x");
	expect(&opt, EXIT_NOINPUT, "no such file");
	opt.path = dir;
	expect(&opt, EXIT_DATA, "a directory");
	opt.path = "/dev/null";
	expect(&opt, EXIT_DATA, "a character device");
	opt.path = path;
	make_file("/var/tmp", "", 0);
	expect(&opt, EXIT_DATA, "is empty");
	unlink(path);
	make_file("/var/tmp", "x", 1);
	expect(&opt, EXIT_DATA, "truncate -s %512");
	opt.readonly = opt.overlay = true;
	expect(&opt, EXIT_USAGE, "exclude each other");
	opt.readonly = opt.overlay = false;
	opt.queues = 9;
	expect(&opt, EXIT_USAGE, "queues=9");
	opt.queues = 8;
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect(&opt, EXIT_DATA, "a pipe");
	finish();
}
END_TEST

START_TEST(other_formats)
{
	static const struct { const char *head; size_t off; const char *name; }
	formats[] = {
		{ "QFI\xfb", 0, "qcow2" }, { "KDMV", 0, "VMDK" },
		{ "vhdxfile", 0, "VHDX" }, { "\x7f\x10\xda\xbe", 64, "VDI" },
		{ "\xfd" "7zXZ", 0, "unxz" },
	};
	char block[1024];
	unsigned int i;

	log_set_level(LOG_WARN);
	for (i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct disk_options opt = { .path = path, .readonly = true };

		memset(block, 0, sizeof(block));
		memcpy(block + formats[i].off, formats[i].head,
		       strlen(formats[i].head));
		make_file("/var/tmp", block, sizeof(block));
		expect(&opt, EXIT_DATA, formats[i].name);
		opt.raw = true;
		ck_assert_int_eq(try_open(&opt), 0);
		unlink(path);
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
	struct disk_options opt = { .path = path };
	char block[4096] = "";

	log_set_level(LOG_WARN);
	make_file("/var/tmp", block, sizeof(block));
	ck_assert_int_eq(chmod(path, 0444), 0);
	if (geteuid()) {
		expect(&opt, EXIT_NOPERM, "say ro");
	} else {
		as_nobody(&opt, "say ro");
		chmod(path, 0);
		opt.readonly = true;
		as_nobody(&opt, "reading");
	}
	finish();
}
END_TEST

static int lock_byte(short type, off_t byte)
{
	struct flock fl = { .l_type = type, .l_start = byte, .l_len = 1 };
	int fd = open(path, O_RDWR);

	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &fl), 0);
	return fd;
}

START_TEST(locks)
{
	struct disk_options rw = { .path = path };
	struct disk_options ro = { .path = path, .readonly = true };
	struct disk_options ov = { .path = path, .overlay = true };
	struct disk *first;
	char block[4096] = "";
	int fd;

	log_set_level(LOG_WARN);
	make_file("/var/tmp", block, sizeof(block));
	ck_assert_int_eq(open_quiet(&first, &rw), 0);
	expect(&rw, EXIT_NOINPUT, "locked");
	expect(&ro, EXIT_NOINPUT, "locked");
	expect(&ov, EXIT_NOINPUT, "locked");
	disk_close(first);
	ck_assert_int_eq(open_quiet(&first, &ro), 0);
	expect(&rw, EXIT_NOINPUT, "overlay=tmp");
	ck_assert_int_eq(try_open(&ro), 0);
	ck_assert_int_eq(try_open(&ov), 0);
	disk_close(first);

	fd = lock_byte(F_RDLCK, 101);		/* QEMU, writing */
	expect(&rw, EXIT_NOINPUT, "locked");
	expect(&ro, EXIT_NOINPUT, "locked");
	close(fd);
	fd = lock_byte(F_RDLCK, 201);		/* QEMU, reading */
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
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 4, .filter = code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), 0);
}

static void check_fallback(int err)
{
	struct disk_options opt = { .path = path };
	char block[4096] = "";

	log_set_level(LOG_WARN);
	make_file("/var/tmp", block, sizeof(block));
	forbid_uring(err);
	ck_assert_int_eq(open_quiet(&disk, &opt), 0);
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
	struct disk_options opt = { .path = path, .overlay = true };
	char block[4096] = "";

	log_set_level(LOG_WARN);
	make_file("/var/tmp", block, sizeof(block));
	setenv("TMPDIR", "/nowhere", 1);
	expect(&opt, EXIT_OSERR, "TMPDIR=/nowhere");
	setenv("TMPDIR", "/dev/shm", 1);
	if (!access("/dev/shm", W_OK)) {
		ck_assert_int_eq(open_quiet(&disk, &opt), 0);
		ck_assert(disk->file[DISK_TOP].memory);
		disk_close(disk);
		disk = NULL;
	}
	finish();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("disk");
	TCase *io = tcase_create("io"), *open = tcase_create("open");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(io, 120);
	tcase_add_loop_test(io, model, 0, NR_VARIANTS);
	tcase_add_loop_test(io, by_loop, 0, NR_VARIANTS);
	tcase_add_loop_test(io, drained_elsewhere, 0, NR_VARIANTS);
	tcase_add_loop_test(io, discard, 0, NR_VARIANTS);
	tcase_add_loop_test(io, ends_in_file, 0, NR_VARIANTS);
	tcase_add_loop_test(io, shrunk_file, 0, NR_VARIANTS);
	tcase_add_loop_test(io, zero, 0, NR_VARIANTS);
	tcase_add_test(io, overlay_map);
	suite_add_tcase(s, io);
	tcase_add_test(open, refusals);
	tcase_add_test(open, other_formats);
	tcase_add_test(open, permissions);
	tcase_add_test(open, locks);
	tcase_add_loop_test(open, fallback, 0, 2);
	tcase_add_test(open, overlay_tmpdir);
	suite_add_tcase(s, open);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
