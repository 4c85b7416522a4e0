// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of the guest: mounts the usual file systems, takes the console, runs
 * one command (or a shell), and tells the VMM how it ended. One thread.
 *
 * Kernel command line:
 *   hotline.ready        say READY and wait for ever (for boot measurements)
 *   hotline.tty          a command gets a terminal as a shell does, not a pipe
 *   hotline.net=CONFIG   see init-net.c
 * Files that the VMM adds to the initramfs:
 *   /hotline/argv        the command, each argument ended by a NUL
 *   /hotline/env         NAME=VALUE, each ended by a NUL
 *   /hotline/cwd         the directory to start it in
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <hotline/platform.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNAL = 128 };

static const struct {
	const char *type, *where, *options;
	unsigned long flags;
} mounts[] = {
	{ "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID | MS_NOEXEC },
	{ "devpts", "/dev/pts", "mode=0620,gid=5,ptmxmode=0666",
	  MS_NOSUID | MS_NOEXEC },
	{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV },
	{ "tmpfs", "/tmp", "mode=1777", MS_NOSUID | MS_NODEV },
	{ "tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV },
};

/* What a command is started with; argv is NULL for an interactive shell. */
struct command {
	char **argv;
	char **env;
	const char *cwd;
	bool tty;
};

static char cmdline[4096];

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("hotline: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static void mount_one(size_t i)
{
	mkdir(mounts[i].where, 0755);
	if (mount(mounts[i].type, mounts[i].where, mounts[i].type,
		  mounts[i].flags, mounts[i].options) &&
	    errno != EBUSY)
		complain("mount %s: %s", mounts[i].where, strerror(errno));
}

static void read_cmdline(void)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, cmdline, sizeof(cmdline) - 1);

	if (fd >= 0)
		close(fd);
	cmdline[n > 0 ? n : 0] = '\0';
}

/*
 * The value of the last NAME or NAME=VALUE on the kernel command line, "" for
 * NAME alone, NULL if it is not there. Ends at the next blank: *length.
 */
const char *cmdline_find_option(const char *name, size_t *length)
{
	const char *found = NULL;
	size_t n = strlen(name);

	for (const char *p = cmdline; *p; p += strcspn(p, " \n")) {
		p += strspn(p, " \n");
		if (strncmp(p, name, n) || !strchr("= \n", p[n]))
			continue;
		found = p + n + (p[n] == '=');
		*length = strcspn(found, " \n");
	}
	return found;
}

static bool cmdline_has(const char *name)
{
	size_t length;

	return cmdline_find_option(name, &length) != NULL;
}

/* The whole of a small file with a NUL added, or NULL. */
static char *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text = NULL;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && (text = malloc(st.st_size + 1))) {
		ssize_t n = read(fd, text, st.st_size);

		*size = n > 0 ? n : 0;
		text[*size] = '\0';
	}
	close(fd);
	return text;
}

/* The strings of a file in which each one ends with a NUL; NULL if none. */
static char **read_strings(const char *path)
{
	size_t size = 0, count = 0;
	char *text = read_file(path, &size), **list;

	if (!text || !size)
		return NULL;
	for (size_t i = 0; i < size; i += strlen(text + i) + 1)
		count++;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return NULL;
	count = 0;
	for (size_t i = 0; i < size; i += strlen(text + i) + 1)
		list[count++] = text + i;
	return list;
}

static void read_command(struct command *cmd)
{
	size_t size;

	cmd->argv = read_strings("/hotline/argv");
	cmd->env = read_strings("/hotline/env");
	cmd->cwd = read_file("/hotline/cwd", &size);
	cmd->tty = !cmd->argv || cmdline_has("hotline.tty");
}

/* A terminal that changes nothing on the way, in either direction. */
static void tty_make_pipe(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return;
	t.c_iflag = 0;
	t.c_oflag = 0;
	t.c_lflag = 0;
	memset(t.c_cc, 0, sizeof(t.c_cc));
	t.c_cc[VMIN] = 1;
	tcsetattr(fd, TCSANOW, &t);
}

static void tty_make_sane(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return;
	t.c_iflag |= BRKINT | ICRNL | IXON | IUTF8;
	t.c_oflag |= OPOST | ONLCR;
	t.c_lflag |= ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL;
	tcsetattr(fd, TCSANOW, &t);
}

/*
 * The terminal behind /dev/console, or where there is none what swallows all
 * and gives nothing.
 */
static int console_find(void)
{
	char *name, path[64] = "/dev/null";
	size_t size;
	int fd;

	name = read_file("/sys/class/tty/console/active", &size);
	if (name) {
		char *last;

		name[strcspn(name, "\n")] = '\0';
		last = strrchr(name, ' ');
		if (*name)
			snprintf(path, sizeof(path), "/dev/%s",
				 last ? last + 1 : name);
		free(name);
	}
	fd = open(path, O_RDWR | O_NOCTTY);
	return fd >= 0 ? fd : open("/dev/null", O_RDWR);
}

/*
 * Replaces standard input, output and error, which the kernel opened as
 * /dev/console, or not at all, by the terminal behind it, so that it has a name
 * and can become a controlling terminal.
 */
static void console_open(const struct command *cmd)
{
	int fd = console_find();

	for (int i = 0; fd >= 0 && i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
	if (cmd->tty) {
		tty_make_sane(0);
		return;
	}
	tty_make_pipe(0);
	/* Only a panic may speak between the command's bytes (and it does). */
	klogctl(8, NULL, 1);
	fd = open("/dev/hvc1", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0) {
		tty_make_pipe(fd);
		dup2(fd, 2);
	}
}

static void set_environment(const struct command *cmd)
{
	setenv("PATH",
	       "/usr/local/sbin:/usr/local/bin:"
	       "/usr/sbin:/usr/bin:/sbin:/bin",
	       1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	for (char **e = cmd->env; e && *e; e++)
		putenv(*e);
}

/* In the child: becomes the command, or ends with the shell's own codes. */
static void become_command(const struct command *cmd, int input)
{
	static char *const shell[] = { "sh", "-l", NULL };
	sigset_t none;
	int err;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	ioctl(0, TIOCSCTTY, 0);
	dup2(input, 0);
	set_environment(cmd);
	if (chdir(cmd->cwd ? cmd->cwd : getenv("HOME")) && cmd->cwd) {
		complain("cannot start in %s: %s", cmd->cwd, strerror(errno));
		_exit(EXIT_NOT_EXECUTABLE);
	}
	if (cmd->argv)
		execvp(cmd->argv[0], cmd->argv);
	else
		execv("/bin/sh", shell);
	err = errno;
	/* Not every applet has a link, see initramfs.sh. */
	if (err == ENOENT && cmd->argv && !strchr(cmd->argv[0], '/'))
		execv("/bin/busybox", cmd->argv);
	complain("%s: %s", cmd->argv ? cmd->argv[0] : "/bin/sh", strerror(err));
	_exit(err == ENOENT || err == ENOTDIR ? EXIT_NOT_FOUND
					      : EXIT_NOT_EXECUTABLE);
}

/*
 * Ends what still runs, so that nothing writes any more, and takes the disks
 * off the tree.
 */
static void leave_file_systems(void)
{
	char *where[64];
	struct mntent *m;
	size_t n = 0;
	FILE *f;

	kill(-1, SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	f = setmntent("/proc/mounts", "r");
	while (f && n < ARRAY_SIZE(where) && (m = getmntent(f)))
		if (!strncmp(m->mnt_fsname, "/dev/", 5))
			where[n++] = strdup(m->mnt_dir);
	while (n--)
		if (where[n])
			umount2(where[n], 0);
	sync();
}

/* Does not return: each way is tried if the one before it is not there. */
static void __attribute__((noreturn)) leave(int how, int code)
{
	/* The last bytes of a console are sent by its driver, not by us. */
	tcdrain(1);
	tcdrain(2);
	leave_file_systems();
	if (code >= 0 && !ioperm(HL_EXIT_PORT, 1, 1))
		outb(code, HL_EXIT_PORT);
	reboot(how);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

/* Waits for the command, reaps orphans, obeys poweroff(8) and its like. */
static void supervise(pid_t command, bool report)
{
	sigset_t set;
	int signal, status;
	pid_t pid;

	sigfillset(&set);
	for (;;) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (pid != command)
				continue;
			leave(RB_POWER_OFF,
			      !report ? -1
			      : WIFSIGNALED(status)
				      ? EXIT_SIGNAL + WTERMSIG(status)
				      : WEXITSTATUS(status));
		}
		if (sigwait(&set, &signal))
			continue;
		if (signal == SIGUSR1 || signal == SIGUSR2)
			leave(RB_POWER_OFF, -1);
		if (signal == SIGTERM)
			leave(RB_AUTOBOOT, -1);
	}
}

int main(void)
{
	struct command cmd = { 0 };
	int input = 0;
	sigset_t all;
	pid_t pid;

	mount_one(0);
	read_cmdline();
	if (cmdline_has("hotline.ready")) {
		if (write(1, "READY\n", 6) != 6)
			return 1;
		for (;;)
			pause();
	}
	for (size_t i = 1; i < ARRAY_SIZE(mounts); i++)
		mount_one(i);

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	sethostname("hotline", 7);
	read_command(&cmd);
	console_open(&cmd);
	net_start();

	if (!cmd.tty)
		input = input_start();
	pid = fork();
	if (pid == 0)
		become_command(&cmd, input);
	if (input)
		close(input);
	if (pid < 0)
		complain("fork: %s", strerror(errno));
	supervise(pid, cmd.argv != NULL);
}
