#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Measures hotline beside its peers in the nested bed, and reports. Results:
# build/bench/NAME.json, env.json, report.html and report.md; a table on
# standard output.
#
# usage: run.sh [NAME,...]
#   NAME   a benchmark, see table.c; by default all but those with kernels of
#          their own, which take minutes to build: hz
#
# BENCH_MODES     which of icount, count and wall (default: all three)
# BENCH_CASES     which VMMs (default: all)
# BENCH_ROWS      rows of yield, as a regular expression (default: all)
# BENCH_RUNS      runs in wall time (default 10); counted modes do half
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cd "$here/../.."

out=build/bench
bin=$out/bin
bed=tests/nested/bed
modes=${BENCH_MODES:-icount,count,wall}
runs=${BENCH_RUNS:-10}
few=$(((runs + 1) / 2))
tries=4
peer=/usr/bin/qemu-system-x86_64
asked_for='hz'
lacking=$out/lacking
faults=0 kernels=() stage=()

say() { echo "bench: $*" >&2; }
die() {
	say "$@"
	exit 2
}

cflags=(-std=gnu11 -D_GNU_SOURCE -I. -O2 -g -Wall -Wextra -Wshadow
	-Wmissing-prototypes -Wstrict-prototypes -Wsign-compare -Werror)

# The runner is static, for L1 has no C library of its own; the guest's program
# too. What is preloaded into a VMM needs that VMM's.
build() {
	local b=tests/bench
	mkdir -p "$bin"
	gcc "${cflags[@]}" -static -o "$bin/runner" "$b"/{runner,table,table_line,table_timer,table_yield}.c \
		"$b"/{vmms,session,bench_boot,bench_ops,vmproc,kvmstats,vmmem,netpeer}.c \
		"$b"/{bench_yield,bench_holder,bench_convoy,vmsched,hog}.c
	gcc "${cflags[@]}" -fPIC -shared -o "$bin/statsfd.so" "$b/statsfd.c"
	gcc "${cflags[@]}" -o "$bin/report" "$b"/report*.c -ljansson -lm
	musl-gcc "${cflags[@]}" -static -s -idirafter /usr/include \
		-idirafter "/usr/include/$(gcc -dumpmachine)" \
		-o "$bin/guest" "$b"/guest*.c -pthread
}

# add FILE PATH: puts FILE into L1 at PATH, if there is one
add() { [ ! -e "$1" ] || stage+=(--add "$1:$2"); }

# Runs a builder whose output is the path of what it built.
built() {
	local path
	path=$("$@") || die "failed: $*"
	echo "$path"
}

# with_libraries FILE:PATH: that, and what FILE is linked with, where it is
with_libraries() {
	echo "$1"
	ldd "${1%%:*}" | sed -n 's|^[^/]*\(/[^ ]*\) (.*|\1:\1|p'
}

# The kernels of all benchmarks that are run, and the boots' in any case.
kernels_of() {
	local name
	for name in boot "$@"; do
		"$bin/runner" --list-kernels --bench "$name"
	done | sort -u
}

# stage FILE PATH... is what add() collects; on a machine that runs guests itself
# the benchmark of yields runs there, from a directory that looks like /bench.
here_make() {
	local i spec
	rm -rf "$out/here"
	for ((i = 0; i + 1 < ${#stage[@]}; i++)); do
		spec=${stage[i + 1]}
		[[ ${stage[i]} == --add && ${spec#*:} == /bench/* ]] || continue
		install -D "${spec%%:*}" "$out/here/${spec#*:/bench/}"
	done
}

# What every L1 gets, in $stage. Copies, for others may build meanwhile.
prepare() {
	local kind dir file cyclictest load initramfs=guest-linux-patches/initramfs.sh
	cp build/hotline build/hotline-net-user "$bin/"
	stage=(--modules "tun,vhost_net" --bin "$peer"
		--bin "$bin/hotline" --bin "$bin/hotline-net-user")
	add "$bin/hotline" /bench/hotline
	add "$bin/hotline-net-user" /bench/hotline-net-user
	for kind in $(kernels_of "$@"); do
		dir=$(built guest-linux-patches/build.sh "$kind")
		add "$dir/vmlinux" "/bench/$kind/vmlinux"
		kernels+=("$kind kernel=$(basename "$dir")")
	done
	add "$(built $initramfs -r)" /bench/init.cpio
	add "$(built $initramfs)" /bench/full.cpio
	add "$(built $initramfs -r "$bin/guest:/guest")" /bench/guest.cpio
	mapfile -t cyclictest < <(with_libraries /usr/bin/cyclictest:/bin/cyclictest)
	add "$(built $initramfs -r "$bin/guest:/guest" "${cyclictest[@]}")" \
		/bench/timer.cpio
	mapfile -t load < <({
		with_libraries /usr/bin/hackbench:/bin/hackbench
		with_libraries /usr/bin/sysbench:/bin/sysbench
	} | sort -u)
	add "$(built $initramfs -r "$bin/guest:/guest" "${load[@]}")" \
		/bench/load.cpio
	add "$bin/runner" /bench/runner
	add "$bin/statsfd.so" /bench/statsfd.so
	# What QEMU loads from there is up to its command line.
	for file in /usr/share/qemu/{bios-microvm,pvh,kvmvapic}.bin \
		/usr/share/qemu/qboot.rom; do
		add "$file" "$file"
	done
}

# measure SAMPLES BED-OPTION... -- COMMAND...: adds what COMMAND prints in an L1
# of its own to SAMPLES. A guest that hangs, as all do now and then when
# instructions are counted, is tried again from a slightly different state.
measure() {
	local samples=$1 opts=() try
	shift
	while [ "$1" != -- ]; do
		opts+=("$1")
		shift
	done
	shift
	for ((try = 1; try <= tries; try++)); do
		if "$bed" --hold "${stage[@]}" "${opts[@]}" -- "$@" --try "$try" \
			</dev/null >"$out/samples.new" 2>"$out/err.new"; then
			cat "$out/err.new" >&2
			grep -F ': not measured, ' "$out/err.new" >>"$lacking" || true
			cat "$out/samples.new" >>"$samples"
			return
		fi
		cat "$out/err.new" >&2
		say "try $try of $tries failed: $*"
	done
	cat "$out/samples.new" >>"$samples"
	faults=$((faults + 1))
}

# can NAME MODE [VMM]: whether it is wanted, and means something for NAME
can() {
	[[ ,$modes, == *,$2,* ]] &&
		grep -qE "^$1 [^ ]*\<$2\>.* ${3:-.*}( |$)" <<<"$table"
}

# spread [--hold] COMMAND...: two processors that really are two, as what is
# measured is what one does while the other waits; on this machine's own KVM, if
# it has one.  QEMU's threads then now and then bring L1 down: each row has one of
# its own, what it said before its end counts, and another one says the rest.
# Held output would be lost, as the bed then begins again by itself: that is for
# what counts as a whole only.
spread() {
	local hold=()
	if [ "$1" = --hold ]; then
		hold=(--hold)
		shift
	fi
	if [ "$where" = here ]; then
		BENCH_DIR=$PWD/$out/here "$out/here/runner" "$@" </dev/null
	else
		"$bed" "${hold[@]}" "${stage[@]}" --smp 2 --cpu all --timeout 1200 -- \
			/bench/runner "$@" </dev/null
	fi
}

bench_spread() {
	local name=$1 samples=$2 row try lost=0
	while IFS=$'\t' read -r bench row; do
		[ "$bench" = "$name" ] || continue
		[[ $row =~ ${BENCH_ROWS:-.} ]] || continue
		for ((try = 1; try <= tries; try++)); do
			say "$name: $row ($where)"
			! spread --mode wall --bench "$name" --variant "$row" \
				--case "${cases// /,}" --runs "$runs" \
				--try "$try" >>"$samples" || break
			lost=$((lost + 1))
		done
		[ "$try" -le "$tries" ] || faults=$((faults + 1))
	done < <("$bin/runner" --list-rows)
	printf '%s\t%s\t%s\t%s\twall\t%d\n' "$name" hotline \
		"rows that were begun again" times "$lost" >>"$samples"
}

# A picture, not figures.
convoy() {
	[[ ,$modes, == *,wall,* && convoy =~ ${BENCH_ROWS:-.} ]] || return 0
	say "yield: convoy ($where)"
	if spread --hold --bench yield --convoy --case pv-spin,hotline >"$out/convoy.trace" &&
		"$bin/report" timeline <"$out/convoy.trace" >"$out/convoy.svg"; then
		say "a lock convoy: $out/convoy.svg"
	else
		faults=$((faults + 1))
	fi
}

# One VMM at a time where time does not pass by itself, all together where it
# does.
bench() {
	local name=$1 samples=$out/$1.samples vmm mode
	: >"$samples"
	for vmm in $cases; do
		for mode in icount count; do
			can "$name" $mode "$vmm" || continue
			say "$name: $vmm, $mode"
			measure "$samples" --icount --timeout 1200 -- /bench/runner \
				--mode $mode --bench "$name" --case "$vmm" --runs "$few"
		done
	done
	if [ "$name" = yield ]; then
		! can "$name" wall || bench_spread "$name" "$samples"
		convoy
	elif can "$name" wall; then
		say "$name: wall"
		measure "$samples" --smp 2 --timeout 3600 -- /bench/runner \
			--mode wall --bench "$name" --case "${cases// /,}" --runs "$runs"
	fi
	"$bin/report" collect <"$samples" >"$out/$name.json"
}

environment() {
	local args=() vmm cpu qemu
	for vmm in $cases; do
		args+=("$vmm options=$("$bin/runner" --args --case "$vmm")")
	done
	cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort | uniq -c |
		sed 's/^ *\([0-9]*\) /\1 x /')
	qemu=$("$peer" --version | head -n 1)
	"$bin/report" env "date=$(date -u '+%Y-%m-%d %H:%M UTC')" \
		"host processor=$cpu" "host kernel=$(uname -r)" \
		"host load at the start=$(cut -d' ' -f1-3 /proc/loadavg)" \
		"bed=$qemu, TCG, -cpu EPYC; icount and count: 1 processor; wall: 2" \
		"L1 kernel=$("$bed" -- uname -r </dev/null)" \
		"QEMU in L1=$qemu, -accel kvm" \
		"hotline=$(build/hotline --version)" "${kernels[@]}" \
		"guest=128 MiB, 1 processor; 2 for lock waits, 2 to 6 for yields" "${args[@]}" >"$out/env.json"
}

reports() {
	local name files=()
	for name in $table_names; do
		[ ! -s "$out/$name.json" ] || files+=("$out/$name.json")
	done
	"$bin/report" html "$out/env.json" "${files[@]}" >"$out/report.html"
	"$bin/report" markdown "$out/env.json" "${files[@]}" >"$out/report.md"
	"$bin/report" text "$out/env.json" "${files[@]}"
	say "plots: $out/report.html"
}

main() {
	local names name
	build
	table=$("$bin/runner" --list)
	table_names=$(cut -d' ' -f1 <<<"$table")
	names=${1:-$(grep -vx "$asked_for" <<<"$table_names")}
	names=${names//[$',\n']/ }
	for name in $names; do
		grep -qx "$name" <<<"$table_names" ||
			die "no benchmark $name; there are: ${table_names//$'\n'/, }"
	done
	cases=${BENCH_CASES:-$("$bin/runner" --list-cases)}
	cases=${cases//[$',\n']/ }
	# shellcheck disable=SC2086 # a list
	prepare $names
	: >"$lacking"
	where=${HOTLINE_WHERE:-}
	if [ -z "$where" ]; then
		where=bed
		! build/hotline doctor --brief >/dev/null 2>&1 || where=here
	fi
	[ "$where" = bed ] || here_make
	environment
	for name in $names; do
		bench "$name"
	done
	reports
	sort -u "$lacking" >&2
	[ $faults = 0 ] || say "$faults measurements failed: their figures are missing"
	exit $((faults > 0))
}

main "$@"
