# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC3043,SC2154
# The row that proves that a sanitizer's report fails a row: a table of its own,
# of a program that has errors on purpose.

nested_row() { printf '[%s]\nrun = %s\n' "$1" "$2" >>nested/rows; }

# planted KIND...: with an exit code, then without.
planted() {
	local kind names=
	mkdir nested
	cp "$dir"/run "$dir"/lib.sh "$dir"/rows-*.sh "$dir/planted" nested/
	for kind in "$@"; do
		# shellcheck disable=SC2016 # the nested run's
		nested_row "$kind" '"$dir/planted" '"$kind"
		# shellcheck disable=SC2016
		nested_row "$kind-unsaid" '"$dir/planted" '"$kind >&- 2>&- || true"
		names="$names $kind $kind-unsaid"
	done
	nested_row nothing true
	# shellcheck disable=SC2086
	sh "$PWD/nested/run" "$PWD/nested" 1 $names nothing >got
	cat got
	for kind in "$@"; do
		grep -q "^FAIL $kind: exit code 99 .*; sanitizer: " got ||
			fail "$kind: not noticed"
		grep -q "^FAIL $kind-unsaid: sanitizer: " got ||
			fail "$kind: not noticed without an exit code"
	done
	grep -q '^ok nothing ' got || fail "a clean row failed"
}
