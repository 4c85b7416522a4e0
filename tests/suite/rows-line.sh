# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154,SC2016
# Rows about the line to our own guest kernel: the file "test" that it has in
# debugfs makes calls of all kinds and checks what became of them.

# What scripts in the guest have at hand.  run TEST ARGUMENT...: what the test
# says, behind its own words.  online CPU 0|1
in_guest='
mount -t debugfs none /sys/kernel/debug
line=/sys/kernel/debug/hotline
run() {
	echo "$*" 2>/dev/null >$line/test || { echo "$*: refused"; return 0; }
	sed "s/^/$*: /" $line/test
}
online() { echo "$2" >/sys/devices/system/cpu/cpu$1/online; }
'

# line HYPERCALLS SCRIPT OPTIONS...: our guest runs the script
line() {
	local calls="$1" script="$2"
	shift 2
	pv --hypercalls "$calls" "$@" -- sh -c "$in_guest$script"
}

# All synchronous calls, by either transport; then what was counted.
line_calls() {
	line test '
		for by in vmcall pio; do
			run null $by 100
			for k in 1 7 64; do run multi $by $k 100; done
			for k in 1 255 256 512; do
				run list sum $by $k 20
				run list invert $by $k 20
			done
			run nest $by 50
		done
		cat $line/calls'
}

# A guest without a line is like one elsewhere.
line_absent() {
	line off '
		[ -e $line ] || echo "no line"
		grep -q hotline /proc/ioports || echo "no ports"
		dmesg | grep "hotline: " || echo "no word"'
}

# Whoever leaves out all mechanisms: a guest of ours is like one elsewhere.
nothing_left() {
	pv "$@" -c 2 -- sh -c "$in_guest"'
		cd /sys/devices/system
		cat clocksource/*/available_clocksource clockevents/clockevent*/current_device
		grep -i hotline /proc/interrupts /proc/ioports /proc/iomem /proc/timer_list
		ls /dev /sys/kernel/debug | grep -e vmclock -e hotline
		dmesg | grep "hotline: "
		echo looked'
}

# line_hotplug CALLS: processors go and come, and post, while so many calls of
# each are in flight.
line_hotplug() {
	line test '
		n=0
		while [ $n -lt 2 ]; do
			run async 4 '"$1"' 64 >posted &
			job=$!
			n=0
			while kill -0 $job 2>/dev/null; do
				online 3 0 && online 3 1 && online 2 0 && online 2 1
				n=$((n + 1))
			done
			cat posted
		done
		echo "gone and come: often"
		for cpu in 0 1 2 3; do
			taskset -c $cpu sh -c "echo null auto 10 >$line/test" &&
				echo "cpu $cpu calls"
		done
		run async 4 1000 64' -c 4
}

# The guest's counts and the host's are of the same calls.
line_counts() {
	local job
	line test '
		run multi vmcall 64 50
		run list sum vmcall 512 10
		run async 2 1000 64
		sed "s/^/guest: /" $line/calls
		echo counted
		sleep 99999' -c 2 --name counts >got &
	job=$!
	wait_line got '^counted'
	cat got
	hotline stat counts
	hotline stat counts --json >json
	is_json hypercalls <json || fail "stat --json: $(cat json)"
	grep -o '"name":"test_[a-z]*","calls":[1-9][^[]*' json
	hotline stop counts
	ended $job 85
}

# What the host counts of 64 MSRs at a time.  msr_exits LIST PARAMETER: by a
# list or a loop, with that on the guest's command line
msr_exits() {
	local job
	line test "
		for kind in user kernel mixed; do
			for way in write read; do
				run msr \$way \$kind $1 64 20
			done
		done
		sed 's/^/guest: /' \$line/calls
		echo counted
		sleep 99999" -p "$2" --name msrs >got &
	job=$!
	wait_line got '^counted'
	cat got
	hotline stat msrs
	hotline stop msrs
	ended $job 85
}

# Programs, by the interface that msr-safe has.
msr_batches() {
	line test '
		run null auto 1 >/dev/null
		grep 0x005 $line/calls || echo "no lists yet"
		msr one 64
		sed "s/^/guest: /" $line/calls
		msr test' "$@"
}
