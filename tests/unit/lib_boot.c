// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of vmm/boot share. */
#include "lib_boot.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/hotline/platform.h"

#define SLOTS 4

const char *boot_file(unsigned int slot, const void *data, size_t len)
{
	static int fd[SLOTS] = { -1, -1, -1, -1 };
	static char path[SLOTS][64];

	ck_assert_uint_lt(slot, SLOTS);
	if (fd[slot] < 0)
		fd[slot] = memfd_create("test", MFD_CLOEXEC);
	ck_assert_int_ge(fd[slot], 0);
	ck_assert_int_eq(ftruncate(fd[slot], 0), 0);
	ck_assert_int_eq(pwrite(fd[slot], data, len, 0), (ssize_t)len);
	/* By pid: a forked child must not write into its parent's files. */
	snprintf(path[slot], sizeof(path[slot]), "/proc/%d/fd/%d", getpid(),
		 fd[slot]);
	return path[slot];
}

static int capture_fd = -1, saved_stderr = -1;

void boot_capture_begin(void)
{
	if (capture_fd < 0)
		capture_fd = memfd_create("stderr", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(capture_fd, 0), 0);
	ck_assert_int_eq(lseek(capture_fd, 0, SEEK_SET), 0);
	fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	dup2(capture_fd, STDERR_FILENO);
}

const char *boot_capture_end(void)
{
	static char text[8192];
	ssize_t n;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	n = pread(capture_fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

uint64_t boot_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void boot_put(uint8_t *p, uint64_t v, unsigned int bytes)
{
	memcpy(p, &v, bytes);
}

uint64_t boot_get(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes);
	return v;
}

int boot_shell(const char *cmd)
{
	int status;

	fflush(NULL);
	status = system(cmd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool boot_has_program(const char *name)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "command -v %s >/dev/null", name);
	return boot_shell(cmd) == 0;
}

void boot_desc(struct machine_desc *desc, unsigned int cpus,
	       unsigned int mem_mib)
{
	static const struct machine_dev devs[] = {
		{ DEV_VIRTIO_MMIO, HL_VIRTIO_MMIO, HL_VIRTIO_MMIO_SIZE, 5,
		  HL_DOORBELL_PORT },
		{ DEV_VIRTIO_MMIO, HL_VIRTIO_MMIO + HL_VIRTIO_MMIO_STEP,
		  HL_VIRTIO_MMIO_SIZE, 6, 0 },
		{ DEV_SERIAL, 0x3f8, 8, 4, 0 },
		{ DEV_POWER, HL_POWER_MMIO, HL_POWER_MMIO_SIZE, MACHINE_NO_IRQ,
		  0 },
		{ DEV_PVPANIC, HL_PVPANIC_MMIO, HL_PVPANIC_MMIO_SIZE,
		  MACHINE_NO_IRQ, 0 },
		{ DEV_CLOCK, HL_CLOCK_MMIO, HL_CLOCK_MMIO_SIZE, 10, 0 },
	};

	*desc = (struct machine_desc){
		.cpus = cpus,
		.ram = { { 0, (uint64_t)mem_mib << 20 } },
		.nr_ram = 1,
		.lapic_base = 0xfee00000,
		.ioapic_base = 0xfec00000,
		.ioapic_id = cpus,
		.ioapic_pins = 24,
		.nr_dev = sizeof(devs) / sizeof(devs[0]),
		.line = { .transports = 2,
			  .port = HL_LINE_PORT,
			  .features = 5ull << 32 | 3,
			  .rings = 4,
			  .irq = 9 },
		.cmdline = "console=hvc0 quiet",
	};
	memcpy(desc->dev, devs, sizeof(devs));
}
