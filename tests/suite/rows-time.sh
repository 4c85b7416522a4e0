# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154,SC2016
# Rows about what our guest kernel makes of the clock page: its clocksource, its
# time of day, and what programs see.

# timed SCRIPT OPTIONS...: our guest runs the script; which says what the time
# comes from.
timed() {
	local script="$1"
	shift
	line test '
		chosen() { cat /sys/devices/system/clocksource/clocksource0/current_clocksource; }
		'"$script" "$@"
}

exits() { hotline stat "$1" --json | grep -o '"exits":[0-9]*' | cut -d: -f2; }

# A million readings of a program, and how many exits there were meanwhile.
time_exits() {
	local job before
	timed 'echo "ready by $(chosen)"; sleep 3; clock read 1000000; echo done; sleep 100' \
		--name reads >got &
	job=$!
	wait_line got '^ready'
	before=$(exits reads)
	wait_line got '^done'
	echo "$(($(exits reads) - before)) exits" >exits
	hotline stop reads
	ended $job 85
	cat got exits
	# The timer's are there, too, and the console's: none of each reading.
	[ "$(cut -d' ' -f1 exits)" -lt 20000 ] || fail "$(cat exits)"
}

# What this machine's clock does while a guest watches: set COMMAND... runs
# between its first line and its end.
while_watched() {
	local job
	timed 'echo ready; run wall 12 10000; sed "s/^/clock: /" $line/clock' >got &
	job=$!
	wait_line got '^ready'
	"$@"
	ended $job 0
	cat got
	# 100 ms at most until all is right again; 10 us is right.
	grep -qE '^wall .*: longest [0-9]{1,8} ns$' got || fail "out for too long"
}

step_clock() {
	local by
	for by in 3600 -1800 -1801; do
		sleep 2
		date -s "@$(($(date +%s) + by))" >/dev/null
	done
	sleep 1
	date -s "@$(($(date +%s) + 1))" >/dev/null
}

slew_clock() {
	local ppm
	for ppm in 250 -250 -500 0 500 0; do
		busybox adjtimex -q -f $((ppm * 65536)) >/dev/null
		sleep 1.5
	done
}

# The page is no longer valid when this machine no longer has a TSC for a clock.
time_lost() {
	local job source=/sys/devices/system/clocksource/clocksource0/current_clocksource
	timed '
		look() { echo "now $(chosen)"; clock threads 2000; }
		look
		while [ "$(chosen)" = hotline ]; do clock threads 100 >/dev/null; done
		look
		dmesg | grep "hotline: "' -c 2 >got &
	job=$!
	wait_line got '^now hotline'
	sleep 1
	echo acpi_pm >$source
	ended $job 0
	echo tsc >$source
	cat got
}

time_pause() {
	local job i
	timed '
		say() { grep disruptions $line/clock; clock read 1000; }
		echo ready
		last=$(say)
		for i in 1 2; do
			while [ "$(say)" = "$last" ]; do :; done
			last=$(say)
			echo "$last"
		done' --name still >got &
	job=$!
	wait_line got '^ready'
	for i in 1 2; do
		hotline pause still
		sleep 1
		hotline resume still
		wait_line got "^disruptions $i"
	done
	ended $job 0
	cat got
}

# In a guest that set its own clock: until it is the host's again, or not.
time_set() {
	timed '
		date -s "2040-01-01 00:00" >/dev/null
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
			usleep 900000
			[ $(date +%Y) = 2040 ] || break
		done
		echo "time of day: $([ $(date +%Y) = 2040 ] && echo own || echo "the host'"'"'s")"
		chosen' "$@"
}

time_off() {
	timed '
		chosen
		[ -e /dev/vmclock0 ] || echo "no device"
		[ -e $line/clock ] || echo "no file"
		grep -q hotline /sys/devices/system/clocksource/clocksource0/available_clocksource ||
			echo "not offered"
		clock read 10000' "$@"
}
