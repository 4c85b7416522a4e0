# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2086,SC2154,SC2016
# Rows about Debian's own kernel, initrd and disk (tests/debian/image.sh).

# debian OPTIONS...: to the login prompt and back, at a terminal.  With two
# consoles hvc0 alone asks, which gets what is typed: two gettys at one terminal
# write into each other's prompts.  That the serial one prints is shown later.
debian() {
	local release serial=''
	release=$(cat "$dir/debian/release")
	case " $* " in *" --console both "*)
		set -- "$@" -p systemd.mask=serial-getty@ttyS0.service
		serial="send echo se''rial prints >/dev/ttyS0\\r
expect serial prints
send cat /sys/class/tty/console/active\\r
expect ttyS0 hvc0" ;;
	esac
	"$dir/pty" "$dir/hotline" run $off -k "$dir/debian/vmlinuz" \
		-i "$dir/debian/initrd.img" -p "root=/dev/vda ro $quirks" -m 512 \
		-d "$SUITE_DEBIAN,overlay=tmp" "$@" <<END
limit 2000
expect debian login: 
send root\r
expect Password: 
send hotline\r
expect ~# 
send uname -r; echo "kernel \$?"\r
expect $release
send until ip -4 -br addr | grep 10.0.2.15; do sleep 1; done\r
expect UP             10.0.2.15/24
send grep ' / ' /proc/mounts\r
expect /dev/vda / ext4 rw
send systemctl is-system-running --wait\r
expect running
send dmesg | grep -E 'BUG:|WARNING: CPU|soft lockup|Call Trace'; echo "complaints: \$?"\r
expect complaints: 1
$serial
send ping -c 1 -w 9 10.0.2.2 >/dev/null && echo gateway an''swers\r
send systemctl poweroff\r
END
}
