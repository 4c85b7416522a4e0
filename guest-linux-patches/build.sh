#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Builds a guest kernel from Debian's linux-source-6.12 package and keeps it in
# the cache under a name made of everything it was built from. Standard output
# is the directory that holds vmlinux, bzImage, config and System.map, nothing
# else.
#
# usage: build.sh pv|common[-VARIANT]
#   pv      the paravirtual guest: our patches, device tree, virtio-mmio
#   common  unpatched: ACPI, PCI, virtio and 8250, for any VMM
#   -VARIANT  with the options of config/VARIANT.fragment instead of its own
#
# HOTLINE_CACHE         where to keep results (default ~/.cache/hotline)
# HOTLINE_LINUX_SOURCE  a source tarball to use instead of Debian's package
# HOTLINE_JOBS          how many compilers at once (default: one per processor)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
package=linux-source-6.12
cache=${HOTLINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hotline}
jobs=${HOTLINE_JOBS:-$(nproc)}

say() { printf 'kernel-%s: %s\n' "$kind" "$*" >&2; }
die() { say "$@"; exit 1; }

# One step of the build: its output goes to the log, whose end is shown if the
# step fails.
step() {
	local what=$1
	shift

	say "$what"
	if ! "$@" >>"$log" 2>&1; then
		say "$what: failed; the end of the log:"
		tail -n 30 "$log" >&2
		exit 1
	fi
}

# Sets tarball, and origin: a line that says which source this is. The package
# manager's own checksum identifies Debian's file, so that a cached kernel is
# found without reading 150 MB.
find_source() {
	tarball=${HOTLINE_LINUX_SOURCE:-/usr/src/$package.tar.xz}
	[ -r "$tarball" ] ||
		die "no $tarball: run 'apt-get install $package', or name a" \
			"tarball in HOTLINE_LINUX_SOURCE"
	if [ -n "${HOTLINE_LINUX_SOURCE:-}" ]; then
		origin="$(sha256sum <"$tarball") $tarball"
		return
	fi

	local sums=/var/lib/dpkg/info/$package.md5sums version
	version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null) ||
		die "$tarball is not of the package $package;" \
			"HOTLINE_LINUX_SOURCE=$tarball uses it all the same"
	md5=$(awk -v f="${tarball#/}" '$2 == f { print $1 }' "$sums")
	[ -n "$md5" ] || die "$sums has no checksum of $tarball"
	origin="$md5 $package $version"
}

verify_source() {
	if [ -z "${md5:-}" ]; then
		say "source: $origin (given by hand, not verified)"
		return
	fi
	echo "$md5  $tarball" | md5sum --check --status ||
		die "$tarball differs from what the package installed;" \
			"run 'apt-get install --reinstall $package'"
	say "source: $package $(dpkg-query -W -f '${Version}' "$package")," \
		"md5 $md5 as the package records"
}

list_patches() {
	[[ $kind == pv* ]] || return 0
	sed 's/#.*//; /^[[:space:]]*$/d' "$here/series"
}

# The fragment without its remarks. What a variant's says of an option holds.
list_options() {
	grep -hE '^(# )?CONFIG_[A-Za-z0-9_]+(=| is not set)' "$fragment" \
		${variant:+"$here/config/$variant.fragment"} | awk '
		{ name = $1 == "#" ? $2 : $1; sub(/=.*/, "", name) }
		!(name in said) { order[++n] = name }
		{ said[name] = $0 }
		END { for (i = 1; i <= n; i++) print said[order[i]] }'
}

# Everything that the result depends on, as text. $here/include/hotline of the
# project is not part of it: the patches carry their own copy.
describe_inputs() {
	echo "$origin"
	sha256sum <"$here/build.sh"
	list_options | sha256sum
	gcc --version
	ld --version
	list_patches | while read -r patch; do
		sha256sum <"$here/$patch"
	done
}

# Names the result; if it is there, that is all.
find_target() {
	hash=$(describe_inputs | sha256sum | cut -c1-16)
	target=$cache/kernel-$kind-$hash
	[ -d "$target" ] || return 0
	echo "$target"
	exit 0
}

apply_patches() {
	list_patches | while read -r patch; do
		echo "== $patch"
		patch -p1 -d "$src" --no-backup-if-mismatch -F0 <"$here/$patch" ||
			return 1
	done
}

build() { make -C "$src" O="$obj" -j"$jobs" LOCALVERSION= "$@"; }

configure() {
	build tinyconfig || return 1
	list_options >>"$obj/.config"
	build olddefconfig
}

# Kconfig drops an option silently when a dependency is missing or something
# else selects it. A fragment that says what isn't so is a bug.
check_config() {
	local line lost=0

	while read -r line; do
		grep -qxF -e "$line" "$obj/.config" && continue
		say "lost: $line"
		lost=1
	done < <(list_options)
	[ $lost = 0 ] || die "options of its fragment did not survive"
}

install_result() {
	local out=$work/out

	mkdir "$out"
	cp "$obj/arch/x86/boot/bzImage" "$obj/System.map" "$out/"
	cp "$obj/.config" "$out/config"
	cp "$obj/vmlinux" "$out/vmlinux"
	strip --strip-debug "$out/vmlinux"
	describe_inputs >"$out/inputs"
	[ "$(sha256sum <"$out/inputs" | cut -c1-16)" = "$hash" ] ||
		die "the patches or the configuration changed meanwhile: build again"
	mv -T "$out" "$target"
}

[ $# = 1 ] || { sed -n '3,15s/^# \{0,1\}//p' "$0" >&2; exit 2; }
kind=$1
case $kind in
pv | common | pv-* | common-*) ;;
*) die "no such kernel: it is 'pv' or 'common', or a variant" ;;
esac
fragment=$here/config/${kind%%-*}.fragment
variant=$(cut -s -d- -f2- <<<"$kind")
[ -z "$variant" ] || [ -r "$here/config/$variant.fragment" ] ||
	die "no such variant: there is no config/$variant.fragment"

find_source
mkdir -p "$cache"
exec 9>"$cache/kernel-$kind.lock"
find_target
flock -n 9 || { say "waiting for another build"; flock 9; }
find_target

# Left by a build that was killed: nobody else holds the lock.
rm -rf "$cache/.kernel-$kind".*
work=$(mktemp -d "$cache/.kernel-$kind.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
src=$work/src obj=$work/obj log=$work/log
mkdir "$src" "$obj"

verify_source
step "unpacking" tar -xf "$tarball" -C "$src" --strip-components=1
if [[ $kind == pv* ]]; then
	step "applying $(list_patches | wc -l) patches" apply_patches
fi

# The same inputs give the same bytes.
stamp=$(date -u -r "$src/Makefile" '+%a %b %e %H:%M:%S UTC %Y')
export KBUILD_BUILD_TIMESTAMP=$stamp KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=hotline KBUILD_BUILD_HOST=localhost
export LC_ALL=C
unset MAKEFLAGS MAKELEVEL MFLAGS ARCH CROSS_COMPILE

step "configuring" configure
check_config
step "compiling with $jobs jobs (minutes)" build vmlinux bzImage
install_result
say "built in ${SECONDS} s: $(stat -c %s "$target/vmlinux") bytes of vmlinux," \
	"$(stat -c %s "$target/bzImage") of bzImage"
echo "$target"
