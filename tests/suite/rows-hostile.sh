# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154,SC2016
# Rows about guests that mean harm: tests/guest.

# A machine with each kind of device; what it may cost is small and fixed.
hostile() {
	local test="$1" params="$2"
	shift 2
	truncate -s 16M d.img ro.img
	hotline run -k "$dir/guest.elf" -m 128,backing=memfd --console both \
		-d d.img,queues=2 -d ro.img,ro -p "t=$test $params" "$@"
}

value() { sed -n "s/^$2:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$1/status"; }
files() { find "/proc/$1/fd" 2>/dev/null | wc -l; }

# hostile_watched TEST PARAMETERS: meanwhile the VMM answers, and does not grow
# between the first and the last "seed" line.  Guest memory is a memfd, so it
# does not count as anonymous.
hostile_watched() {
	local job vmm before after fds
	# A fuzzed console prints megabytes of garbage.
	mkfifo pipe
	awk '/^(  seed|done|ok|FAIL)/ { print; fflush() }' <pipe >got &
	hostile "$@" --name foe >pipe 2>warnings &
	job=$!
	vmm=$(vmm_of $job)
	wait_line got '^  seed 1 done'
	hotline stat foe --json | is_json || fail "stat during the attack"
	before=$(value "$vmm" RssAnon) fds=$(files "$vmm")
	wait_line got '^  seed 5 done'
	hotline stat foe --json | is_json || fail "stat during the attack"
	after=$(value "$vmm" RssAnon)
	echo "anonymous memory: $before kB, then $after kB"
	[ -n "$before" ] && [ "$after" -le $((before + 512)) ]
	[ "$(files "$vmm")" -le "$fds" ] || fail "$fds open files, then $(files "$vmm")"
	ended $job 0
	wait_line got '^done'
	cat got
	[ "$(wc -l <warnings)" -le 60 ] || fail "$(wc -l <warnings) lines of warnings"
}

# A guest that prints for ever, at a reader that is slow or gone.
flood() {
	local job vmm before
	mkfifo pipe
	tiny flood "" --name foe >pipe &
	job=$!
	exec 3<pipe
	head -c 20000 <&3 >/dev/null
	vmm=$(vmm_of $job)
	before=$(value "$vmm" RssAnon)
	sleep 1
	hotline stat foe >/dev/null || fail "stat during the flood"
	[ "$(value "$vmm" RssAnon)" -le $((before + 512)) ]
	kill -TERM "$vmm"
	ended $job 85
}

# What `hotline stat` says of calls and exits while they happen.
line_watched() {
	local job
	tiny line "n=1000000 cpus=2" -c 2 --hypercalls test --name foe >got &
	job=$!
	wait_for sh -c "$dir/hotline stat foe | grep -q 'test_sum'"
	hotline stat foe --latency --json >stat || fail "stat --latency"
	is_json <stat || fail "not JSON: $(cat stat)"
	grep -o '"name":"null"[^}]*"ns_log2":\[[0-9,]*[1-9]' stat
	# No times when nobody asks.
	wait_for sh -c "! $dir/hotline stat foe --json | grep -q ns_log2"
	hotline stat foe --exits
	hotline stat foe --exits --json | is_json || fail "--exits: not JSON"
	hotline stop foe
	ended $job 85
}
