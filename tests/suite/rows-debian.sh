# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2086,SC2154,SC2016
# Rows about Debian's own kernel, initrd and disk (tests/debian/image.sh).

# debian OPTIONS...: to the login prompt and back, at a terminal.  With two
# consoles either may be the first to ask, and what is typed before the one that
# reads has asked is thrown away by its getty.
debian() {
	local release other=''
	release=$(cat "$dir/debian/release")
	case " $* " in *" --console both "*) other='expect debian login: ' ;; esac
	"$dir/pty" "$dir/hotline" run $off -k "$dir/debian/vmlinuz" \
		-i "$dir/debian/initrd.img" -p "root=/dev/vda ro $quirks" -m 512 \
		-d "$SUITE_DEBIAN,overlay=tmp" "$@" <<END
limit 2000
$other
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
send ping -c 1 -w 9 10.0.2.2 >/dev/null && echo gateway an''swers\r
send systemctl poweroff\r
END
}
