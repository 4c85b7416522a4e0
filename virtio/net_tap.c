// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network back end: a tap interface of the host, opened by name or inherited
 * as a descriptor.  Addresses, bridges and routes are the host's business.
 * Opened on the main thread, read and written on the I/O thread or, with
 * vhost, by the host's kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/net.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#define TUN "/dev/net/tun"

struct net_tap {
	struct net_backend be;
	char name[IFNAMSIZ];
};

static int tap_set_offload(struct net_backend *be, unsigned int tun_f)
{
	return ioctl(be->fd, TUNSETOFFLOAD, (unsigned long)tun_f) < 0 ? -errno
								      : 0;
}

static int tap_lost(struct net_backend *be)
{
	warn("--net tap=%s: the interface went away; the guest's link is down",
	     ((struct net_tap *)be)->name);
	return 0;
}

static void tap_free(struct net_backend *be)
{
	if (be->vhost_fd >= 0)
		close(be->vhost_fd);
	if (be->fd >= 0)
		close(be->fd);
	free(be);
}

static const struct net_backend_ops tap_ops = {
	.name = "tap",
	.set_offload = tap_set_offload,
	.lost = tap_lost,
	.free = tap_free,
};

static int open_tun(struct net_tap *tap)
{
	tap->be.fd = open(TUN, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->be.fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
		error("--net tap=%s: no %s: load the kernel module `tun`, or "
		      "give the container the device; or use --net user",
		      tap->name, TUN);
		return EXIT_UNAVAIL;
	}
	if (errno == EACCES || errno == EPERM) {
		error("--net tap=%s: no permission to open %s: it wants mode "
		      "0666 or your user in its group; or use --net user",
		      tap->name, TUN);
		return EXIT_NOPERM;
	}
	error("--net tap=%s: %s: %s", tap->name, TUN, strerror(errno));
	return EXIT_OSERR;
}

static int attach_error(const struct net_tap *tap, int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		error("--net tap=%s: not yours to use or to create: make it "
		      "once with `sudo ip tuntap add dev %s mode tap "
		      "user $USER`",
		      tap->name, tap->name);
		return EXIT_NOPERM;
	case EBUSY:
		error("--net tap=%s: in use by another program, which has to "
		      "end first; or choose another tap",
		      tap->name);
		return EXIT_OSERR;
	case EINVAL:
		error("--net tap=%s: this interface is no single-queue tap: "
		      "make one with `sudo ip tuntap add dev NAME mode tap "
		      "user $USER`",
		      tap->name);
		return EXIT_USAGE;
	default:
		error("--net tap=%s: cannot use the interface: %s", tap->name,
		      strerror(err));
		return EXIT_OSERR;
	}
}

static int attach_name(struct net_tap *tap, const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int code;

	if (!*name || strlen(name) >= sizeof(ifr.ifr_name) ||
	    strpbrk(name, "/%: \t\n")) {
		error("--net tap=%s: an interface name has 1 to %zu "
		      "characters, no '/', ':', '%%' nor blank",
		      name, sizeof(ifr.ifr_name) - 1);
		return EXIT_USAGE;
	}
	strcpy(tap->name, name);
	strcpy(ifr.ifr_name, name);
	code = open_tun(tap);
	if (code)
		return code;
	if (ioctl(tap->be.fd, TUNSETIFF, &ifr) < 0)
		return attach_error(tap, errno);
	return 0;
}

/* An inherited descriptor has to be a tap already, with virtio_net headers. */
static int adopt_fd(struct net_tap *tap, int fd)
{
	struct ifreq ifr = { 0 };
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0) {
		error("--net tap,fd=%d: no such descriptor is open; the "
		      "shell's `%d<>%s` does not suffice, it has to be "
		      "attached to a tap",
		      fd, fd, TUN);
		return EXIT_USAGE;
	}
	tap->be.fd = fd;
	if (ioctl(fd, TUNGETIFF, &ifr) < 0 || !(ifr.ifr_flags & IFF_TAP) ||
	    !(ifr.ifr_flags & IFF_NO_PI) || !(ifr.ifr_flags & IFF_VNET_HDR)) {
		error("--net tap,fd=%d: not a tap opened with IFF_TAP | "
		      "IFF_NO_PI | IFF_VNET_HDR",
		      fd);
		return EXIT_USAGE;
	}
	memcpy(tap->name, ifr.ifr_name, sizeof(tap->name) - 1);
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		error("--net tap,fd=%d: %s", fd, strerror(errno));
		return EXIT_OSERR;
	}
	return 0;
}

static int set_header(struct net_tap *tap)
{
	int size = sizeof(struct virtio_net_hdr_v1);

	if (ioctl(tap->be.fd, TUNSETVNETHDRSZ, &size) < 0 ||
	    ioctl(tap->be.fd, TUNSETOFFLOAD, 0ul) < 0) {
		error("--net tap=%s: the host's tun driver refuses virtio_net "
		      "headers: %s",
		      tap->name, strerror(errno));
		return EXIT_UNAVAIL;
	}
	return 0;
}

/* Without an answer the guest is not told an MTU, which means 1500. */
static uint16_t ask_mtu(int sock, const struct net_tap *tap)
{
	struct ifreq ifr = { 0 };

	strcpy(ifr.ifr_name, tap->name);
	if (ioctl(sock, SIOCGIFMTU, &ifr) < 0 || ifr.ifr_mtu < 0 ||
	    ifr.ifr_mtu > UINT16_MAX)
		return 0;
	return (uint16_t)ifr.ifr_mtu;
}

static void bring_up(int sock, const struct net_tap *tap)
{
	struct ifreq ifr = { 0 };

	strcpy(ifr.ifr_name, tap->name);
	if (ioctl(sock, SIOCGIFFLAGS, &ifr) < 0 || ifr.ifr_flags & IFF_UP)
		return;
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &ifr) < 0)
		warn("--net tap=%s: the interface is down, so nothing gets "
		     "through: `sudo ip link set %s up`",
		     tap->name, tap->name);
}

static void look_after_interface(struct net_tap *tap, uint16_t mtu)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	tap->be.mtu = mtu;
	if (sock < 0)
		return;
	if (!mtu)
		tap->be.mtu = ask_mtu(sock, tap);
	bring_up(sock, tap);
	close(sock);
}

static int open_vhost(struct net_tap *tap, enum net_vhost want)
{
	int err;

	if (want == NET_VHOST_OFF)
		return 0;
	tap->be.vhost_fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (tap->be.vhost_fd >= 0 || want == NET_VHOST_AUTO)
		return 0;
	err = errno;
	error("--net tap=%s,vhost=on: /dev/vhost-net: %s; load the kernel "
	      "module `vhost_net` or get access to the device, or leave "
	      "vhost=on out",
	      tap->name, strerror(err));
	return err == EACCES || err == EPERM ? EXIT_NOPERM : EXIT_UNAVAIL;
}

int net_tap_open(struct net_backend **be, const struct net_options *opt)
{
	struct net_tap *tap = calloc(1, sizeof(*tap));
	int code;

	if (!tap) {
		error("--net tap: out of memory");
		return EXIT_OSERR;
	}
	tap->be = (struct net_backend){
		.ops = &tap_ops, .fd = -1, .vhost_fd = -1, .vnet_hdr = true
	};
	code = opt->tap ? attach_name(tap, opt->tap) : adopt_fd(tap, opt->fd);
	if (!code)
		code = set_header(tap);
	if (!code)
		code = open_vhost(tap, opt->vhost);
	if (code) {
		tap_free(&tap->be);
		return code;
	}
	look_after_interface(tap, opt->mtu);
	*be = &tap->be;
	return 0;
}
