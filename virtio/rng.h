/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_RNG_H
#define VIRTIO_RNG_H

struct virtio_dev;
struct vm;

/*
 * The host's random numbers (virtio 1.2, 5.4).  Waits until the host has any,
 * which only takes time right after its boot.  NULL with errno set.
 */
struct virtio_dev *virtio_rng_new(struct vm *vm);

#endif
