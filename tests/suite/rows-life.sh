# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2086,SC2154,SC2016
# Rows about a machine's life: output and input, ends, names, terminals.

# It gives KVM less than a second for each thing that it tries, which may not do
# on a machine that has others to run.
doctor() {
	wait_for sh -c "'$dir/hotline' doctor $* >found"
	cat found
}

# Every processor takes part.
cpus() {
	pv -c "$1" -p "$quirks" -- sh -c '
		echo "nproc $(nproc) cpuinfo $(grep -c ^processor /proc/cpuinfo)"
		cpu=0
		while [ $cpu -lt $(nproc) ]; do
			taskset -c $cpu md5sum /bin/busybox >/dev/null && echo "cpu $cpu works"
			cpu=$((cpu + 1))
		done
		dmesg'
}

# What the guest writes is what comes out, byte by byte.
stdout_bytes() {
	pv -- cat /suite/bytes >got
	cmp got "$dir/bytes"
}

stdout_long() {
	pv -- seq 1 20000 >got
	seq 1 20000 | cmp - got
}

stdin_long() {
	seq 1 20000 | pv -- md5sum >got
	[ "$(cut -d' ' -f1 got)" = "$(seq 1 20000 | sum)" ]
}

# The guest's work goes on without a reader.
stdout_closed() {
	{ pv -- seq 1 20000; echo $? >code; } | head -n 1
	cat code
}

# killed SIGNAL: from outside, while the guest runs
killed() {
	local job
	pv -- sh -c 'echo up; sleep 99999' >got &
	job=$!
	wait_line got '^up'
	kill -"$1" "$(vmm_of $job)"
	ended $job 85
}

# Many machines, one after the other, stopped at any moment of their start.
killed_early() {
	local i job
	for i in 1 2 3 4 5 6 7 8 9 10; do
		pv -c 2 -- sleep 99999 >got 2>&1 &
		job=$!
		usleep $((i * 70000))
		kill -TERM "$(vmm_of $job)"
		ended $job 85
	done
}

names() {
	local job
	pv --name one -- sh -c 'echo up; sleep 99999' >got &
	job=$!
	wait_line got '^up'
	hotline list
	hotline list | grep -q '^one ' || fail "list does not have it"
	hotline list --json | is_json || fail "list --json"
	hotline stat one
	hotline stat one --json | is_json || fail "stat --json"
	hotline stat --json | is_json vcpus kvm ranges || fail "stat without a name"
	expect_code 64 pv --name one -- true
	expect_code 66 hotline stop two
	expect_code 66 hotline stat two
	expect_code 64 hotline stop
	hotline stop one
	ended $job 85
	! hotline list | grep '^one ' || fail "list still has it"
	expect_code 66 hotline stat one
	# The name is free again, also after a SIGKILL.
	pv --name one -- sh -c 'echo up; sleep 99999' >got2 &
	job=$!
	wait_line got2 '^up'
	kill -KILL "$(vmm_of $job)"
	ended $job 137
	! hotline list | grep '^one ' || fail "list has a dead one"
	pv --name one -- echo again
}

stop_all() {
	local a b
	pv --name a -- sh -c 'echo up; sleep 99999' >got-a &
	a=$!
	pv --name b -- sh -c 'echo up; sleep 99999' >got-b &
	b=$!
	wait_line got-a '^up'
	wait_line got-b '^up'
	[ "$(hotline list | grep -c '^[ab] ')" = 2 ]
	hotline stop --all
	ended $a 85
	ended $b 85
}

# person OPTIONS... <SCRIPT: our guest's shell at a terminal
# shellcheck disable=SC2120
person() {
	"$dir/pty" "$dir/hotline" run $off -k "$dir/vmlinux" -i "$dir/initrd" \
		-n none "$@"
}

tty_quit() {
	expect_code 85 person <<'END'
expect ~# 
send echo he''llo\r
expect hello
send \x01x
END
}

tty_exit() {
	expect_code 3 person -- sh -c 'tty; read x; exit 3' <<'END'
expect /dev/hvc0
send \r
END
}

tty_size() {
	person <<'END'
expect ~# 
send stty size\r
expect 24 80
size 100 33
send until [ "$(stty size)" = "33 100" ]; do sleep 0.1; done; echo re''sized\r
expect resized
send exit\r
END
}

# Keys that must reach the guest, not end us.
tty_keys() {
	person <<'END'
expect ~# 
send sh -c 'echo sle""eping; sleep 99999'\r
expect sleeping
send \x03
send echo inter''rupted\r
expect interrupted
send sh -c 'echo rea""dy; exec cat -A'\r
expect ready
send \x01\x01\x02\r
expect ^A^B$
send \x04
expect ~# 
send exit\r
END
}

# tty_killed NUMBER: by a signal
tty_killed() {
	expect_code 85 person <<END
expect ~# 
signal $1
END
}

# The kernel's own end puts the terminal back, too.
tty_panic() {
	expect_code 81 "$dir/pty" "$dir/hotline" run $off -k "$dir/vmlinux" -i none \
		-n none </dev/null
}

serial_login() {
	expect_code 85 person --console serial --tables acpi <<'END'
raw
send \x01x
END
}
