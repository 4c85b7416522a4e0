# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154,SC2016
# Rows about directed yields as our guest kernel makes them. The guest's CPUs
# share one of the host's, so that the holder of a lock is preempted whenever
# the one that waits for it runs; the test in the guest's debugfs waits for that.

# What scripts in the guest have at hand. kinds WORD ROUNDS: the test of each
# kind of lock, behind a word and a colon.
with_kinds='
kinds() {
	for kind in mutex rwsem read rtmutex spin spin_irq; do
		run yield $kind $2 | sed "s/^/$1: /"
	done
}
count() { sed -n "s/^$1 //p" $line/yield; }
'

# yielding HOST SCRIPT OPTIONS...: our guest, two CPUs on one
yielding() {
	local host="$1" script="$2" cpu
	shift 2
	cpu=$(sed -n 's/^Cpus_allowed_list:[^0-9]*\([0-9]*\).*/\1/p' /proc/self/status)
	taskset -p "$(printf %x $((1 << cpu)))" $$ >/dev/null
	line test "$with_kinds$script" -c 2 --yield "$host" "$@"
}

# Waiters of each kind want to yield, and do so as they were told; or do not.
yield_kinds() {
	yielding auto '
		echo on call >$line/yield
		kinds call 100
		kvm=$(count kvm)
		echo on kvm >$line/yield
		kinds kvm 100
		[ $(count kvm) -ge $((kvm + 6)) ] && echo "KVM was asked"
		echo off >$line/yield
		kinds off 1
		echo sleep call >$line/yield
		run yield mutex 100; run yield spin 1
		echo nonsense 2>/dev/null >$line/yield || echo "nonsense: refused"
		cat $line/yield
		sed -n "s/ yield_to [1-9].*/ was called/p" $line/calls'
}

# Yields to oneself and to nobody.
yield_wrong() {
	yielding auto 'run yield_to self; run yield_to nobody; run yield_to 200'
}

# A processor that went and came holds locks under the same name.
yield_hotplug() {
	yielding auto '
		dmesg -c >/dev/null
		echo on call >$line/yield
		for i in 1 2 3; do online 1 0; online 1 1; done
		kinds again 100
		dmesg | grep -iE "call trace|pvqspinlock:" || true'
}

# Without the host's part, told not to, and where nobody could be waiting.
yield_absent() {
	local script='[ -e $line/yield ] || echo "$what: no yields"'
	yielding off "what=host; $script"
	yielding auto "what=parameter; $script" -p hotline.yield=off
	line test "what=alone; $script"
}
