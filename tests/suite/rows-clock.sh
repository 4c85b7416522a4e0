# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154,SC2016
# Rows about the clock page, and about pausing machines.

# count FILE TEXT: lines with it
count() { grep -ac -e "$2" "$1" || :; }

# more FILE TEXT N: there are more than N such lines
more() { [ "$(count "$1" "$2")" -gt "$3" ]; }

# The page says how often time went on without the guest: also when this machine
# has not let the VMM run for a second, so there may be more than we cause.
clock_pause() {
	local job n
	tiny clock "pauses=1000000" --name still >got &
	job=$!
	wait_line got '^  ready'
	n=$(count got '^  disruption')
	expect_code 0 hotline pause still
	hotline list | grep '^still .* paused$' || fail "list: $(hotline list)"
	hotline list --json | grep -q '"state":"paused"'
	hotline stat still | head -n 1
	hotline stat still --json >json
	is_json state clock <json || fail "stat --json: $(cat json)"
	grep -o '"state":"paused"' json
	expect_code 0 hotline pause still
	expect_code 0 hotline resume still
	wait_for more got '^  disruption' "$n"
	expect_code 0 hotline resume still
	hotline list | grep '^still .* running$'
	n=$(count got '^  disruption')
	hotline pause still
	hotline resume still
	wait_for more got '^  disruption' "$n"
	# Stopped altogether, it finds out by itself.
	n=$(count got '^  disruption')
	kill -STOP "$(vmm_of $job)"
	sleep 2
	kill -CONT "$(vmm_of $job)"
	wait_for more got '^  disruption' "$n"
	hotline stop still
	ended $job 85
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
		wait_for hotline pause still
		case $how in
		stop) hotline stop still ;;
		TERM) kill -TERM "$(vmm_of $job)" ;;
		esac
		ended $job 85
		echo "ended by $how"
	done
	{
		wait_for hotline pause still
		echo raw
		echo 'send \x01x'
	} | expect_code 85 person --name still
	echo "ended by Ctrl-a x"
}

# Nothing is lost or done twice, wherever the vCPUs happen to be.
pause_busy() {
	local job i=0 disk seq
	dd if=/dev/urandom of=d.img bs=1M count=8 2>/dev/null
	disk=$(sum <d.img) seq=$(seq 1 3000 | sum)
	pv -c 2 -d d.img --name busy -- sh -c '
		echo up
		while :; do
			echo "disk $(dd if=/dev/vda bs=16k iflag=direct 2>/dev/null | md5sum)"
			echo "seq $(seq 1 3000 | md5sum)"
		done' >got &
	job=$!
	wait_line got '^up'
	# A guest may stand still after some of them, and need not after others.
	while [ $i -lt 200 ]; do
		hotline pause busy
		hotline resume busy
		i=$((i + 1))
	done >/dev/null
	wait_for more got "^seq $seq" 2
	hotline stop busy
	ended $job 85
	# The last line may be cut.
	sed '$d' got | tr -d '\r' >lines
	! grep -v -e '^up$' -e "^disk $disk  -\$" -e "^seq $seq  -\$" lines ||
		fail "read or counted wrongly"
	echo "paused and resumed: often"
}

# The silence of a paused guest is not its fault.
pause_watchdog() {
	local job n
	tiny clock "pauses=1000000 quick=1" --name still --watchdog 15 >got &
	job=$!
	wait_line got '^  ready'
	n=$(count got '^  disruption')
	hotline pause still
	sleep 17
	hotline resume still
	wait_for more got '^  disruption' "$n"
	hotline stop still
	ended $job 85
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
