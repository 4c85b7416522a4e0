# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154,SC2016
# Rows about disks.  `disk` is tests/linux/disk.c, on both sides.

disk() { "$dir/disk" "$@"; }

# written OPTIONS: the guest fills a disk, each side reads it back
written() {
	truncate -s 64M d.img
	disk fill d.img 3 0 32M
	pv -v -c 2 -d "d.img$1" -- sh -ec '
		disk check /dev/vda 3 0 32M
		disk fill /dev/vda 9 16M 48M
		disk check /dev/vda 3 0 16M
		disk check /dev/vda 9 16M 48M
		echo "size $(blockdev --getsize64 /dev/vda) queues $(ls /sys/block/vda/mq | wc -l) serial $(cat /sys/block/vda/serial)"'
	disk check d.img 3 0 16M
	disk check d.img 9 16M 48M
}

# Two processors at once through queues of their own.
parallel() {
	truncate -s 128M d.img
	pv -c 2 -m 512 -d d.img,queues=2 -- sh -ec '
		taskset -c 0 disk fill /dev/vda 1 0 64M &
		taskset -c 1 disk fill /dev/vda 2 64M 64M
		wait
		taskset -c 0 disk check /dev/vda 2 64M 64M &
		taskset -c 1 disk check /dev/vda 1 0 64M
		wait
		echo "queues $(ls /sys/block/vda/mq | wc -l)"'
	disk check d.img 1 0 64M
	disk check d.img 2 64M 64M
}

blocks() { stat -c %b "$1"; }

zeroes() {
	local before
	truncate -s 32M d.img
	disk fill d.img 3 0 32M
	before=$(blocks d.img)
	pv -d d.img -- sh -ec '
		disk zero /dev/vda 4M 4M
		disk discard /dev/vda 16M 8M
		disk zeros /dev/vda 4M 4M
		disk check /dev/vda 3 0 4M
		disk check /dev/vda 3 8M 8M
		disk check /dev/vda 3 24M 8M'
	disk zeros d.img 4M 4M
	disk check d.img 3 0 4M
	disk check d.img 3 8M 8M
	disk check d.img 3 24M 8M
	# The host has got the discarded part back.
	[ $((before - $(blocks d.img))) -ge $((8 * 2048)) ] ||
		fail "$before blocks before, $(blocks d.img) now"
}

read_only() {
	truncate -s 8M d.img
	disk fill d.img 3 0 8M
	pv -d d.img,ro -- sh -c '
		echo "ro $(blockdev --getro /dev/vda)"
		disk check /dev/vda 3 0 8M || exit 1
		dd if=/dev/zero of=/dev/vda bs=4096 count=1 conv=fsync && exit 1
		disk discard /dev/vda 0 1M && exit 1
		echo refused'
	disk check d.img 3 0 8M
}

overlay() {
	truncate -s 32M d.img
	disk fill d.img 3 0 32M
	chmod 444 d.img
	pv -d d.img,overlay=tmp -- sh -ec '
		disk check /dev/vda 3 0 32M
		disk fill /dev/vda 9 4K 12M
		disk discard /dev/vda 20M 4M
		disk zero /dev/vda 28M 1M
		sync
		echo 3 >/proc/sys/vm/drop_caches
		disk check /dev/vda 3 0 4K
		disk check /dev/vda 9 4K 12M
		disk zeros /dev/vda 28M 1M
		disk check /dev/vda 3 24M 4M
		echo whole'
	disk check d.img 3 0 32M
}

eight_disks() {
	local i opts=
	for i in 1 2 3 4 5 6 7 8; do
		truncate -s ${i}M d$i.img
		opts="$opts -d d$i.img,serial=disk-$i"
	done
	# shellcheck disable=SC2086
	pv $opts -- sh -c 'for d in /sys/block/vd?; do
		echo "${d##*/} $(cat $d/size) $(cat $d/serial)"; done'
}

# A file system made, filled and checked by the guest, read by the host.
ext4() {
	truncate -s 64M d.img
	pv_fs -d d.img -- sh -ec '
		/bin/mke2fs -q -t ext4 /dev/vda
		mkdir -p /mnt
		mount /dev/vda /mnt
		mkdir -p /mnt/dir
		seq 1 100000 >/mnt/dir/numbers
		cp /bin/busybox /mnt
		umount /mnt
		mount /dev/vda /mnt
		seq 1 100000 | cmp - /mnt/dir/numbers
		cmp /bin/busybox /mnt/busybox
		umount /mnt
		e2fsck -fn /dev/vda'
	e2fsck -fn d.img
	debugfs -R 'dump dir/numbers got' d.img
	seq 1 100000 | cmp - got
}

# What was written and not synced survives a power-off that the guest knows of.
clean_stop() {
	truncate -s 64M d.img
	mke2fs -q -t ext4 d.img
	pv -d d.img -- sh -ec '
		mkdir -p /mnt
		mount /dev/vda /mnt
		seq 1 50000 >/mnt/numbers
		poweroff'
	e2fsck -fn d.img
	debugfs -R 'dump numbers got' d.img
	seq 1 50000 | cmp - got
}

# Work that the guest saw done is done, also if the power goes without a word.
cut_off() {
	local job
	truncate -s 32M d.img
	pv -d d.img --name cut -- sh -c '
		disk fill /dev/vda 9 0 32M && echo filled; sleep 99999' >got &
	job=$!
	wait_line got '^filled'
	hotline stop cut
	ended $job 85
	disk check d.img 9 0 32M
}

# sigkill TIMES OPTIONS: the VMM dies while the guest writes records and syncs
# each; those it has been told of must be in the image.
sigkill() {
	local times="$1" i=0 job n least
	truncate -s 64M empty.img
	mke2fs -q -t ext4 empty.img
	while [ $i -lt "$times" ]; do
		i=$((i + 1))
		cp empty.img d.img
		: >got # what the last round wrote must not be taken for this one's
		pv -d "d.img$2" -- sh -c 'mkdir -p /mnt; mount /dev/vda /mnt; disk log /mnt/log' >got &
		job=$!
		least=$(($(od -An -N1 -tu1 /dev/urandom) % 60 + 1))
		wait_line got "^synced $least\$"
		usleep $(($(od -An -N2 -tu2 /dev/urandom) * 2))
		kill -KILL "$(vmm_of $job)"
		ended $job 137
		# The last line may be cut in the middle.
		n=$(sed -n 's/^synced \([0-9]*\)$/\1/p' got | tail -n 2 | head -n 1)
		e2fsck -fp d.img >fsck 2>&1 || [ $? = 1 ] ||
			fail "e2fsck: $(cat fsck)"
		rm -f log
		debugfs -R 'dump log log' d.img 2>/dev/null
		disk logcheck log "$n"
		echo "synced $n, kept $(($(stat -c %s log) / 4096))"
		[ "$n" -ge $((least - 1)) ]
	done
}

# The file gets shorter under the guest's hands.
shrinks() {
	local job
	truncate -s 64M d.img
	disk fill d.img 3 0 64M
	pv -d "d.img$1" -- sh -c 'disk reads /dev/vda; echo "code $?"; disk check /dev/vda 3 0 1M && echo alive' >got &
	job=$!
	wait_line got '^reading'
	truncate -s 16M d.img
	ended $job 0
	cat got
}

fallback() {
	local before code=0
	before=$(cat /proc/sys/kernel/io_uring_disabled)
	echo 2 >/proc/sys/kernel/io_uring_disabled
	truncate -s 16M d.img
	pv -vv -d d.img -- sh -ec '
		disk fill /dev/vda 5 0 16M
		disk check /dev/vda 5 0 16M' || code=$?
	expect_code 71 pv -d d.img,aio=io_uring -- true
	echo "$before" >/proc/sys/kernel/io_uring_disabled
	disk check d.img 5 0 16M
	return $code
}

locked() {
	local job
	truncate -s 8M d.img
	pv -d d.img -- sh -c 'echo up; sleep 99999' >got &
	job=$!
	wait_line got '^up'
	expect_code 66 pv -d d.img -- true
	expect_code 66 pv -d d.img,ro -- true
	kill -TERM "$(vmm_of $job)"
	ended $job 85
	pv -d d.img,ro --name a -- sh -c 'echo up; sleep 99999' >got &
	job=$!
	wait_line got '^up'
	pv -d d.img,ro -- echo both read
	kill -TERM "$(vmm_of $job)"
	ended $job 85
}

# The driver goes and comes while it is used.
rebind() {
	truncate -s 32M d.img
	disk fill d.img 3 0 32M
	pv_net -c 2 -m 512 -d d.img -- sh -ec '
		id() { basename "$(readlink -f "$1")"; }
		cycle() {
			echo "$2" >/sys/bus/virtio/drivers/$1/unbind
			echo "$2" >/sys/bus/virtio/drivers/$1/bind
		}
		blk=$(id /sys/block/vda/device)
		net=$(id /sys/class/net/eth0/device)
		rng=$(cd /sys/bus/virtio/drivers/virtio_rng && echo virtio*)
		i=0
		while [ $i -lt 15 ]; do
			i=$((i + 1))
			dd if=/dev/vda of=/dev/null bs=64k iflag=direct 2>/dev/null &
			dd if=/dev/hwrng of=/dev/null bs=512 count=200 2>/dev/null &
			ping -c 3 -i 0.1 -w 1 10.0.2.2 >/dev/null 2>&1 &
			usleep 30000
			cycle virtio_blk $blk
			cycle virtio_net $net
			cycle virtio_rng $rng
			wait
		done
		echo "cycles $i"
		disk check /dev/vda 3 0 32M
		[ "$(dd if=/dev/hwrng bs=16 count=4 2>/dev/null | wc -c)" = 64 ]
		ip link set eth0 up
		ip addr add 10.0.2.15/24 dev eth0 2>/dev/null || :
		ping -c 1 -w 99 10.0.2.2 >/dev/null
		echo all work'
	disk check d.img 3 0 32M
}
