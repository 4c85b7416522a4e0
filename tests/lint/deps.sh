#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Who may include whom (docs/architecture.md): each folder of the program names
# only itself and what lies below it.  Prints each offence.
set -euo pipefail
abi='include/hotline/'
core="$abi|vmm/core/"
backend="$core|vmm/backend/"
bad=0

# check FILES-PREFIX ALLOWED-REGEX
check() {
	local out
	out=$(git ls-files "$1*.[ch]" |
		xargs -r grep -nE '^#include "' | grep -vE "#include \"($2)" || true)
	[ -z "$out" ] && return
	echo "deps: files in $1 may include only: ${2//|/ }"
	printf '%s\n' "$out"
	bad=1
}

# As the guest kernel has them: all in one folder of its own.
check include/hotline/ '[a-z]+\.h"'
check vmm/core/ "$core"
check vmm/backend/ "$backend"
check vmm/boot/ "$backend|vmm/boot/"
check vmm/dev/ "$backend|vmm/dev/"
check virtio/ "$backend|virtio/"
check hypercalls/ "$backend|hypercalls/"
check vmm/net-user/ "vmm/net-user/|virtio/net_wire.h|vmm/core/exitcode.h"
exit $bad
