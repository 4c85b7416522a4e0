#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Measures hotline beside its peers in the nested bed, and reports. Results:
# build/bench/NAME.json, env.json, report.html and report.md; a table on
# standard output.
#
# usage: run.sh [NAME,...]
#   NAME   a benchmark, see table.c; all by default
#
# BENCH_MODES     which of icount, count and wall (default: all three)
# BENCH_CASES     which VMMs (default: all)
# BENCH_RUNS      runs in wall time (default 10); counted modes do half
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
cd "$top"

out=build/bench
bin=$out/bin
bed=tests/nested/bed
modes=${BENCH_MODES:-icount,count,wall}
runs=${BENCH_RUNS:-10}
few=$(((runs + 1) / 2))
tries=4
peer=/usr/bin/qemu-system-x86_64
faults=0

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
	gcc "${cflags[@]}" -static -o "$bin/runner" "$b"/{runner,table,vmms}.c \
		"$b"/{session,bench_boot,bench_ops,vmproc,kvmstats,vmmem,netpeer}.c
	gcc "${cflags[@]}" -fPIC -shared -o "$bin/statsfd.so" "$b/statsfd.c"
	gcc "${cflags[@]}" -o "$bin/report" "$b"/report*.c -ljansson -lm
	musl-gcc "${cflags[@]}" -static -s -idirafter /usr/include \
		-idirafter "/usr/include/$(gcc -dumpmachine)" \
		-o "$bin/guest" "$b"/guest*.c
}

# add FILE PATH: puts FILE into L1 at PATH, if there is one
add() { [ ! -e "$1" ] || stage+=(--add "$1:$2"); }

# What every L1 gets, in $stage.
prepare() {
	local kind dir file
	stage=(--hold --modules "tun,vhost_net" --bin "$peer" --bin build/hotline)
	add build/hotline /bench/hotline
	if [ -e build/hotline-net-user ]; then
		stage+=(--bin build/hotline-net-user)
		add build/hotline-net-user /bench/hotline-net-user
	fi
	for kind in common pv; do
		dir=$(guest-linux-patches/build.sh "$kind")
		add "$dir/vmlinux" "/bench/$kind/vmlinux"
		kernels+=("$kind kernel=$(basename "$dir")")
	done
	add "$(guest-linux-patches/initramfs.sh -r)" /bench/init.cpio
	add "$(guest-linux-patches/initramfs.sh -r "$bin/guest:/guest")" /bench/guest.cpio
	add "$bin/runner" /bench/runner
	add "$bin/statsfd.so" /bench/statsfd.so
	# QEMU's loaders; which one is used is up to the command line.
	for file in /usr/share/seabios/bios-{256k,microvm}.bin \
		/usr/share/qemu/{bios-microvm,linuxboot_dma,pvh,kvmvapic}.bin \
		/usr/share/qemu/qboot.rom; do
		add "$file" "$file"
	done
}

wants() { [[ ,$modes, == *,$1,* ]]; }

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
		if "$bed" "${stage[@]}" "${opts[@]}" -- "$@" --try "$try" \
			</dev/null >"$out/samples.new" 2>"$out/err.new"; then
			cat "$out/samples.new" >>"$samples"
			return
		fi
		cat "$out/err.new" >&2
		say "try $try of $tries failed: $*"
	done
	cat "$out/samples.new" >>"$samples"
	faults=$((faults + 1))
}

# One VMM at a time where time does not pass by itself, all together where it
# does.
bench() {
	local name=$1 samples=$out/$1.samples vmm
	: >"$samples"
	for vmm in $cases; do
		if wants icount; then
			say "$name: $vmm, instructions"
			measure "$samples" --icount --timeout 900 -- /bench/runner \
				--mode icount --bench "$name" --case "$vmm" --runs "$few"
		fi
		if wants count; then
			say "$name: $vmm, counts"
			measure "$samples" --icount --timeout 900 -- /bench/runner \
				--mode count --bench "$name" --case "$vmm" --runs "$few"
		fi
	done
	if wants wall; then
		say "$name: all, wall time"
		measure "$samples" --smp 2 --timeout 3000 -- /bench/runner \
			--mode wall --bench "$name" --case "${cases// /,}" --runs "$runs"
	fi
	"$bin/report" collect <"$samples" >"$out/$name.json"
}

cpu_name() { sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort | uniq -c | sed 's/^ *\([0-9]*\) /\1 x /'; }

environment() {
	local args=() case
	for case in $cases; do
		args+=("$case options=$("$bin/runner" --args --case "$case")")
	done
	"$bin/report" env "date=$(date -u '+%Y-%m-%d %H:%M UTC')" \
		"host processor=$(cpu_name)" "host kernel=$(uname -r)" \
		"host load at the start=$(cut -d' ' -f1-3 /proc/loadavg)" \
		"bed=$("$peer" --version | head -n 1), TCG, -cpu EPYC; icount and count: 1 processor; wall: 2" \
		"L1 kernel=$("$bed" -- uname -r </dev/null)" \
		"QEMU in L1=$("$peer" --version | head -n 1), -accel kvm" \
		"hotline=$(build/hotline --version)" "${kernels[@]}" \
		"guest=128 MiB, 1 processor" "${args[@]}" >"$out/env.json"
}

build
all=$("$bin/runner" --list)
names=${1:-}
names=${names//,/ }
for name in $names; do
	grep -qx "$name" <<<"$all" ||
		die "no benchmark $name; there are: ${all//$'\n'/, }"
done
names=${names:-$all}
cases=${BENCH_CASES:-$("$bin/runner" --list-cases)}
cases=${cases//[$',\n']/ }
kernels=() stage=()
prepare
environment
for name in $names; do
	bench "$name"
done
reports=()
for name in $all; do
	[ ! -s "$out/$name.json" ] || reports+=("$out/$name.json")
done
"$bin/report" html "$out/env.json" "${reports[@]}" >"$out/report.html"
"$bin/report" markdown "$out/env.json" "${reports[@]}" >"$out/report.md"
"$bin/report" text "$out/env.json" "${reports[@]}"
say "plots: $out/report.html"
[ "$faults" = 0 ] || say "$faults measurements failed: their figures are missing"
[ "$faults" = 0 ]
