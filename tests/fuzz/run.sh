#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh SECONDS PROGRAM...: runs libFuzzer targets, one after another.  What
# they learn is kept with the other artefacts (HOTLINE_CACHE); an input that
# finds something stays where the last lines say.
set -uo pipefail
secs=$1
shift
cache=${HOTLINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hotline}/fuzz
pass=0 fail=0
for prog; do
	name=$(basename "$prog")
	corpus=$cache/$name
	mkdir -p "$corpus" "$cache/found"
	if out=$("$prog" -max_total_time="$secs" -timeout=5 -rss_limit_mb=1024 \
		-max_len=2048 -print_final_stats=1 -verbosity=1 \
		-artifact_prefix="$cache/found/$name-" "$corpus" 2>&1); then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' <<<"$out")
		cov=$(grep -oE 'cov: [0-9]+' <<<"$out" | tail -n 1)
		echo "ok   fuzz $name: $runs runs, $cov"
		pass=$((pass + 1))
	else
		tail -n 60 <<<"$out"
		echo "FAIL fuzz $name"
		fail=$((fail + 1))
	fi
done
echo "fuzz: $pass passed, $fail failed"
[ $fail -eq 0 ] && [ $pass -gt 0 ]
