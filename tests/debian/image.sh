#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Builds the disk of an ordinary Debian 12 guest and keeps it in the cache:
# Debian's packages, kernel and initrd as they are, with what an administrator
# would set by hand (password, DHCP, fstab) and without the units that a test
# need not wait for.  Standard output is the directory with
#   disk.img     ext4, no partitions, sparse
#   vmlinuz, initrd.img, release (what uname -r says)
# Works as root, and as a user where mmdebstrap has a mode for that.
#
# HOTLINE_CACHE  where to keep results (default ~/.cache/hotline)
set -euo pipefail

suite=bookworm
packages=linux-image-6.12-cloud-amd64,initramfs-tools,systemd-sysv,udev,iproute2,kmod,zstd
password=hotline			# of root; the login test types it
size=1G

here=$(cd "$(dirname "$0")" && pwd)
cache=${HOTLINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hotline}
PATH=$PATH:/usr/sbin:/sbin

say() { printf 'debian image: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

need() {
	command -v "$1" >/dev/null ||
		die "$1 is missing: install the Debian package $2"
}

# The machine's own package sources of the suite: no mirror is named here.
find_sources() {
	local file
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
		/etc/apt/sources.list.d/*.sources; do
		if [ -f "$file" ] && grep -q "^[^#]*\<$suite\>" "$file"; then
			sources+=("$file")
		fi
	done
	[ ${#sources[@]} -gt 0 ] ||
		die "apt's configuration names no source of $suite: add one to /etc/apt/sources.list.d"
}

# Nothing in the guest runs these; without them there is less to unpack.
slim=(--dpkgopt='path-exclude=/usr/share/doc/*'
	--dpkgopt='path-exclude=/usr/share/man/*'
	--dpkgopt='path-exclude=/usr/share/info/*'
	--dpkgopt='path-exclude=/usr/share/locale/*'
	--dpkgopt='path-exclude=/usr/share/i18n/*')

# Runs in the new root by mmdebstrap, before the packages' kernel and initrd
# are taken out of it.
write_setup() {
	cat >"$work/setup" <<END
set -e
root=\$1
echo root:$password | chroot "\$root" chpasswd
echo debian >"\$root/etc/hostname"
echo '127.0.0.1 localhost debian' >"\$root/etc/hosts"
echo '/dev/vda / ext4 errors=remount-ro 0 1' >"\$root/etc/fstab"
rm -f "\$root/etc/machine-id"
systemd-machine-id-setup --root="\$root" >/dev/null 2>&1 ||
	echo 0123456789abcdef0123456789abcdef >"\$root/etc/machine-id"
printf '[Match]\nType=ether\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n' \
	>"\$root/etc/systemd/network/lan.network"
chroot "\$root" systemctl -q enable systemd-networkd
chroot "\$root" systemctl -q disable systemd-networkd-wait-online
chroot "\$root" systemctl -q mask \
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
	e2scrub_all.timer e2scrub_reap.service fstrim.timer \
	systemd-pstore.service systemd-binfmt.service getty@tty1.service \
	systemd-networkd-wait-online.service systemd-network-generator.service \
	systemd-journal-flush.service systemd-update-utmp.service \
	systemd-update-utmp-runlevel.service getty-static.service \
	kmod-static-nodes.service modprobe@.service \
	sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
	sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount \
	proc-sys-fs-binfmt_misc.automount
chroot "\$root" systemctl -q set-default multi-user.target
END
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else fakeroot -- "$@"; fi
}

build() {
	local kernel

	mkdir "$work/out" "$work/root"
	write_setup
	say "installing Debian $suite into a directory (a minute or two)"
	mmdebstrap --quiet --variant=essential --include="$packages" "${slim[@]}" \
		--customize-hook="sh $work/setup \"\$1\"" \
		"$suite" "$work/root.tar" "${sources[@]}" >"$work/log" 2>&1 || {
		tail -n 30 "$work/log" >&2
		die "mmdebstrap failed"
	}
	# Owners survive in one fakeroot only: unpack and write at one go.  Some
	# builds of mke2fs say what they create in spite of -q.
	as_root sh -ec "
		tar -C $work/root -xf $work/root.tar --exclude './dev/*'
		mke2fs -q -t ext4 -F -L debian -d $work/root $work/out/disk.img $size" >&2
	kernel=$(basename "$work"/root/boot/vmlinuz-*)
	cp "$work/root/boot/$kernel" "$work/out/vmlinuz"
	cp "$work/root/boot/initrd.img-${kernel#vmlinuz-}" "$work/out/initrd.img"
	echo "${kernel#vmlinuz-}" >"$work/out/release"
}

target=$cache/debian-$(sha256sum <"$here/image.sh" | cut -c1-16)
mkdir -p "$cache"
exec {lock}>"$cache/debian.lock"
flock "$lock"
if [ ! -d "$target" ]; then
	need mmdebstrap mmdebstrap
	need mke2fs e2fsprogs
	[ "$(id -u)" = 0 ] || need fakeroot fakeroot
	sources=()
	find_sources
	work=$(mktemp -d "$cache/.debian.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM HUP
	chmod 755 "$work"	# mmdebstrap's unshared root must reach it
	build
	mv -T "$work/out" "$target"
fi
echo "$target"
