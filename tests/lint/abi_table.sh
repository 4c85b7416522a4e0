#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The table of calls in docs/abi.md, between its two marker lines.
#
# usage: abi_table.sh --write|--check PROGRAM    PROGRAM prints it: abi_table.c
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
doc=docs/abi.md
begin='<!-- calls: make abi -->' end='<!-- end of calls -->'
table=$("$2")
for mark in "$begin" "$end"; do
	[ "$(grep -cxF -- "$mark" $doc)" = 1 ] || { echo "$doc: no single line $mark"; exit 1; }
done
new=$(sed "/^$begin\$/q" $doc; printf '%s\n' "$table"; sed -n "/^$end\$/,\$p" $doc)
case $1 in
--write)
	printf '%s\n' "$new" >$doc ;;
--check)
	diff -u --label $doc --label hypercalls/rows.def $doc - <<<"$new" ||
		{ echo "$doc: out of date; make abi"; exit 1; } ;;
esac
