#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Searches all states of the model of split-phase calls (split.pml): the
# protocol must hold, and each way to break it must be found, as a deadlock.
set -uo pipefail
model=$(dirname "$(readlink -f "$0")")/split.pml
pass=0 fail=0

variants=(
	"holds -DROUNDS=1"
	"holds -DTSO"
	"deadlocks -DSYNC"
	"deadlocks -DTSO -DNOBARRIER_GUEST"
	"deadlocks -DTSO -DNOBARRIER_HOST"
	"deadlocks -DTSO -DNORECHECK"
	"deadlocks -DTSO -DNOLOOK"
	"deadlocks -DTSO -DNOLEFT"
	"deadlocks -DTSO -DNOROOM"
	"deadlocks -DTSO -DNOKICK"
)

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# search FLAG...: prints the states stored; 0 = holds, 1 = deadlocks
search() {
	spin -a "$@" "$model" >spin.out 2>&1 || { cat spin.out; return 2; }
	# What spin writes is not up to our warnings.
	gcc -w -O2 -DSAFETY -DCOLLAPSE -o pan pan.c || return 2
	# All states, not most of them: too shallow or too little memory is an error.
	timeout 300 ./pan -m100000 -w22 >pan.out 2>&1 || { cat pan.out; return 2; }
	sed -nE 's/^ *([0-9]+) states, stored.*/\1/p' pan.out
	grep -q '^pan:.*: invalid end state' pan.out && return 1
	if grep -q 'errors: 0$' pan.out &&
		! grep -qE 'max search depth too small|Search not completed' pan.out; then
		return 0
	fi
	cat pan.out
	return 2
}

for variant in "${variants[@]}"; do
	read -r want flags <<<"$variant"
	read -ra flags <<<"$flags"
	out=$(search "${flags[@]}")
	case $? in
	0) got=holds ;;
	1) got=deadlocks ;;
	*) got=broken ;;
	esac
	if [ "$got" = "$want" ]; then
		echo "ok   model ${flags[*]}: $got, $out states"
		pass=$((pass + 1))
	else
		echo "$out"
		echo "FAIL model ${flags[*]}: $got, not $want"
		fail=$((fail + 1))
	fi
done
echo "model: $pass passed, $fail failed"
[ $fail -eq 0 ]
