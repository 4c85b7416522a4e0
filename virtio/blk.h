/* SPDX-License-Identifier: GPL-2.0-only */
/* virtio-blk (virtio 1.2, 5.2) in front of a disk. */
#ifndef VIRTIO_BLK_H
#define VIRTIO_BLK_H

struct disk;
struct virtio_dev;
struct vm;

/* Longest serial, in bytes; what is longer is cut off (virtio 1.2, 5.2.6.1). */
#define BLK_SERIAL_MAX 20

/*
 * A device with as many queues as the disk was opened with, before the event
 * loop runs.  The disk stays the caller's, who closes it after the device is
 * freed.  serial: what GET_ID answers.  NULL with errno set.
 */
struct virtio_dev *virtio_blk_new(struct vm *vm, struct disk *disk,
				  const char *serial);

#endif
