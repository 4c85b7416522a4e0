#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Gets what L1 boots from and prints the directory that holds it:
#   vmlinux       Debian's stock 6.12 cloud kernel, downloaded, never installed;
#                 unpacked, because unpacking under TCG takes most of a second
#   lib/modules/  its modules, as packaged (.ko.xz), with modules.dep
#   base.cpio     L1's root: busybox, l1-init, agent, guard, the usual modules
#   relay         the host's end of the wire
# Cached by package version and by the content of the files it is made of.
#
# l1.sh [--stage-modules DIR MODULE...]   the second form adds more modules,
# with what they depend on, to a tree that is to be put over base.cpio.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

meta=linux-image-6.12-cloud-amd64

# Modules that base.cpio has; loaded only when asked for.
modules=(
	irqbypass kvm kvm-amd
	virtio_blk virtio_net virtio-rng loop overlay squashfs
	tun tap veth bridge vhost_net vhost_vsock vsock_loopback
	nbd null_blk msr
	nft_masq nft_chain_nat nf_tables
)

sources=("$nested_dir"/{l1.sh,l1-init,agent.c,guard.c,relay.c,frame.h})

# The real package behind the meta package, as apt knows it now.  Asking apt
# takes half a second, so the answer is kept until apt's lists change.
candidate() {
	local stamp=$cache/candidate pkg

	if [ -s "$stamp" ] && [ "$stamp" -nt /var/lib/apt/lists ]; then
		cat "$stamp"
		return
	fi
	pkg=$(apt-cache depends --important "$meta" 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$pkg" ] || return 1
	echo "$pkg $(apt-cache show --no-all-versions "$pkg" | sed -n 's/^Version: //p')" |
		tee "$stamp.$$"
	mv "$stamp.$$" "$stamp"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# download PKG DIR: the .deb into DIR; renews apt's lists when they are stale
download() (
	cd "$2"
	# As root, apt's own user must be able to write here.
	[ "$(id -u)" != 0 ] || chmod 755 .
	apt-get -qq download "$1" && exit
	as_root apt-get -qq update && apt-get -qq download "$1"
)

# $tmp: a new directory; what becomes of it is moved into place in one step, so
# that two beds can build the same thing at once.
tmp=
tmp_make() {
	rm -rf ${tmp:+"$tmp"}
	tmp=$(mktemp -d "$cache/.tmp.XXXXXX")
}
trap 'rm -rf ${tmp:+"$tmp"}' EXIT

# vmlinux_extract VMLINUZ VMLINUX: a bzImage has its ELF file zstd-compressed
# behind the loader; QEMU enters that ELF directly (PVH).
vmlinux_extract() {
	local at

	LC_ALL=C grep -aobP '\x28\xb5\x2f\xfd' "$1" | cut -d: -f1 |
		while read -r at; do
			# What follows the compressed part makes zstd complain.
			tail -c "+$((at + 1))" "$1" | zstd -dcq >"$2" 2>/dev/null || true
			[ "$(head -c 4 "$2" | tail -c 3)" != ELF ] || break
		done
	[ "$(head -c 4 "$2" | tail -c 3)" = ELF ] || cp "$1" "$2"
}

# kernel_build PKG DIR
kernel_build() {
	local version

	tmp_make
	if ! download "$1" "$tmp" >"$tmp/log" 2>&1; then
		cat "$tmp/log" >&2
		return 1
	fi
	dpkg-deb -x "$tmp"/*.deb "$tmp/x"
	mkdir "$tmp/out"
	vmlinux_extract "$tmp"/x/boot/vmlinuz-* "$tmp/out/vmlinux"
	mv "$tmp"/x/boot/config-* "$tmp/out/config"
	if [ -d "$tmp/x/usr/lib/modules" ]; then
		mv "$tmp/x/usr/lib" "$tmp/out/lib"
	else
		mv "$tmp/x/lib" "$tmp/out/lib"
	fi
	version=$(basename "$tmp"/out/lib/modules/*)
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$tmp/out" "$version"
	echo "$version" >"$tmp/out/version"
	mv -T "$tmp/out" "$2" 2>/dev/null || [ -d "$2" ]
}

# stage_modules KERNEL_DIR DIR MODULE...: into DIR, unpacked, dependencies too
stage_modules() {
	local kernel=$1 dir=$2 version file
	version=$(cat "$kernel/version")
	shift 2
	{
		for module; do
			module_files "$kernel/lib/modules/$version" "$module"
		done
	} | sort -u | while read -r file; do
		file=lib/modules/$version/$file
		[ -e "$dir/usr/${file%.xz}" ] && continue
		mkdir -p "$dir/usr/$(dirname "$file")"
		case $file in
		*.xz) xz -dc "$kernel/$file" >"$dir/usr/${file%.xz}" ;;
		*) cp "$kernel/$file" "$dir/usr/$file" ;;
		esac
	done
}

# The file of a module and of all that it depends on, from modules.dep.
module_files() {
	local line
	# In file names - and _ are the same.
	line=$(awk -v want="${2//-/_}" -F: '{
		name = $1; sub(/.*\//, "", name); sub(/\.ko.*/, "", name)
		gsub(/-/, "_", name)
		if (name == want) { print $1 $2; exit }
	}' "$1/modules.dep")
	[ -n "$line" ] || die "the L1 kernel has no module $2"
	tr ' ' '\n' <<<"$line"
}

# root_build KERNEL_DIR DIR
root_build() {
	local kernel=$1 root version box

	box=$(command -v busybox)
	tmp_make
	root=$tmp/root
	version=$(cat "$kernel/version")
	mkdir -p "$root"/{dev,proc,sys,run,mnt,root,etc,var/tmp,.bed} \
		"$root"/usr/{bin,sbin,lib,lib64,local/bin}
	mkdir -m 1777 "$root/tmp"
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$root"
	ln -s /run "$root/var/run"
	cp "$box" "$root/usr/bin/busybox"
	"$box" --list | while read -r applet; do
		[ "$applet" = busybox ] || ln -s /usr/bin/busybox "$root/usr/bin/$applet"
	done
	ln -s /usr/bin/modprobe "$root/usr/sbin/modprobe"	# request_module()
	echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
	echo root:x:0: >"$root/etc/group"
	echo 127.0.0.1 localhost l1 >"$root/etc/hosts"
	stage_modules "$kernel" "$root" "${modules[@]}"
	for name in dep alias softdep symbols builtin; do
		sed 's/\.ko\.xz/.ko/g' "$kernel/lib/modules/$version/modules.$name" \
			>"$root/usr/lib/modules/$version/modules.$name"
	done
	cp "$nested_dir/l1-init" "$root/init"
	chmod 755 "$root/init"
	for name in agent guard; do
		"${CC:-cc}" -std=gnu11 -O2 -s -static -o "$root/.bed/$name" \
			"$nested_dir/$name.c"
	done
	mkdir "$tmp/out"
	"${CC:-cc}" -std=gnu11 -O2 -o "$tmp/out/relay" "$nested_dir/relay.c"
	(cd "$root" && find . | LC_ALL=C sort |
		cpio -o -H newc -R 0:0 --quiet) >"$tmp/out/base.cpio"
	ln -s "$kernel"/* "$tmp/out/"
	mv -T "$tmp/out" "$2" 2>/dev/null || [ -d "$2" ]
}

cache=$(cache_dir)/l1
mkdir -p "$cache"

if [ "${1:-}" = --stage-modules ]; then
	stage_modules "$2" "$3" "${@:4}"
	exit
fi

kernel_newest() {
	find "$cache" -maxdepth 1 -name 'kernel-*' -printf '%T@ %p\n' |
		sort -n | sed -n '$s/^[^ ]* //p'
}

need_tools() {
	local tool
	for tool; do
		need_tool "${tool%:*}" "${tool#*:}"
	done
}

# Sets $kernel: the directory of the newest kernel to be had.
kernel_find() {
	local found pkg version old

	old=$(kernel_newest)
	if ! found=$(candidate) && [ -z "$old" ]; then
		as_root apt-get -qq update >&2 || true
		found=$(candidate) || true
	fi
	if [ -n "$found" ]; then
		read -r pkg version <<<"$found"
		kernel=$cache/kernel-${pkg#linux-image-}_$version
		[ ! -d "$kernel" ] || return 0
		need_tools dpkg-deb:dpkg xz:xz-utils zstd:zstd depmod:kmod
		say "getting $pkg $version"
		kernel_build "$pkg" "$kernel" && return
	fi
	[ -n "$old" ] || die "cannot get the package $meta: run 'make setup'; apt's sources must name the security updates of Debian 12"
	say "cannot get the newest $meta: taking $(basename "$old")"
	kernel=$old
}

kernel_find
root=$cache/root-${kernel##*_}-$(key_of "${sources[@]}" "$(command -v busybox)")
if [ ! -d "$root" ]; then
	need_tools busybox:busybox-static cpio:cpio "${CC:-cc}:gcc" xz:xz-utils
	ldd "$(command -v busybox)" >/dev/null 2>&1 &&
		die "busybox is not a static one: install the Debian package busybox-static"
	root_build "$kernel" "$root"
	# Roots of older scripts, and what was killed while at it.
	find "$cache" -maxdepth 1 \( -name 'root-*' -o -name '.tmp.*' \) -mtime +7 \
		-exec rm -rf {} +
fi
echo "$root"
