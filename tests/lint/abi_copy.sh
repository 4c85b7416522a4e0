#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The guest kernel's copy of the line's headers, as the patch series makes it,
# is what include/hotline has, byte for byte.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
patches=$PWD/guest-linux-patches
copy=include/uapi/linux/hotline
bad=0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
while read -r patch; do
	grep -q "^+++ b/$copy/" "$patches/$patch" || continue
	# A repository around the directory would make paths relative to it.
	(cd "$work" && GIT_CEILING_DIRECTORIES=${work%/*} \
		git apply --include="$copy/*" "$patches/$patch")
done < <(sed 's/#.*//; /^[[:space:]]*$/d' "$patches/series")

for header in include/hotline/*.h; do
	name=${header##*/}
	# Addresses for programs and boot, which the kernel gets told.
	[ "$name" != platform.h ] || continue
	diff -u --label "$header" --label "the series' $copy/$name" \
		"$header" "$work/$copy/$name" || bad=1
done
for theirs in "$work/$copy"/*.h; do
	[ -e "include/hotline/${theirs##*/}" ] || {
		echo "abi: only the guest has ${theirs##*/}"
		bad=1
	}
done
exit $bad
