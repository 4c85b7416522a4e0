#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All that can be said about the code without running it.  Each check prints
# its own offences; the last line counts.
set -uo pipefail
abi_table=$(readlink -f "$1")
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
flags=(-std=gnu11 -D_GNU_SOURCE -I. -Iinclude -Wall -Wextra -Wshadow
	-Wmissing-prototypes -Wstrict-prototypes -Wsign-compare
	'-DHL_LIBDIR="/usr/local/lib/hotline"' '-DHL_VERSION="lint"')
pass=0 fail=0

sources() { git ls-files 'vmm/*.c' 'virtio/*.c' 'hypercalls/*.c' 'tests/unit/*.c' 'tests/fuzz/*.c' 'tests/cost/*.c' 'tests/lint/*.c'; }
scripts() { git grep -lE '^#!/bin/(ba)?sh' -- . ':!*.patch'; }

formatted() { git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror; }
# A second compiler sees other things.
clang_compiles() {
	local cflags
	cflags=$(pkg-config --cflags check) || return 1
	# shellcheck disable=SC2086
	sources | xargs -n 1 -P 2 clang -fsyntax-only -Werror "${flags[@]}" $cflags
}
cpp_checks() {
	cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr \
		--suppress=missingIncludeSystem --error-exitcode=1 -j 2 \
		-I. -Iinclude vmm virtio hypercalls
}
shell_checks() { scripts | xargs shellcheck -x -P SCRIPTDIR; }
licensed() {
	local bare
	bare=$(git ls-files '*.c' '*.h' '*.sh' Makefile | xargs grep -L SPDX-License-Identifier)
	[ -z "$bare" ] || { echo "no SPDX line: $bare"; return 1; }
}
abi_is_current() { tests/lint/abi_table.sh --check "$abi_table"; }

for check in tests/lint/deps.sh tests/lint/sizes.sh tests/lint/abi_copy.sh \
	abi_is_current licensed formatted shell_checks cpp_checks clang_compiles; do
	if out=$($check 2>&1); then
		echo "ok   lint $(basename "$check" .sh)"
		pass=$((pass + 1))
	else
		printf '%s\n' "$out"
		echo "FAIL lint $(basename "$check" .sh)"
		fail=$((fail + 1))
	fi
done
echo "lint: $pass passed, $fail failed"
[ $fail -eq 0 ]
