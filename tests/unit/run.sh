#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the unit test programs given and adds up what Check printed.
set -uo pipefail
pass=0 fail=0
for prog in "$@"; do
	out=$(ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 \
		UBSAN_OPTIONS=print_stacktrace=1 timeout 300 "$prog" 2>&1)
	rc=$?
	read -r total bad < <(sed -nE \
		's/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+)$/\1 \2 \3/p' \
		<<<"$out" | awk '{ t += $1; b += $2 + $3 } END { print t + 0, b + 0 }')
	if [ $rc -ne 0 ] || [ "$total" -eq 0 ]; then
		printf '%s\n' "$out"
		[ "$bad" -gt 0 ] || bad=1
		echo "FAIL $(basename "$prog") (exit code $rc)"
	else
		echo "ok   $(basename "$prog"): $total checks"
	fi
	pass=$((pass + (total > bad ? total - bad : 0)))
	fail=$((fail + bad))
done
echo "unit: $pass passed, $fail failed"
[ $fail -eq 0 ] && [ $pass -gt 0 ]
