#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Checks of the bed itself: does it carry streams, files and exit codes exactly,
# and does it leave nothing behind?  About a minute; one line per check.
#
# selftest.sh [CHECK...]
# shellcheck disable=SC2317 # the checks are called by name
set -uo pipefail
. "$(dirname "$0")/lib.sh"

bed=$nested_dir/bed
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

t_exit_code() {
	local code=0
	"$bed" -- sh -c 'exit 7' </dev/null || code=$?
	[ "$code" = 7 ]
}

# 100 KB of anything, in and out unchanged, and stderr apart from it
t_streams() {
	head -c 100000 /dev/urandom >"$tmp/in"
	"$bed" -- sh -c 'cat; echo not stdout >&2' <"$tmp/in" >"$tmp/out" 2>"$tmp/err" &&
		cmp "$tmp/in" "$tmp/out" && [ "$(cat "$tmp/err")" = "not stdout" ]
}

# A host program with its libraries, an argument with blanks, a variable, the
# same directory, a tree, a disk, the devices; in one boot.
t_job() {
	mkdir -p "$tmp/tree/deep"
	echo leaf >"$tmp/tree/deep/file"
	truncate -s 1M "$tmp/disk"
	cat >"$tmp/job" <<-'END'
		set -e
		[ "$1" = "two words" ] && [ "$VAR" = "a b" ] && [ "$(pwd)" = "$2" ]
		[ -c /dev/kvm ] && [ -c /dev/net/tun ] && [ -d /sys/kernel/debug/kvm ]
		[ "$(cat tree/deep/file)" = leaf ] && [ "$(cat /moved/deep/file)" = leaf ]
		bash -c '[ "$BASH_VERSION" ]'
		[ "$(blockdev --getsize64 /dev/vda)" = 1048576 ]
		echo written | dd of=/dev/vda conv=notrunc 2>/dev/null
		ping -c 1 127.0.0.1 >/dev/null
	END
	(cd "$tmp" && "$bed" --bin bash --add job --add tree --add tree:/moved \
		--disk disk --modules tun --env "VAR=a b" -- \
		sh job "two words" "$tmp") </dev/null &&
		[ "$(head -c 7 "$tmp/disk")" = written ]
}

t_no_kvm() {
	"$bed" --no-kvm -- test ! -e /dev/kvm </dev/null
}

t_timeout() {
	local code=0
	"$bed" --timeout 1 -- sleep 1000 </dev/null 2>"$tmp/err" || code=$?
	[ "$code" = 124 ]
}

# A terminal of our size, from a host terminal made by script(1)
t_tty() {
	# shellcheck disable=SC2016
	SHELL=/bin/bash script -qec "stty rows 31 cols 99; $bed --tty -- \
		sh -c 'tty; stty size; exit 3'" /dev/null </dev/null >"$tmp/out" 2>&1
	[ $? = 3 ] && grep -aq /dev/pts/0 "$tmp/out" && grep -aq '^31 99' "$tmp/out"
}

# The message of a known crash of L1 gives it another boot.
t_retry() {
	local code=0
	"$bed" -- sh -c 'echo "Oops: int3" >/dev/console; echo c >/proc/sysrq-trigger
		sleep 60' </dev/null 2>"$tmp/err" || code=$?
	[ "$code" = 125 ] && [ "$(grep -c 'starting it again' "$tmp/err")" = 3 ]
}

# Two runs of the same work agree within 1 %.
t_icount() {
	local a b
	cat >"$tmp/loop" <<-'END'
		now() { sed -n 's/^now at \([0-9]*\) nsecs/\1/p' /proc/timer_list; }
		loop() { n=0; while [ $n -lt $1 ]; do n=$((n + 1)); done; }
		now >/dev/null
		loop 1000
		a=$(now)
		loop 20000
		echo $(($(now) - a))
	END
	a=$("$bed" --icount --add "$tmp/loop" -- sh "$tmp/loop" </dev/null) || return
	b=$("$bed" --icount --add "$tmp/loop" -- sh "$tmp/loop" </dev/null) || return
	echo "    $a and $b ns"
	((a > 0 && (a - b) * 100 < a && (b - a) * 100 < a))
}

# Ended or killed outright, a bed takes its QEMU with it.
t_no_strays() {
	local sig pid mark
	for sig in TERM KILL; do
		mark=stray-$sig-$$
		"$bed" --append "$mark" -- sleep 1000 </dev/null 2>/dev/null &
		pid=$!
		until pgrep -f "qemu-system.*$mark" >/dev/null; do sleep 0.1; done
		sleep 1
		kill "-$sig" "$pid"
		wait "$pid" 2>/dev/null
		sleep 1
		! pgrep -f "qemu-system.*$mark" >/dev/null || return 1
	done
}

checks=(exit_code streams job no_kvm timeout tty retry icount no_strays)
[ $# = 0 ] || checks=("$@")
failed=0
for check in "${checks[@]}"; do
	start=$SECONDS
	rm -f "$tmp/err"
	if "t_$check"; then
		echo "PASS bed $check ($((SECONDS - start)) s)"
	else
		echo "FAIL bed $check"
		[ ! -s "$tmp/err" ] || sed 's/^/    /' "$tmp/err"
		failed=1
	fi
done
exit $failed
