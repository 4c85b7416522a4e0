#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Installs the Debian 12 packages that the tree needs, by group, only those that
# are missing.  Does not touch apt when all are there.
#
# setup.sh [-n] GROUP...   -n: only say what is missing (exit code 1 when any is)
set -euo pipefail

declare -A groups=(
	# the VMM and its unit tests
	[build]="gcc make pkg-config libc6-dev linux-libc-dev libslirp-dev
		liburing-dev libaio-dev libfdt-dev libjansson-dev libseccomp-dev
		check device-tree-compiler acpica-tools"
	# the guest kernel and its initramfs
	[guest]="linux-source-6.12 gcc make libc6-dev bc flex bison perl
		libelf-dev libssl-dev cpio kmod xz-utils bzip2 patch rsync
		musl-tools busybox-static"
	# the nested test bed and the guests' disk images
	[bed]="qemu-system-x86 seabios e2fsprogs mmdebstrap uidmap
		busybox-static cpio kmod xz-utils zstd gcc libc6-dev util-linux procps"
	# what benchmarks run in guests beyond their own programs
	[bench]="rt-tests sysbench"
	# checks of the source, and fuzzing
	[lint]="clang clang-format libclang-rt-dev cppcheck shellcheck universal-ctags"
	# the model of the split-phase protocol
	[model]="spin gcc libc6-dev"
)
order=(build guest bed bench lint model)

say() { echo "setup: $*" >&2; }

# missing_of PKG...: those that are not installed, sorted
missing_of() {
	local have
	have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^installed //p' | sort -u) || true
	printf '%s\n' "$@" | sort -u | comm -23 - <(echo "$have")
}

# As root, with apt's own questions answered.
as_root() {
	local env=(env DEBIAN_FRONTEND=noninteractive LC_ALL=C)
	if [ "$(id -u)" = 0 ]; then
		"${env[@]}" "$@"
	else
		sudo "${env[@]}" "$@"
	fi
}

fail() {
	[ ! -s "$log" ] || tail -n 40 "$log" >&2
	say "$1"
	say "these packages are needed: ${missing[*]}"
	exit 1
}

only_say=0
if [ "${1:-}" = -n ]; then
	only_say=1
	shift
fi
if [ $# = 0 ]; then
	say "usage: setup.sh [-n] GROUP... (groups: ${order[*]})"
	exit 2
fi
wanted=()
for group; do
	if [ -z "${groups[$group]:-}" ]; then
		say "no group $group (groups: ${order[*]})"
		exit 2
	fi
	# shellcheck disable=SC2206 # a list of words
	wanted+=(${groups[$group]})
done

log=
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	missing=("${wanted[@]}")
	fail "this is not Debian: install them (or what matches) by hand"
fi
readarray -t missing < <(missing_of "${wanted[@]}")
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$only_say" = 1 ]; then
	say "missing: ${missing[*]}"
	exit 1
fi
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
	fail "neither root nor sudo: cannot install packages"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
say "installing ${missing[*]}"
lock=(-o "DPkg::Lock::Timeout=300")
# Old lists may do when the update fails; installing then tells.
as_root apt-get "${lock[@]}" -q update >>"$log" 2>&1 ||
	say "apt-get update failed; trying with the lists at hand"
as_root apt-get "${lock[@]}" -q -y --no-install-recommends install \
	"${missing[@]}" >>"$log" 2>&1 </dev/null || fail "apt-get install failed"
readarray -t missing < <(missing_of "${missing[@]}")
[ ${#missing[@]} = 0 ] || fail "apt-get did not install everything"
