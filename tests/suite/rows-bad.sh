# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154,SC2016
# Rows about files that are not what they should be.

# truncated FILE: a kernel of which less than half is there is not started,
# whatever its first bytes say (the end of an ELF file is symbols)
truncated() {
	local size len code n=0
	size=$(stat -L -c %s "$dir/$1")
	for len in 1 2 4 16 63 64 100 511 512 600 1024 4096 65536 \
		$((size / 4)) $((size / 2)); do
		head -c "$len" "$dir/$1" >k
		code=0
		hotline run -k k -i none -n none >o 2>e </dev/null || code=$?
		[ $code = 65 ] || fail "$len of $size bytes: exit code $code: $(cat e)"
		grep -q 'hotline: -k k: .*; ' e || fail "$len bytes: $(cat e)"
		n=$((n + 1))
	done
	echo "all refused: $n"
}
