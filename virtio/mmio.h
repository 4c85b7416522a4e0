/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio-mmio transport, version 2 (virtio 1.2, 4.2).
 *
 * The register page is guest-readable memory (a read-only KVM slot), so that
 * only writes exit; we keep its contents up to date.
 */
#ifndef VIRTIO_MMIO_H
#define VIRTIO_MMIO_H

struct machine_dev;
struct virtio_dev;
struct virtio_mmio;
struct vm;

/*
 * Puts dev where `at` says: a 4 KiB window, a GSI, a doorbell port if it has
 * one.  NULL with errno set; dev is then still the caller's.
 */
struct virtio_mmio *virtio_mmio_new(struct vm *vm, struct virtio_dev *dev,
				    const struct machine_dev *at);
/* Stops the device and frees it too.  vCPUs are gone by then. */
void virtio_mmio_free(struct virtio_mmio *mmio);

#endif
