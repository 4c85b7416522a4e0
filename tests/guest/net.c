// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network card's nonsense: frames without a header, of all lengths, with
 * offload requests that were not agreed on, bad control commands, receive
 * buffers of no use.  And a console's.
 */
#include "virtio.h"

#define BUF	 (ARENA + 0x1000000)
#define CTRL_VQ	 (1ull << 17)
#define CTRL_RX	 (1ull << 18)
#define CTRL_MAC (1ull << 23)
#define HDR	 12u

static void send_one(struct vdev *d, uint32_t len)
{
	struct used_elem e;

	vq_desc(&d->vq[1], 0, BUF, len, 0, 0);
	vq_offer(&d->vq[1], 0);
	vq_kick(d, &d->vq[1]);
	check(vq_wait(&d->vq[1], &e, PATIENCE), "net: %u bytes are not taken",
	      (uint64_t)len);
}

static void lengths(struct vdev *d)
{
	static const uint32_t len[] = { 12,    13,    20,    25,     26,
					60,    1514,  1526,  9000,   65535,
					65550, 65565, 65566, 100000, 0x100000 };

	vdev_start(d, 0);
	memset((void *)BUF, 0, HDR);
	memset((void *)(BUF + HDR), 0xff, 0x100000);
	for (unsigned int i = 0; i < ARRAY_SIZE(len); i++)
		send_one(d, len[i]);
	vdev_must_work(d, "frames of all lengths");
}

static void short_headers(struct vdev *d)
{
	static const uint32_t len[] = { 1, 5, 11 };

	for (unsigned int i = 0; i < ARRAY_SIZE(len); i++) {
		vdev_start(d, 0);
		vq_desc(&d->vq[1], 0, BUF, len[i], 0, 0);
		vq_offer(&d->vq[1], 0);
		vq_kick(d, &d->vq[1]);
		check(vdev_broken(d, PATIENCE),
		      "net: a header of %u bytes is fine", (uint64_t)len[i]);
		vdev_must_work(d, "a short header");
	}
}

/* Garbage that looks like ARP, IP, TCP, UDP and DHCP by turns. */
static void garbage(struct vdev *d)
{
	static const uint16_t types[] = { 0x0008, 0x0608, 0xdd86, 0x0081, 0 };
	struct random r = { param("seed", 7) };
	uint8_t *p = (uint8_t *)BUF;
	uint64_t n = param("n", 2000);

	vdev_start(d, 0);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t len = HDR + 14 + random_below(&r, 600);
		uint16_t type = types[random_below(&r, ARRAY_SIZE(types))];

		for (uint32_t b = 0; b < len; b += 4) {
			uint32_t word = random_next(&r);

			memcpy(p + b, &word, 4);
		}
		if (random_below(&r, 2))
			memset(p, 0, HDR);
		memcpy(p + HDR + 12, &type, 2);
		p[HDR + 14] = random_below(&r, 4) ? 0x45
						  : (uint8_t)random_next(&r);
		p[HDR + 23] = random_below(&r, 2) ? 17 : 6;
		send_one(d, len);
	}
	vdev_must_work(d, "garbage frames");
}

static void buffers(struct vdev *d)
{
	vdev_start(d, 0);
	vq_desc(&d->vq[0], 0, BUF, 11, D_WRITE, 0);
	vq_offer(&d->vq[0], 0);
	vq_kick(d, &d->vq[0]);
	send_one(d, 60);
	vdev_must_work(d, "a receive buffer of 11 bytes");

	vdev_start(d, 0);
	for (uint16_t i = 0; i < 32; i++) {
		vq_desc(&d->vq[0], i, BUF + i * 64u, HDR + i, D_WRITE, 0);
		vq_offer(&d->vq[0], i);
	}
	vq_kick(d, &d->vq[0]);
	send_one(d, 60);
	vdev_must_work(d, "receive buffers that are too small");

	vdev_start(d, 0);
	vq_desc(&d->vq[0], 0, BUF, 2048, 0, 0);
	vq_offer(&d->vq[0], 0);
	vq_kick(d, &d->vq[0]);
	vdev_must_work(d, "a receive buffer to read from");
}

/* class, command, then `len` bytes; returns the acknowledgement. */
static uint8_t command(struct vdev *d, uint8_t class, uint8_t cmd,
		       const void *data, uint32_t len)
{
	volatile uint8_t *ack = (void *)(BUF + 0x20000);
	struct vq *q = &d->vq[2];
	struct used_elem e;
	uint8_t *p = (uint8_t *)BUF;

	p[0] = class;
	p[1] = cmd;
	memcpy(p + 2, data, len);
	*ack = 0xee;
	vq_desc(q, 0, BUF, 2 + len, D_NEXT, 1);
	vq_desc(q, 1, (uintptr_t)ack, 1, D_WRITE, 0);
	vq_offer(q, 0);
	vq_kick(d, q);
	return vq_wait(q, &e, PATIENCE) ? *ack : 0xdd;
}

static void commands(struct vdev *d)
{
	static const uint8_t on[1] = { 1 },
			     huge[8] = { 0xff, 0xff, 0xff, 0xff,
					 0xff, 0xff, 0xff, 0xff };
	static const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 };
	static const uint8_t group[6] = { 1, 1, 2, 3, 4, 5 };

	if (!(vdev_features(d) & CTRL_VQ))
		return;
	vdev_start(d, CTRL_VQ | CTRL_RX | CTRL_MAC);
	check(!command(d, 0, 0, on, 1), "net: promiscuous mode refused");
	check(command(d, 0, 0, on, 0) == 1, "net: a command without its byte");
	check(command(d, 0, 99, on, 1) == 1, "net: command 99 accepted");
	check(command(d, 99, 0, on, 1) == 1, "net: class 99 accepted");
	check(command(d, 1, 0, huge, 8) == 1, "net: a table of 4 Gi addresses");
	check(command(d, 1, 0, huge, 3) == 1, "net: three bytes of a table");
	check(command(d, 1, 1, group, 6) == 1, "net: a group address accepted");
	check(!command(d, 1, 1, mac, 6), "net: a good address refused");
	check(mmio_read(d->base + R_CONFIG + 2, 1) == 2,
	      "net: the address did not change");
	vq_desc(&d->vq[2], 0, BUF, 1, 0, 0);
	vq_offer(&d->vq[2], 0);
	vq_kick(d, &d->vq[2]);
	check(vdev_broken(d, PATIENCE), "net: a command of one byte is fine");
	vdev_must_work(d, "bad commands");
}

void test_net(void)
{
	struct vdev *d = vdev_find(VIRTIO_NET, 0);

	if (!d) {
		fail("no network card");
		return;
	}
	vdev_must_work(d, "nothing");
	lengths(d);
	short_headers(d);
	buffers(d);
	commands(d);
	garbage(d);
}

void test_console(void)
{
	struct vdev *d = vdev_find(VIRTIO_CONSOLE, 0);
	struct used_elem e;

	if (!d) {
		fail("no console");
		return;
	}
	/* Nothing but a few bytes among many empty buffers. */
	vdev_start(d, 0);
	for (uint16_t i = 0; i < 40; i++)
		vq_desc(&d->vq[1], i, BUF, i == 20 ? 4 : 0, i < 39 ? D_NEXT : 0,
			(uint16_t)(i + 1));
	memcpy((void *)BUF, "mid\n", 4);
	vq_offer(&d->vq[1], 0);
	vq_kick(d, &d->vq[1]);
	check(vq_wait(&d->vq[1], &e, PATIENCE),
	      "console: empty buffers are stuck");
	/* Output that is offered as input, input that is offered as output. */
	vq_desc(&d->vq[0], 0, BUF, 4, 0, 0);
	vq_offer(&d->vq[0], 0);
	vq_kick(d, &d->vq[0]);
	vdev_must_work(d, "output buffers as input");
	/* Kicks of a queue that is not ready. */
	vdev_negotiate(d, F_VERSION_1);
	vdev_queue(d, 0, 16);
	reg_write(d, R_STATUS, S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	reg_write(d, R_NOTIFY, 1);
	reg_write(d, R_NOTIFY, 0);
	vdev_must_work(d, "a kick of a queue that is not ready");
}
