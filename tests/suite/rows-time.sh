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
	timed 'echo "ready by $(chosen)"; sleep 3; clock read 1000000; echo done; sleep 99999' \
		--name reads >got &
	job=$!
	wait_line got '^ready'
	before=$(exits reads)
	wait_line got '^done'
	echo "$(($(exits reads) - before)) exits" >exits
	hotline stop reads
	ended $job 85
	cat got exits
	# The timer's are there, too, and the console's, and the more the longer it
	# took; but not one of each reading, or of each tenth.
	[ "$(cut -d' ' -f1 exits)" -lt 100000 ] || fail "$(cat exits)"
}

# What this machine's clock does while a guest watches: set COMMAND... runs
# between its first sample and its last.
while_watched() {
	local job
	mkfifo in
	timed '
		echo wall 3600 10000 >$line/test &
		until [ "$(readlink /proc/$!/fd/1)" = $line/test ]; do usleep 10000; done
		echo ready
		read -r _
		kill $!
		wait $!
		sed "s/^/wall: /" $line/test
		sed "s/^/clock: /" $line/clock' --name watched <in >got &
	job=$!
	exec 3>in
	wait_line got '^ready'
	"$@"
	echo >&3
	ended $job 0
	cat got
}

wall_sets() { hotline stat watched --json | grep -o '"wall_sets":[0-9]*' | cut -d: -f2; }

# step SECONDS: the clock is set so much further; until the page was, too
step() {
	local before
	before=$(wall_sets)
	date -s "@$(($(date +%s) + $1))" >/dev/null
	while [ "$(wall_sets)" = "$before" ]; do sleep 0.1; done
}

slew() { busybox adjtimex -q -f $(($1 * 65536)) >/dev/null; }

step_clock() {
	local by
	for by in 3600 -1800 -1801 1; do
		step $by
		sleep 1
	done
}

slew_clock() {
	local ppm
	for ppm in 250 -250 -500 0 500 0; do
		slew $ppm
		sleep 1.5
	done
}

# SECONDS of both; no change of more than 500 ppm, which is what 10 us allow in
# 20 ms.
wall_long() {
	local until ppm
	until=$(($(cut -d. -f1 /proc/uptime) + $1))
	while :; do
		for ppm in 250 -250 -500 0 500 0; do
			slew $ppm
			sleep 3
			[ "$(cut -d. -f1 /proc/uptime)" -lt "$until" ] || return 0
		done
		step -7200
		sleep 3
		step 7201
	done
}

# The page is no longer valid when this machine no longer has a TSC for a clock,
# and is again when it has.
time_lost() {
	local job source=/sys/devices/system/clocksource/clocksource0/current_clocksource
	trap "echo tsc >$source" EXIT
	timed '
		look() { echo "now $(chosen)"; clock threads 2000; }
		look
		while [ "$(chosen)" = hotline ]; do clock threads 100 >/dev/null; done
		look
		grep "^valid" $line/clock
		while [ "$(chosen)" != hotline ]; do clock threads 100; done
		look
		grep "^valid" $line/clock
		echo back
		dmesg | grep "hotline: "' -c 2 >got &
	job=$!
	wait_line got '^now hotline'
	echo acpi_pm >$source
	wait_line got '^valid 0'
	echo tsc >$source
	ended $job 0
	cat got
}

# There may be more disruptions than we cause: see clock_pause.
time_pause() {
	local job i n
	timed '
		last=
		while :; do
			now=$(grep disruptions $line/clock)
			[ "$now" != "$last" ] || continue
			last=$now
			echo "$now"
			clock read 1000
		done' --name still >got &
	job=$!
	wait_line got ' 0 backward'
	for i in 1 2; do
		n=$(count got ' 0 backward')
		hotline pause still
		sleep 1
		hotline resume still
		wait_for more got ' 0 backward' "$n"
	done
	hotline stop still
	ended $job 85
	cat got
}

# In a guest that set its own clock: until it is the host's again, which it is
# within ten seconds.
time_set() {
	timed '
		date -s "2040-01-01 00:00" >/dev/null
		while [ $(date +%Y) = 2040 ]; do usleep 100000; done
		echo "the host'"'"'s"
		chosen'
}

# Or for longer than that takes.
time_own() {
	timed '
		date -s "2040-01-01 00:00" >/dev/null
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
			usleep 900000
			[ $(date +%Y) = 2040 ] || break
		done
		[ $(date +%Y) = 2040 ] && echo own
		chosen' -p hotline.clock=nowall
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
