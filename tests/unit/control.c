// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control socket: protocol, bounds, names, and the commands that use it.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lib_run.h"
#include "vmm/backend/control.h"
#include "vmm/backend/control_dir.h"
#include "vmm/cli/cli.h"
#include "vmm/core/event.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/vm.h"

static char dir[64];
static struct vm vm;
static struct control *ctl;
static pthread_t thread;

static void make_vm(void)
{
	memset(&vm, 0, sizeof(vm));
	vm.kvm_fd = vm.fd = vm.stats_fd = vm.mem.fd = -1;
	vm.end = -1;
	vm.loop = event_new();
	ck_assert_ptr_nonnull(vm.loop);
}

static int make_control(const char *name)
{
	const struct control_info about = { .name = name,
					    .cpus = 3,
					    .mem = 64 << 20 };

	return control_new(&ctl, &vm, &about);
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/hotline-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	setenv("XDG_RUNTIME_DIR", dir, 1);
	make_vm();
}

static void teardown(void)
{
	char path[80];

	event_free(vm.loop);
	snprintf(path, sizeof(path), "%s/hotline", dir);
	rmdir(path);
	rmdir(dir);
}

static void *run_loop(void *arg)
{
	event_run(arg);
	return NULL;
}

/* A client of a machine whose loop runs on a thread. */
static int start(void)
{
	int fd[2];

	ck_assert_int_eq(make_control("t"), 0);
	ck_assert_ptr_nonnull(ctl);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	control_serve(ctl, fd[0]);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, vm.loop), 0);
	return fd[1];
}

static void finish(int fd)
{
	vm_end(&vm, 0);
	pthread_join(thread, NULL);
	control_free(ctl);
	close(fd);
}

static void put(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL),
			 (int)strlen(text));
}

/* One answer; false at the connection's end. */
static bool get(int fd, char *head, char *body, size_t room)
{
	size_t n = 0, len;

	do {
		ck_assert_uint_lt(n, 63);
		if (recv(fd, head + n, 1, 0) != 1)
			return false;
	} while (head[n++] != '\n');
	head[n - 1] = '\0';
	ck_assert_int_eq(sscanf(head, "%*s %zu", &len), 1);
	ck_assert_uint_lt(len, room);
	if (len)
		ck_assert_int_eq(recv(fd, body, len, MSG_WAITALL), (int)len);
	body[len] = '\0';
	return true;
}

START_TEST(test_protocol)
{
	char head[64], body[8192];
	int fd = start();

	put(fd, "info\nst");
	ck_assert(get(fd, head, body, sizeof(body)));
	ck_assert(!strncmp(head, "ok ", 3));
	ck_assert_ptr_nonnull(strstr(body, "name=t\n"));
	ck_assert_ptr_nonnull(strstr(body, "cpus=3\nmem=67108864\n"));
	ck_assert_ptr_nonnull(strstr(body, "state=running\n"));
	put(fd, "at\nstat text\nnonsense\n\n");
	ck_assert(get(fd, head, body, sizeof(body)));
	ck_assert_int_eq(body[0], '{');
	ck_assert_int_eq(body[strlen(body) - 1], '\n');
	ck_assert(get(fd, head, body, sizeof(body)));
	ck_assert(!strncmp(head, "ok ", 3));
	for (int i = 0; i < 2; i++) {
		ck_assert(get(fd, head, body, sizeof(body)));
		ck_assert(!strncmp(head, "error ", 6));
	}
	put(fd, "stop\n");
	ck_assert(get(fd, head, body, sizeof(body)));
	ck_assert_str_eq(head, "ok 0");
	pthread_join(thread, NULL);
	ck_assert_int_eq(vm.end, EXIT_STOPPED);
	control_free(ctl);
	ck_assert(!get(fd, head, body, sizeof(body)));
	close(fd);
}
END_TEST

/* What a client wants is on as long as it is there. */
START_TEST(test_watch)
{
	char head[64], body[8192];
	struct control_dir d;
	int fd = start(), other;
	pid_t pid;

	put(fd, "watch exits\n");
	ck_assert(get(fd, head, body, sizeof(body)));
	ck_assert_int_eq(control_dir_open(&d, false), 0);
	other = control_dir_connect(&d, "t", &pid);
	fcntl(other, F_SETFL, 0);
	put(other, "watch exits\n");
	ck_assert(get(other, head, body, sizeof(body)));
	ck_assert_uint_eq(atomic_load(&vm.watch_exits), 1);
	close(other);
	finish(fd);
	control_dir_close(&d);
	ck_assert_uint_eq(atomic_load(&vm.watch_exits), 0);
}
END_TEST

START_TEST(test_long_line)
{
	char head[64], body[256], junk[CONTROL_LINE + 1];
	int fd = start();

	memset(junk, 'x', sizeof(junk));
	junk[CONTROL_LINE] = '\0';
	put(fd, junk);
	ck_assert(!get(fd, head, body, sizeof(body)));
	finish(fd);
}
END_TEST

/* One that never reads its answers stops being served, nothing else does. */
START_TEST(test_slow_client)
{
	struct pollfd pfd = { .events = POLLOUT };
	char head[64], body[8192];
	int slow = start(), fd;
	struct control_dir d;
	pid_t pid;

	fcntl(slow, F_SETFL, O_NONBLOCK);
	pfd.fd = slow;
	for (int i = 0; i < 100000 && poll(&pfd, 1, 100) == 1; i++)
		if (send(slow, "stat\n", 5, MSG_NOSIGNAL) < 0)
			break;
	ck_assert_int_eq(poll(&pfd, 1, 100), 0);
	ck_assert_int_eq(control_dir_open(&d, false), 0);
	fd = control_dir_connect(&d, "t", &pid);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pid, getpid());
	fcntl(fd, F_SETFL, 0);
	put(fd, "info\n");
	ck_assert(get(fd, head, body, sizeof(body)));
	close(fd);
	control_dir_close(&d);
	finish(slow);
}
END_TEST

/* More clients than places: the idle one goes, the newest is served. */
START_TEST(test_many_clients)
{
	char head[64], body[8192];
	int first = start(), fd[3 * CONTROL_CLIENTS];
	struct control_dir d;
	pid_t pid;

	ck_assert_int_eq(control_dir_open(&d, false), 0);
	for (int i = 0; i < 3 * CONTROL_CLIENTS; i++) {
		fd[i] = control_dir_connect(&d, "t", &pid);
		ck_assert_int_ge(fd[i], 0);
		fcntl(fd[i], F_SETFL, 0);
		put(fd[i], "info\n");
		ck_assert(get(fd[i], head, body, sizeof(body)));
	}
	ck_assert(!get(first, head, body, sizeof(body)));
	for (int i = 0; i < 3 * CONTROL_CLIENTS; i++)
		close(fd[i]);
	control_dir_close(&d);
	finish(first);
}
END_TEST

START_TEST(test_names)
{
	struct control *first;
	char path[128];
	struct stat st;
	FILE *f;
	pid_t pid;

	ck_assert_int_eq(make_control("n"), 0);
	first = ctl;
	ck_assert_int_eq(make_control("n"), EXIT_USAGE);
	ck_assert_ptr_null(ctl);
	ck_assert_int_eq(make_control("n2"), 0);
	control_free(ctl);
	snprintf(path, sizeof(path), "%s/hotline", dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0700);

	/* A stale socket, as SIGKILL leaves it, is replaced. */
	pid = fork();
	if (!pid) {
		make_vm();
		_exit(make_control("stale"));
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(make_control("stale"), 0);
	ck_assert_ptr_nonnull(ctl);
	control_free(ctl);

	/* Something else in its place is left alone. */
	snprintf(path, sizeof(path), "%s/hotline/file.sock", dir);
	f = fopen(path, "w");
	fclose(f);
	make_control("file");
	control_free(ctl);
	unlink(path);
	control_free(first);
	control_free(NULL);
}
END_TEST

START_TEST(test_directory)
{
	struct control_dir d;
	char path[128];

	ck_assert_int_eq(control_dir_open(&d, false), -ENOENT);
	snprintf(path, sizeof(path), "%s/hotline", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	chmod(path, 0770);
	ck_assert_int_eq(control_dir_open(&d, true), -EPERM);
	rmdir(path);
	ck_assert_int_eq(symlink("/tmp", path), 0);
	ck_assert_int_lt(control_dir_open(&d, true), 0);
	ck_assert_int_eq(make_control("x"), 0); /* does without */
	ck_assert_ptr_null(ctl);
	unlink(path);
	ck_assert(control_name_ok("a") && control_name_ok("A-9_b.c"));
	ck_assert(!control_name_ok("") && !control_name_ok(".a"));
	ck_assert(!control_name_ok("a/b") && !control_name_ok("a b"));
	ck_assert(!control_name_ok("-a") && !control_name_ok("a\xc3\xa4"));
}
END_TEST

static int command(const struct cli_cmd *cmd, const char *a, const char *b)
{
	char *argv[] = { (char *)cmd->name, (char *)a, (char *)b, NULL };

	return cmd->run(1 + !!a + !!b, argv);
}

/* A machine in a process of its own. */
static pid_t spawn(const char *name)
{
	int ready[2];
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		make_vm();
		if (make_control(name) || !ctl)
			_exit(1);
		close(ready[1]);
		event_run(vm.loop);
		control_free(ctl);
		_exit(vm.end);
	}
	close(ready[1]);
	while (read(ready[0], &c, 1) > 0)
		;
	close(ready[0]);
	return pid;
}

static int status(pid_t pid)
{
	int st;

	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

START_TEST(test_commands)
{
	pid_t a, b;

	ck_assert_int_eq(command(&cli_cmd_list, NULL, NULL), 0);
	ck_assert_int_eq(command(&cli_cmd_stop, "a", NULL), EXIT_NOINPUT);
	ck_assert_int_eq(command(&cli_cmd_stat, NULL, NULL), EXIT_NOINPUT);
	ck_assert_int_eq(command(&cli_cmd_stop, NULL, NULL), EXIT_USAGE);
	a = spawn("a");
	ck_assert_int_eq(command(&cli_cmd_stat, NULL, NULL), 0);
	b = spawn("b");
	ck_assert_int_eq(command(&cli_cmd_stat, NULL, NULL), EXIT_NOINPUT);
	ck_assert_int_eq(command(&cli_cmd_stat, "b", "--json"), 0);
	ck_assert_int_eq(command(&cli_cmd_list, "--json", NULL), 0);
	ck_assert_int_eq(command(&cli_cmd_stop, "c", NULL), EXIT_NOINPUT);
	ck_assert_int_eq(command(&cli_cmd_stop, "a", "b"), EXIT_USAGE);
	ck_assert_int_eq(command(&cli_cmd_stop, "a", "--all"), EXIT_USAGE);
	ck_assert_int_eq(command(&cli_cmd_stop, "a", NULL), 0);
	ck_assert_int_eq(status(a), EXIT_STOPPED);
	kill(b, SIGSTOP);
	ck_assert_int_eq(command(&cli_cmd_list, NULL, NULL), 0);
	ck_assert_int_eq(command(&cli_cmd_stop, "b", NULL), EXIT_OSERR);
	kill(b, SIGCONT);
	ck_assert_int_eq(command(&cli_cmd_stop, "--all", NULL), 0);
	ck_assert_int_eq(status(b), EXIT_STOPPED);
	/* One that is killed leaves a socket; list removes it. */
	a = spawn("dead");
	kill(a, SIGKILL);
	status(a);
	ck_assert_int_eq(command(&cli_cmd_stat, "dead", NULL), EXIT_NOINPUT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("control");
	TCase *tc = tcase_create("control");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_protocol);
	tcase_add_test(tc, test_watch);
	tcase_add_test(tc, test_long_line);
	tcase_add_test(tc, test_slow_client);
	tcase_add_test(tc, test_many_clients);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_directory);
	tcase_add_test(tc, test_commands);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
