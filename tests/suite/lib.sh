# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2034,SC2154,SC2016
# What rows are written with (tests/suite/run, tests/suite/rows).  $dir has:
#   hotline, hotline-net-user   under test
#   vmlinux, initrd, initrd-fs  our guest; initrd-fs has mke2fs and e2fsck too
#   guest.elf                   the tiny hostile guest
#   disk, net, clock, msr, json, pty programs for both sides, and for this one only
#   debian/                     vmlinuz, initrd.img, release; the disk is
#                               $SUITE_DEBIAN, a file or block device

# KVM in the bed has an XSAVE state of a size that no real processor has.
quirks=${SUITE_IN_BED:+noxsave}

# What rows are about that can be left out of a machine; with SUITE_OFF all of
# it is, by the VMM or by the guest alone, and those rows are skipped
# (needs = clock).  Here, and nowhere else, is what a new one adds.
mechanisms='line clock timer yield'
off_host='--hypercalls off --clock off --timer off --yield off'
off_guest='-p hotline.off'
case ${SUITE_OFF:-} in
host) off=$off_host ;;
guest) off=$off_guest ;;
*) off='' ;;
esac

hotline() {
	local command="$1"
	shift
	[ "$command" != run ] || command="run $off"
	# shellcheck disable=SC2086
	"$dir/hotline" $command "$@"
}

# Our guest without a network.
pv() { hotline run -k "$dir/vmlinux" -i "$dir/initrd" -n none "$@"; }
pv_fs() { hotline run -k "$dir/vmlinux" -i "$dir/initrd-fs" -n none "$@"; }
# Ours with one, as the options say; user mode by default.
pv_net() { hotline run -k "$dir/vmlinux" -i "$dir/initrd" "$@"; }

# What its script begins with that needs the address: the guest boots without
# one if nobody answers in five seconds.
addressed='until ip -4 -o addr show eth0 | grep -q inet; do
	udhcpc -i eth0 -n -q -t 9 -s /etc/udhcpc.script >/dev/null 2>&1
done
'

# tiny TEST PARAMETERS OPTIONS...: the hostile guest
tiny() {
	local test="$1" params="$2"
	shift 2
	hotline run -k "$dir/guest.elf" -m 128 --console serial -n none \
		-p "t=$test $params" "$@"
}

fail() {
	echo "$*" >&2
	exit 1
}

# expect_code N COMMAND...: the command must end with that code
expect_code() {
	local want="$1" got=0
	shift
	"$@" || got=$?
	[ $got = "$want" ] || fail "exit code $got instead of $want: $*"
}

# wait_for COMMAND...: until the command succeeds.  The row's time is the only
# limit: how long a machine takes that has others to run is not for us to say.
wait_for() {
	echo "$*" >waiting
	until "$@" >/dev/null 2>&1; do sleep 0.1; done
	rm -f waiting
}

# device FILE MODULE: loads what makes the device. Busybox takes a module that
# another row is just loading for loaded.
device() {
	[ -e "$1" ] || modprobe "$2"
	wait_for [ -e "$1" ]
}

# wait_line FILE TEXT: until the file has it
wait_line() { wait_for grep -aq -e "$2" "$1"; }

# ended PID CODE: waits for it, and for that code
ended() {
	local code=0
	wait "$1" || code=$?
	[ $code = "$2" ] || fail "exit code $code instead of $2"
}

is_hotline() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" = hotline ]; }

# The VMM's process behind a background job, which may be a subshell of ours.
# Our sh forks a function; the VMM is then its child.
vmm_of() {
	local pid="$1" child
	while [ -d "/proc/$pid" ]; do
		is_hotline "$pid" && { echo "$pid"; return; }
		for child in $(children_of "$pid"); do
			is_hotline "$child" && { echo "$child"; return; }
		done
		sleep 0.1
	done
	fail "no VMM behind process $pid"
}

children_of() {
	local stat
	for stat in /proc/[0-9]*/stat; do
		# pid (comm) state ppid; our names have no blanks
		{ read -r child _ _ parent _ <"$stat"; } 2>/dev/null || continue
		[ "$parent" != "$1" ] || echo "$child"
	done
}

# Busybox's shell would take its own for these.
mke2fs() { /sbin/mke2fs "$@"; }
setpriv() { /usr/bin/setpriv "$@"; }

sum() { md5sum "$@" | cut -d' ' -f1; }

# Another user, without groups.
as_nobody() {
	chmod 777 .
	HOME=/ XDG_RUNTIME_DIR='' setpriv --reuid 65534 --regid 65534 \
		--clear-groups "$@"
}

is_json() { "$dir/json" "$@"; }
