# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154
# Rows about directed yields: a guest that floods them (tests/guest/yield.c),
# what is counted, and that no thread is left changed.

# Without the right to real-time priorities.
unprivileged() { setpriv --bounding-set -sys_nice "$dir/hotline" "$@"; }

misuse() {
	local n="$1"
	shift
	tiny yield "cpus=3 n=$n" -c 3 --name foe "$@"
}

# How the host schedules a process' threads: processors, nice, real-time
# priority, policy.  One line if all are alike.
sched_of() {
	local task
	for task in "/proc/$1"/task/*; do
		echo "$(sed -n 's/^Cpus_allowed_list:[^0-9]*//p' "$task/status")" \
			"$(cut -d ' ' -f 19,40,41 "$task/stat")"
	done 2>/dev/null | sort -u
}

# All threads are as this shell is.
calm() { [ "$(sched_of "$1")" = "$(sched_of $$)" ]; }

counted() { hotline stat foe --json | sed -n "s/.*\"yield\":{[^}]*\"$1\":\([0-9]*\).*/\1/p"; }

# By pulls, as the host does not let it have leases.
yield_humble() {
	hotline() { unprivileged "$@"; }
	yield_flood auto
}

# yield_flood HOW: then no thread of the VMM's is other than it was.
yield_flood() {
	local job vmm
	misuse 500 --yield "$1" -p stay=1 >got &
	job=$!
	wait_line got '^  own:'
	cat got
	vmm=$(vmm_of $job)
	wait_for calm "$vmm"
	sched_of "$vmm"
	echo "done $(value_of done), pulls $(counted pulls), leases $(counted leases)"
	hotline stat foe | grep '^yields:'
	hotline stop foe
	ended $job 85
	[ "$(value_of done)" -gt 0 ] || fail "not one yield was made"
}

value_of() { sed -n "s/^  $1: //p" got; }

# One yield a second is earned, and no lost count: each call is one of these.
yield_limit() {
	local job sum=0 what
	misuse 400 --yield "pull,rate=1" -p stay=1 >got &
	job=$!
	wait_line got '^  own:'
	for what in pulls needless limited; do
		echo "$what $(counted $what)"
		sum=$((sum + $(counted $what)))
	done
	[ "$(counted limited)" = "$(value_of limited)" ] ||
		fail "the guest was refused $(value_of limited)"
	[ $sum = $(($(value_of done) + $(value_of needless) + $(value_of limited))) ] ||
		fail "$sum yields counted"
	hotline stop foe
	ended $job 85
}

# In the middle of it the machine is paused, then killed.
yield_ends() {
	local hog job vmm before i
	sh -c 'while :; do :; done' &
	hog=$!
	before=$(sched_of $hog)
	for i in 1 2 3; do
		misuse 100000000 --yield "$1,rate=1000000" >got 2>&1 &
		job=$!
		vmm=$(vmm_of $job)
		wait_for sh -c "$dir/hotline stat foe --json | grep -q '\"$2\":[1-9]'"
		if [ "$i" = 1 ]; then
			hotline pause foe
			wait_for calm "$vmm"
			echo "paused: $(sched_of "$vmm")"
			hotline resume foe
		fi
		kill -KILL "$vmm"
		ended $job 137
	done
	echo "hog: $(sched_of $hog)"
	[ "$(sched_of $hog)" = "$before" ] || fail "the hog was $before"
	kill $hog
}

# What the user says of a thread holds: it may not be where the other is.
yield_pinned() {
	local job vmm i
	misuse 100000000 --yield pull,rate=1000000 >got 2>&1 &
	job=$!
	vmm=$(vmm_of $job)
	wait_for sh -c "$dir/hotline stat foe --json | grep -q '\"pulls\":[1-9]'"
	# A pull that is just being made puts back what it found.
	wait_for pin "$vmm"
	i=$(counted refused)
	wait_for sh -c "[ \$($dir/hotline stat foe --json | sed 's/.*\"refused\":\([0-9]*\).*/\1/') -gt $((i + 100)) ]"
	pinned "$vmm" || fail "$(sched_of "$vmm")"
	echo "pinned, refused"
	hotline stop foe
	ended $job 85
}

thread() { grep -lx "$2" "/proc/$1"/task/*/comm | sed 's,.*/task/\([0-9]*\)/.*,\1,'; }
cpus_of() { sed -n 's/^Cpus_allowed_list:[^0-9]*//p' "/proc/$1/status"; }
pinned() {
	[ "$(cpus_of "$(thread "$1" vcpu0)")" = 0 ] &&
		[ "$(cpus_of "$(thread "$1" vcpu1)")" = 1 ]
}
pin() {
	taskset -p 1 "$(thread "$1" vcpu0)"
	taskset -p 2 "$(thread "$1" vcpu1)"
	pinned "$1"
}
