# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154,SC2016
# Rows about the clock page, and about pausing machines.

# The page says how often time went on without the guest.
clock_pause() {
	local job
	tiny clock "pauses=3" --name still >got &
	job=$!
	wait_line got '^  ready'
	expect_code 0 hotline pause still
	hotline list | grep '^still .* paused$' || fail "list: $(hotline list)"
	hotline list --json | grep -q '"state":"paused"'
	hotline stat still | head -n 1
	hotline stat still --json >json
	is_json state clock <json || fail "stat --json: $(cat json)"
	grep -o '"state":"paused"' json
	expect_code 0 hotline pause still
	expect_code 0 hotline resume still
	wait_line got '^  disruption 1'
	expect_code 0 hotline resume still
	hotline list | grep '^still .* running$'
	hotline pause still
	hotline resume still
	wait_line got '^  disruption 2'
	# Stopped altogether, it finds out by itself.
	kill -STOP "$(vmm_of $job)"
	sleep 2
	kill -CONT "$(vmm_of $job)"
	ended $job 0
	cat got
}

# Somebody sets the host's clock, forward and back again.
clock_set() {
	local job
	tiny clock "sets=2 quick=1" >got &
	job=$!
	wait_line got '^  ready'
	date -s "@$(($(date +%s) + 1000))" >/dev/null
	wait_line got '^  set 1'
	date -s "@$(($(date +%s) - 1000))" >/dev/null
	ended $job 0
	cat got
}

# Paused machines end as others do.
pause_ends() {
	local job how
	for how in stop TERM; do
		tiny spin "" -c 2 --name still >got &
		job=$!
		wait_for 60 hotline pause still
		case $how in
		stop) hotline stop still ;;
		TERM) kill -TERM "$(vmm_of $job)" ;;
		esac
		ended $job 85
		echo "ended by $how"
	done
	{
		wait_for 60 hotline pause still
		echo raw
		echo 'send \x01x'
	} | expect_code 85 person --name still
	echo "ended by Ctrl-a x"
}

# Nothing is lost or done twice, wherever the vCPUs happen to be.
pause_busy() {
	local job i
	dd if=/dev/urandom of=d.img bs=1M count=8 2>/dev/null
	sum <d.img >want
	pv -c 2 -d d.img --name busy -- sh -c '
		echo up
		for i in 1 2 3; do
			dd if=/dev/vda bs=16k iflag=direct 2>/dev/null | md5sum
			seq 1 3000 | md5sum
		done' >got &
	job=$!
	wait_line got '^up'
	i=0
	while kill -0 $job 2>/dev/null && [ $i -lt 15 ]; do
		hotline pause busy 2>/dev/null || break
		hotline resume busy 2>/dev/null || break
		i=$((i + 1))
	done
	ended $job 0
	[ $i -ge 3 ] && echo "paused and resumed: often"
	[ "$(grep -c "$(cut -d' ' -f1 want)" got)" = 3 ] || fail "read wrongly: $(cat got)"
	[ "$(grep -c "$(seq 1 3000 | sum | cut -d' ' -f1)" got)" = 3 ] || fail "counted wrongly: $(cat got)"
}

# The silence of a paused guest is not its fault.
pause_watchdog() {
	local job
	tiny clock "pauses=1 quick=1" --name still --watchdog 4 >got &
	job=$!
	wait_line got '^  ready'
	hotline pause still
	sleep 6
	hotline resume still
	ended $job 0
	cat got
}

pause_refused() {
	expect_code 66 hotline pause nobody
	expect_code 66 hotline resume nobody
	expect_code 66 hotline pause ../x
	expect_code 64 hotline pause
	expect_code 64 hotline resume
	expect_code 64 hotline pause a b
	hotline help pause
}
