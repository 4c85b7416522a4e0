#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Builds the initramfs of the guests and keeps it in the cache under a name
# made of its contents. Standard output is the path of the file, nothing else.
# Needs no root: the kernel's own built-in initramfs has /dev/console already.
#
# usage: initramfs.sh [-r] [FILE:PATH...]
#   -r         only our init: enough for 'hotline.ready', 40 times smaller
#   FILE:PATH  adds FILE as PATH, with its mode
#
# HOTLINE_CACHE  where to keep results (default ~/.cache/hotline)
# BUSYBOX        a static busybox (default: of Debian's busybox-static)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${HOTLINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hotline}
busybox=${BUSYBOX:-/bin/busybox}
name=initramfs
export LC_ALL=C

die() { printf 'initramfs: %s\n' "$*" >&2; exit 1; }

need() {
	command -v "$1" >/dev/null ||
		die "$1 is missing: run 'apt-get install $2'"
}

# The init is static and starts without a single CPUID, which a C library that
# picks its string functions at run time executes 35 of, each an exit.
build_init() {
	musl-gcc -std=gnu11 -Os -static -s -Wl,--build-id=none \
		-ffile-prefix-map="$here"=. -I"$here/../include" \
		-o "$1" "$here/init.c" "$here/init-net.c" "$here/init-input.c" ||
		die "the init does not compile"
}

# The applets that get a link of their own. Each costs 12 000 instructions of
# every boot. The others need none: busybox' shell, xargs, env and so on find
# them, and so does our init.
links="ash awk basename cat chmod chown chroot cp cut date dd df dirname dmesg \
du echo egrep env expr false find free grep gunzip gzip halt head hexdump \
hostname id ifconfig ip kill ln ls mkdir mkfifo mknod mktemp mount mv nc \
nproc od pidof ping poweroff printf ps pwd readlink realpath reboot rm rmdir \
route sed seq setsid sh sha256sum sleep sort stat stty sync sysctl tail tar tee \
test time timeout top touch tr true tty udhcpc umount uname uniq uptime vi wc \
wget which xargs yes zcat"

add_busybox() {
	local applet

	install -D -m 0755 "$busybox" "$root/bin/busybox"
	mkdir -p "$root/etc" "$root/sbin" "$root/usr/bin" "$root/usr/sbin"
	for applet in $links; do
		ln -s busybox "$root/bin/$applet"
	done
	ln -s ../../bin/busybox "$root/usr/bin/env"
	cp "$here"/rootfs/* "$root/etc/"
	chmod 0755 "$root/etc/udhcpc.script"
}

add_file() {
	local file=${1%%:*} path=${1#*:}

	case $1 in
	?*:/?*) ;;
	*) die "'$1' is not FILE:/PATH" ;;
	esac
	[ -f "$file" ] || die "no such file: $file"
	install -D -m "$(stat -L -c %a "$file")" "$file" "$root$path"
}

make_cpio() {
	chmod -R u+rwX,go+rX-w "$root"
	find "$root" -exec touch -h -d @0 {} +
	(cd "$root" && find . -mindepth 1 -printf '%P\n' | sort |
		cpio --quiet -o -H newc -R 0:0 --reproducible)
}

if [ "${1:-}" = -r ]; then
	name=initramfs-ready
	shift
fi
case ${1:-} in
-*) sed -n '3,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
need musl-gcc musl-tools
need cpio cpio
if [ $name = initramfs ] && ! [ -x "$busybox" ]; then
	die "no $busybox: run 'apt-get install busybox-static'"
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/.initramfs.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
root=$work/root
mkdir -p "$root/dev" "$root/mnt" "$root/proc" "$root/sys" "$root/tmp" "$root/run" \
	"$root/root" "$root/hotline"
build_init "$root/init"
[ $name = initramfs-ready ] || add_busybox
for extra; do
	add_file "$extra"
done
make_cpio >"$work/cpio"

# Small enough to build each time; what is the same gets the same name.
target=$cache/$name-$(sha256sum <"$work/cpio" | cut -c1-16).cpio
mv "$work/cpio" "$target"
echo "$target"
