/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * Fixed addresses of the hotline machine that guest software may rely on.
 * Everything else is found through the device tree or ACPI.
 */
#ifndef HOTLINE_PLATFORM_H
#define HOTLINE_PLATFORM_H

/*
 * Exit port (8-bit write, IN): "the program this machine was started for has
 * ended with this status".  The machine stops at once and the VMM's own exit
 * status is the byte written.  Reads return 0xff.
 */
#define HL_EXIT_PORT 0x0600

/*
 * Power port (8-bit write, IN), one of the HL_POWER_* values; others are
 * ignored.  Reads return 0.  It is also the ACPI sleep control register.
 */
#define HL_POWER_PORT  0x0604

#define HL_POWER_OFF   0x34 /* SLP_EN | SLP_TYP 5, ACPI 6.5, 4.8.3.7 */
#define HL_POWER_RESET 0x01

/*
 * The same two actions as a 32-bit memory-mapped register, which is what
 * Linux' syscon-poweroff and syscon-reboot drivers write.
 */
#define HL_POWER_MMIO	   0xd0000000
#define HL_POWER_MMIO_SIZE 0x1000

/* pvpanic event register (8 bits), QEMU docs/specs/pvpanic. */
#define HL_PVPANIC_MMIO	     0xd0001000
#define HL_PVPANIC_MMIO_SIZE 0x2

/* The clock page: include/hotline/clock.h */
#define HL_CLOCK_MMIO	   0xd0003000
#define HL_CLOCK_MMIO_SIZE 0x1000

/* First virtio-mmio window; the others follow, one page each. */
#define HL_VIRTIO_MMIO	    0xd0010000
#define HL_VIRTIO_MMIO_STEP 0x1000
#define HL_VIRTIO_MMIO_SIZE 0x200

/*
 * Input port (8-bit write of 1, IN): "the command is there, its standard input
 * may come".  Until then the VMM keeps what it has for it.  From then on the
 * console's input is a stream in which HL_INPUT_ESCAPE stands before itself,
 * and before HL_INPUT_END, the end of that input.  Only there if the machine
 * was started for a command whose input is no terminal; reads return ones.
 */
#define HL_INPUT_PORT	0x0608
#define HL_INPUT_ESCAPE 0x10
#define HL_INPUT_END	0x04

/* First port of the line, HL_LINE_PORTS of them: include/hotline/hypercall.h */
#define HL_LINE_PORT 0x0610

/*
 * Doorbell ports (32-bit write of a queue's index, IN), one per virtio-mmio
 * device, as the device tree names them ("hotline,doorbell-port"): the same
 * as a write to QueueNotify.  Reads return ones.
 */
#define HL_DOORBELL_PORT 0x0700
#define HL_DOORBELL_STEP 4

/* Guest RAM is split around this hole below 4 GiB. */
#define HL_HOLE_START 0xc0000000
#define HL_HOLE_END   0x100000000

#endif
