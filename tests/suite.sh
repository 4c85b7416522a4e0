#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Guests on real KVM: builds what the rows of tests/suite/rows need, finds a
# KVM that executes guest code (this machine's, or the bed's), has the rows
# run there, and adds up.  The last line is "N passed, N failed, N skipped".
#
# usage: suite.sh [-l] [ROW|GROUP]...   -l: list the rows
#
# HOTLINE        the program under test (default build/hotline)
# SAN            asan or tsan: the program under test is build/$SAN/hotline, and
#                the rows are the groups san and $SAN unless some are named
# SUITE_OFF      host or guest: all machines are without the line, the clock page
#                and the timer, by the VMM's options or by the guest's alone;
#                rows about these are skipped (tests/suite/lib.sh)
# HOTLINE_WHERE  here or bed: don't choose
# SUITE_JOBS     rows at a time in one place (default 2)
# SUITE_BEDS     beds at a time (default: one for each processor, at most 4)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)
rows=$here/suite/rows
san=${SAN:-}
off=${SUITE_OFF:-}
built=$top/build${san:+/$san}
out=$built/tests
stage=$out/stage
jobs=${SUITE_JOBS:-2}
beds=${SUITE_BEDS:-$(($(nproc) < 4 ? $(nproc) : 4))}
PATH=$PATH:/usr/sbin:/sbin

say() { echo "suite: $*" >&2; }
die() { say "$*"; exit 2; }

# Names of the rows that match one of the words: a row's name or a group of its.
# Without words, all but those that are about sanitizers or take very long.
choose() {
	awk -v words="$*" '
		BEGIN { n = split(words, w, /[ ,]+/) }
		/^\[/ { name = substr($0, 2, length($0) - 2); all = !n }
		/^needs = .*(san|long)/ { all = 0 }
		/^run = / { if (all) print name }
		/^group = / { for (i = 1; i <= n; i++) for (k = 2; k <= NF; k++)
			if (w[i] == (k == 2 ? name : $k)) { print name; next } }
	' "$rows"
}

check_words() {
	local word
	for word; do
		[ -n "$(choose "$word")" ] || die "$word: no such row or group; $0 -l lists the rows"
	done
}

compile() {
	local prog=$1
	shift
	"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow \
		-Wmissing-prototypes -Wstrict-prototypes -Werror -static \
		-o "$stage/$prog" "$@"
}

# What lib.sh says a row finds in its directory.
prepare() {
	local prog lib common fs=() pv
	rm -rf "$stage"
	mkdir -p "$stage"
	for prog in disk net memory clock msr timer; do
		compile $prog "$here/linux/$prog.c"
	done
	for prog in json pty; do
		compile $prog "$here/suite/$prog.c"
	done
	"$here/guest/build.sh" "$stage/guest.elf"
	for ((byte = 0; byte < 256; byte++)); do
		# shellcheck disable=SC2059
		printf "\\x$(printf %x $byte)"
	done >"$stage/bytes"
	pv=$("$top/guest-linux-patches/build.sh" pv)
	cp "$pv/vmlinux" "$pv/bzImage" "$stage/"
	tools=("$stage/disk:/bin/disk" "$stage/net:/bin/net"
		"$stage/memory:/bin/memory" "$stage/clock:/bin/clock" "$stage/msr:/bin/msr"
		"$stage/timer:/bin/timer"
		"$stage/bytes:/suite/bytes")
	cp "$("$top/guest-linux-patches/initramfs.sh" "${tools[@]}")" "$stage/initrd"
	for prog in mke2fs e2fsck; do
		fs+=("$(command -v $prog):/bin/$prog")
		while read -r lib; do
			fs+=("$lib:$lib")
		done < <(ldd "$(command -v $prog)" | grep -o '/[^ ]*')
	done
	cp "$("$top/guest-linux-patches/initramfs.sh" "${tools[@]}" "${fs[@]}")" \
		"$stage/initrd-fs"
	cp "$(command -v mke2fs)" "$stage/program"
	cp "$here"/suite/{run,rows,lib.sh,rows-*.sh} "$stage/"
	[ -z "$san" ] || cp "$built/planted" "$stage/"
	if choose "$@" | grep -qxE 'common|pvh'; then
		common=$("$top/guest-linux-patches/build.sh" common)
		mkdir "$stage/common"
		cp "$common/vmlinux" "$stage/common/"
	fi
	debian=
	if choose "$@" | grep -q '^debian'; then
		debian=$("$here/debian/image.sh")
		mkdir "$stage/debian"
		cp "$debian"/{vmlinuz,initrd.img,release} "$stage/debian/"
	fi
}

run_here() {
	ln -sf "$hotline" "$stage/hotline"
	# TSan of gcc 12 finds no room when addresses are as random as can be.
	SUITE_SAN=$san SUITE_OFF=$off SUITE_DEBIAN=${debian:+$debian/disk.img} \
		${san:+setarch -R} sh "$stage/run" "$stage" "$jobs" "$@" </dev/null
}

# Whole reports, so that those of two beds don't mix.
whole_reports() {
	local line report=
	while IFS= read -r line; do
		case $line in
		"ok "* | "FAIL "* | "skip "*)
			[ -z "$report" ] || printf '%s' "$report"
			report= ;;
		esac
		report+=$line$'\n'
	done
	printf '%s' "$report"
}

# one_bed NUMBER ROW...
one_bed() {
	local args=(--smp 2 --mem 8192 --cpu "$1" --timeout 3600 --add "$stage"
		--env SUITE_IN_BED=1 --env "SUITE_SAN=$san" --env "SUITE_OFF=$off"
		--bin setpriv --bin mke2fs --bin e2fsck --bin debugfs)
	shift
	[ -z "$debian" ] || args+=(--disk "$debian/disk.img,ro" --env SUITE_DEBIAN=/dev/vda)
	# Beside each other, as they are installed; libraries come with --bin.
	args+=(--bin "$hotline" --bin "$(dirname "$hotline")/hotline-net-user")
	# shellcheck disable=SC2016
	"$here/nested/bed" "${args[@]}" -- sh -c '
		dir=$2
		ln -s "$1" "$dir/hotline"
		shift 2
		exec sh "$dir/run" "$dir" "$@"' sh "$hotline" "$stage" "$jobs" "$@" </dev/null |
		whole_reports
}

# The rows are dealt like cards.
run_bed() {
	local bed i rows
	for ((bed = 0; bed < beds && bed < $#; bed++)); do
		rows=()
		for ((i = bed + 1; i <= $#; i += beds)); do
			rows+=("${!i}")
		done
		one_bed "$bed" "${rows[@]}" &
	done
	wait
}

choose_where() {
	local why
	where=${HOTLINE_WHERE:-}
	[ -z "$where" ] || return 0
	if why=$("$hotline" doctor 2>&1); then
		where=here
		say "this machine's KVM executes guest code: running here"
	else
		where=bed
		say "$(grep -m1 '^FAIL' <<<"$why" | tr -s ' '): running in the bed"
	fi
}

# Rows of which there is no report yet.
left() {
	local row
	for row in "${list[@]}"; do
		grep -qE "^(ok|FAIL|skip) $row(:| |\$)" "$log" || echo "$row"
	done
}

if [ "${1:-}" = -l ]; then
	choose
	exit
fi
case $off in
'' | host | guest) ;;
*) die "SUITE_OFF=$off: must be host or guest" ;;
esac
[ -z "$san" ] || [ $# -gt 0 ] || set -- san "$san"
check_words "$@"
mapfile -t list < <(choose "$@")
hotline=$(readlink -f "${HOTLINE:-$built/hotline}")
[ -x "$hotline" ] || die "no $hotline: make build"
cd "$top"
prepare "$@"
choose_where
log=$out/suite.log
: >"$log"
# A bed that broke down, or whose time was over, is started again for what is
# left, until that has come to nothing three times.
mapfile -t todo < <(left)
for ((vain = 0; vain < 3 && ${#todo[@]} > 0;)); do
	before=${#todo[@]}
	"run_$where" "${todo[@]}" | tee -a "$log" || :
	mapfile -t todo < <(left)
	[ ${#todo[@]} -eq 0 ] || say "again, ${#todo[@]} rows are left"
	[ ${#todo[@]} -lt "$before" ] || vain=$((vain + 1))
done
for row in ${todo[@]+"${todo[@]}"}; do
	echo "FAIL $row: did not run" | tee -a "$log"
done
passed=$(grep -c '^ok ' "$log" || :)
failed=$(grep -c '^FAIL ' "$log" || :)
skipped=$(grep -c '^skip ' "$log" || :)
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
