// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holding vCPUs and the user's pause, with threads that do nothing but count
 * and look whether they are to stand still.
 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/lib_mmio.h"
#include "tests/unit/lib_run.h"
#include "vmm/backend/control.h"
#include "vmm/backend/pause.h"
#include "vmm/cli/client.h"
#include "vmm/core/clock.h"
#include "vmm/core/event.h"
#include "vmm/core/hold.h"
#include "vmm/core/log.h"
#include "vmm/core/vcpu.h"

#define CPUS 4

static struct vm vm;
static struct vcpu vcpu[CPUS];
static pthread_t thread[CPUS];
static _Atomic uint64_t turns[CPUS];

static void nap(void)
{
	usleep(2000);
}

static void *run(void *arg)
{
	struct vcpu *v = arg;

	while (!vm_ended(&vm)) {
		atomic_fetch_add(&turns[v->id], 1);
		hold_here(v);
	}
	atomic_fetch_sub(&vm.running, 1);
	return NULL;
}

static void start_cpus(void)
{
	for (unsigned int i = 0; i < CPUS; i++) {
		atomic_fetch_add(&vm.running, 1);
		pthread_create(&thread[i], NULL, run, &vcpu[i]);
	}
}

static void setup(void)
{
	log_set_level(LOG_ERROR);
	memset(&vm, 0, sizeof(vm));
	vm.fd = vm.kvm_fd = vm.stats_fd = -1;
	atomic_store(&vm.end, -1);
	hold_init(&vm.hold);
	vm.vcpu = vcpu;
	vm.nr_cpus = CPUS;
	for (unsigned int i = 0; i < CPUS; i++) {
		vcpu[i] = (struct vcpu){ .vm = &vm, .id = i, .fd = -1 };
		atomic_store(&turns[i], 0);
	}
	start_cpus();
}

static void teardown(void)
{
	vm_end(&vm, 0);
	for (unsigned int i = 0; i < CPUS; i++)
		pthread_join(thread[i], NULL);
	hold_exit(&vm.hold);
}

static void must_stand(void)
{
	uint64_t before[CPUS];

	ck_assert(hold_done(&vm));
	for (unsigned int i = 0; i < CPUS; i++)
		before[i] = atomic_load(&turns[i]);
	nap();
	for (unsigned int i = 0; i < CPUS; i++)
		ck_assert_uint_eq(before[i], atomic_load(&turns[i]));
}

static void must_run(void)
{
	for (unsigned int i = 0; i < CPUS; i++) {
		uint64_t before = atomic_load(&turns[i]);

		while (atomic_load(&turns[i]) == before)
			nap();
	}
}

START_TEST(holds_all)
{
	for (int i = 0; i < 50; i++) {
		must_run();
		hold_begin(&vm);
		ck_assert(hold_wait(&vm));
		must_stand();
		hold_end(&vm);
	}
	must_run();
}
END_TEST

START_TEST(many_holders)
{
	hold_begin(&vm);
	hold_begin(&vm);
	ck_assert(hold_wait(&vm));
	hold_end(&vm);
	must_stand();
	hold_begin(&vm);
	hold_end(&vm);
	must_stand();
	hold_end(&vm);
	ck_assert(!hold_done(&vm));
	must_run();
}
END_TEST

/* Whoever waits, for the vCPUs or as one of them, is let go. */
START_TEST(ends_while_held)
{
	hold_begin(&vm);
	ck_assert(hold_wait(&vm));
	vm_end(&vm, 0);
	while (atomic_load(&vm.running))
		nap();
	ck_assert(!hold_wait(&vm));
	hold_begin(&vm);
	hold_end(&vm);
	hold_end(&vm);
	ck_assert_str_eq(vm_state(&vm), "ending");
}
END_TEST

static struct pause *paused(void)
{
	struct pause *p = pause_new(&vm, NULL);

	ck_assert_ptr_nonnull(p);
	ck_assert_str_eq(vm_state(&vm), "running");
	ck_assert_uint_eq(pause_last_ns(p), 0);
	pause_begin(p);
	pause_begin(p);
	while (strcmp(vm_state(&vm), "paused")) {
		ck_assert_str_eq(vm_state(&vm), "pausing");
		nap();
	}
	return p;
}

START_TEST(pauses)
{
	struct pause *p = paused();
	uint64_t now = clock_ns();

	must_stand();
	ck_assert_uint_ge(pause_last_ns(p), now);
	pause_end(p);
	ck_assert_str_eq(vm_state(&vm), "running");
	must_run();
	now = clock_ns();
	ck_assert_uint_le(pause_last_ns(p), now);
	pause_end(p);
	ck_assert_str_eq(vm_state(&vm), "running");
	pause_free(p);
	pause_free(NULL);
}
END_TEST

/* Another holder neither ends a pause nor is ended by its end. */
START_TEST(pause_among_others)
{
	struct pause *p = paused();

	hold_begin(&vm);
	ck_assert(hold_wait(&vm));
	hold_end(&vm);
	must_stand();
	hold_begin(&vm);
	pause_end(p);
	must_stand();
	hold_end(&vm);
	must_run();
	pause_free(p);
}
END_TEST

static void *loop(void *arg)
{
	event_run(arg);
	return NULL;
}

static void ask(int fd, const char *request, const char *state)
{
	char *body, got[32];

	do {
		ck_assert_int_eq(client_ask(fd, request, &body), 0);
		client_value(body, "state", got, sizeof(got));
		free(body);
		request = "info";
	} while (!*got || !strcmp(got, "pausing"));
	ck_assert_str_eq(got, state);
}

START_TEST(by_the_socket)
{
	struct pause *p = pause_new(&vm, NULL);
	const struct control_info about = { .name = "p", .pause = p };
	char dir[] = "/tmp/hotline-test-XXXXXX";
	struct control *ctl;
	pthread_t io;
	int fd[2];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	setenv("XDG_RUNTIME_DIR", dir, 1);
	vm.loop = event_new();
	ck_assert_int_eq(control_new(&ctl, &vm, &about), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	control_serve(ctl, fd[0]);
	pthread_create(&io, NULL, loop, vm.loop);
	for (int i = 0; i < 20; i++) {
		ask(fd[1], "pause", "paused");
		must_stand();
		ask(fd[1], "pause", "paused");
		ask(fd[1], "info", "paused");
		ask(fd[1], "resume", "running");
		ask(fd[1], "resume", "running");
		must_run();
	}
	ask(fd[1], "pause", "paused");
	event_stop(vm.loop);
	pthread_join(io, NULL);
	close(fd[1]);
	control_free(ctl);
	pause_free(p);
	vm_end(&vm, 0);
	event_free(vm.loop);
	vm.loop = NULL;
	ck_assert_int_eq(chdir(dir), 0);
	rmdir("hotline");
	rmdir(dir);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pause");
	TCase *tc = tcase_create("pause");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, holds_all);
	tcase_add_test(tc, many_holders);
	tcase_add_test(tc, ends_while_held);
	tcase_add_test(tc, pauses);
	tcase_add_test(tc, pause_among_others);
	tcase_add_test(tc, by_the_socket);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
