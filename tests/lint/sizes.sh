#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Files over 400 lines, functions over 60 lines, lines over 100 columns (but for
# messages, which are not broken so that they can be searched for).
set -euo pipefail
mapfile -t files < <(git ls-files '*.c' '*.h')
awk '
FNR == 1 { if (lines > 400) over(file ": " lines " lines, at most 400"); start = 0; file = FILENAME }
{ lines = FNR; text = $0; gsub(/\t/, "        ", text) }
length(text) > 100 && text !~ /"/ { over(FILENAME ":" FNR ": " length(text) " columns, at most 100") }
/^[a-z_].*\(/ { name = $0 }
/^\{/ { start = FNR }
/^\}/ { if (start && FNR - start > 60) over(FILENAME ":" start ": " FNR - start " lines in: " name); start = 0 }
END { if (lines > 400) over(file ": " lines " lines, at most 400"); exit bad }
function over(what) { print "sizes: " what; bad = 1 }' "${files[@]}"
