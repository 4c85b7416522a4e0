# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the bed's scripts share: messages, the cache directory, missing tools.
# Sourced, never run.

# shellcheck disable=SC2034 # for those who source this
nested_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { echo "bed: $*" >&2; }
die() { say "$*"; exit 125; }

# Big artefacts live here, outside the tree, in directories keyed by content.
cache_dir() {
	local dir=${HOTLINE_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/hotline}
	mkdir -p "$dir" || die "cannot make $dir: set HOTLINE_CACHE to a directory of yours"
	echo "$dir"
}

# need_tool TOOL PACKAGE
need_tool() {
	PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ||
		die "$1 is missing: run 'make setup' or install the Debian package $2"
}

# key_of FILE...: one short hash of their contents
key_of() { cat "$@" | sha256sum | cut -c1-16; }
