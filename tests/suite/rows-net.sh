# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154,SC2016
# Rows about networks.  `net` is tests/linux/net.c, on both sides.

net() { "$dir/net" "$@"; }

# A port of this row's own, and none that the kernel gives to clients.
port() { echo $((10000 + ($$ * 7 + $1) % 20000)); }

# serve PORT: an echo server that ends with the row
serve() {
	net serve "$1" >served &
	wait_line served serving
}

user_dhcp() {
	pv_net -- sh -c "$addressed"'ip -4 -o addr show eth0; ip route; cat /etc/resolv.conf;
		cat /sys/class/net/eth0/address'
}

# The host's loopback, as 10.0.2.2.
user_out() {
	local p
	p=$(port 0)
	serve "$p"
	pv_net -c 2 -- sh -ec "$addressed net tcp 10.0.2.2 $p 8; net udp 10.0.2.2 $p 300 1400"
}

# forward PROTOCOL...: from the host into the guest
user_forward() {
	local p q job
	p=$(port 1) q=$(port 2)
	pv_net -n "user,fwd=$p:7,fwd=udp:127.0.0.1:$q:7" -- \
		sh -c "${addressed}exec net serve 7" >got &
	job=$!
	wait_line got serving
	net tcp 127.0.0.1 "$p" 4
	net udp 127.0.0.1 "$q" 200 1400
	kill -TERM "$(vmm_of $job)"
	ended $job 85
	# The port is free again.
	net serve "$p" >again &
	wait_line again serving
}

forward_taken() {
	local p
	p=$(port 3)
	serve "$p"
	expect_code 71 pv_net -n "user,fwd=$p:7" -- sleep 99999
}

two_cards() {
	pv_net -n user,mac=52:54:00:00:00:01 -n user,mac=52:54:00:00:00:02 -- \
		sh -c 'cat /sys/class/net/eth?/address'
}

# The helper that parses packets dies: the link is down, the guest lives.
helper_dies() {
	local job vmm
	pv_net -- sh -c 'echo up; while [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 0.1; done; echo down' >got &
	job=$!
	wait_line got '^up'
	vmm=$(vmm_of $job)
	for pid in $(children_of "$vmm"); do kill -KILL "$pid"; done
	ended $job 0
	cat got
}

# tap 1..3 OPTIONS: a tap of this row's own, traffic both ways
tap() {
	local name p net=$(($$ % 80 * 3 + $1))
	shift
	device /dev/net/tun tun
	[ "${1#*vhost=on}" = "$1" ] || device /dev/vhost-net vhost_net
	name=hlt$net
	tunctl -t "$name" >/dev/null 2>&1 || ip tuntap add dev "$name" mode tap vnet_hdr
	ip addr add "10.9.$net.1/24" dev "$name"
	ip link set "$name" up
	p=$(port 4)
	serve "$p"
	pv_net -c 2 -n "tap=$name$1" -p "hotline.net=10.9.$net.2/24,10.9.$net.1" -- \
		sh -c "net tcp 10.9.$net.1 $p 8 && net udp 10.9.$net.1 $p 500 1400 &&
			net udp 10.9.$net.1 $p 200 8000 && net serve 7" >got &
	job=$!
	wait_line got serving
	cat got
	net tcp "10.9.$net.2" 7 8
	net udp "10.9.$net.2" 7 500 1400
	kill -TERM "$(vmm_of $job)"
	ended $job 85
	ip link del "$name"
}

tap_goes_away() {
	local job
	device /dev/net/tun tun
	tunctl -t hlgone >/dev/null 2>&1 || ip tuntap add dev hlgone mode tap vnet_hdr
	ip link set hlgone up
	pv_net -n tap=hlgone,vhost=off -p hotline.net=10.8.0.2/24 -- sh -c 'echo up; while [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 0.1; done; echo down' >got &
	job=$!
	wait_line got '^up'
	ip link del hlgone
	ended $job 0
	cat got
}
