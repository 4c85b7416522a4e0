# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154,SC2016
# Rows about the clock event device of our guest kernel: what the test in its
# debugfs (rows-line.sh) says, exits being counted by KVM.

# timer HOW SCRIPT OPTIONS...: our guest with hotline.timer=HOW
timer() {
	local how="$1" script="$2"
	shift 2
	line test "$script" -p "hotline.timer=$how $quirks" "$@"
}

# said FILE TEST NAME: a number that a test said
said() { sed -n "s/^$2: $3 \([0-9]*\) .*/\1/p" "$1"; }

# at_most WHAT N LIMIT
at_most() {
	echo "$1: $2"
	[ "${2:-1}" -le "${3:-0}" ] || fail "$1: $2, not at most $3"
}

# Sixteen operations to a batch.
timer_arm() {
	local script='run arm later 30; run arm cancel 30; run arm earlier 30'
	timer on "$script" >on
	timer off "$script" >off
	at_most "later" "$(said on 'arm later 30' exits)" 0
	at_most "cancel" "$(said on 'arm cancel 30' exits)" 0
	at_most "earlier" "$(said on 'arm earlier 30' exits)" 16
	at_most "later, as off" 16 "$(said off 'arm later 30' exits)"
	at_most "cancel, as off" 32 "$(said off 'arm cancel 30' exits)"
}

# Timers that expire while there is nothing else to do. How many exits are the
# host's own depends on its load, so only the dearest is compared with none; of
# the others' 100 deadlines, half at least wait for the halt.
timer_idle() {
	local wheel='sleep wheel 50 30000000'
	timer halt "run $wheel
		cat \$line/timer | sed 's/^/before: /'
		run sleep hrtimer 50 30000000
		run sleep task 50 30000000
		cat \$line/timer" >on
	timer off "run $wheel" >off
	at_most "ten for" "$(($(said on "$wheel" exits) * 10))" \
		"$(($(said off "$wheel" exits) * 9))"
	count() { sed -n "s/^$1 \([0-9]*\)$/\1/p" on; }
	at_most "fifty for" 50 "$(($(count deferred) - $(count 'before: deferred') -
		$(count settled) + $(count 'before: settled')))"
	grep -E '^(halts_by_call|deferred)' on
}

# The halt by the other transport, and without waiting for it.
timer_ways() {
	local script='timer sleeps 20 3000000; run late idle 20 3000000
		cat $line/timer'
	timer halt "$script" >port
	line test "$script" -p "hotline.timer=halt hotline.transport=vmcall $quirks" \
		>vmcall
	line test "$script" -p "hotline.timer=halt hotline.timer_wait=off $quirks" \
		>at_once
	sed 's/^/port: /' port
	sed 's/^/vmcall: /' vmcall
	sed 's/^/at once: /' at_once
}

# A call arms the timer for what was put off, so no interrupt comes early. The
# guest that is too slow for the time in between does not ride.
timer_ride() {
	timer on 'for i in 1 2 3 4 5 6 7 8 9 10; do
			run ride 50 >got; grep "rode [1-9]" got && break
		done; cat got'
	line test 'run ride 50 | sed "s/^/off: /"; cat $line/timer' \
		-p "hotline.timer_by_the_way=off $quirks"
}

# Eight of a thousand sockets have their timers put off all the time. A guest
# that is too slow for its timers asks for none for a while (hrtimers that hang),
# or reaches each deadline before it has put it off often: then again.
timer_storm() {
	timer on '
		count() { sed -n "s/^$1 //p" $line/timer; }
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			armed=$(count armed) put_off=$(count put_off)
			timer storm 1000 8 2000000 100
			armed=$(($(count armed) - armed))
			put_off=$(($(count put_off) - put_off))
			[ $((armed + put_off)) -lt 400 ] ||
				[ $((armed * 5)) -gt $((armed + put_off)) ] || break
		done
		echo "asked for $((armed + put_off)), armed $armed"' >got
	cat got
	sed -n 's/^asked for \(.*\), armed \(.*\)/\1 \2/p' got | {
		read -r asked armed
		[ "${asked:-0}" -ge 400 ] || fail "too few deadlines: ${asked:-0}"
		at_most "five times armed" $((armed * 5)) "$asked"
	}
}

# Which device there is, and what takes over.
timer_device() {
	local at=/sys/devices/system/clockevents
	timer on "cat $at/clockevent*/current_device
		for i in 1 2 3 4 5 6 7 8; do online 1 0; online 1 1; done
		echo hotplug; cat $at/clockevent*/current_device
		taskset -c 1 timer sleeps 20 1000000
		echo hotline >$at/clockevent1/unbind_device
		echo unbind; cat $at/clockevent*/current_device
		taskset -c 1 timer sleeps 20 1000000
		dmesg | grep -iE 'call trace|spurious' || true" -c 2
	timer off "cat $at/clockevent0/current_device | sed s/^/off:/"
	timer on "cat $at/clockevent0/current_device | sed s/^/refused:/" --timer off
}

# Never early, whoever waits how.
timer_late() {
	local how
	for how in halt nohalt off; do
		timer $how 'run late idle 100 1000000; run late busy 100 1000000
			run late lazy 100 1000000'
	done
}
