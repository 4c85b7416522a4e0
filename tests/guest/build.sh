#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# build.sh FILE: the tiny guest, an ELF file that is loaded as a vmlinux is.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
exec "${CC:-gcc}" -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Wmissing-prototypes \
	-Wstrict-prototypes -Werror -Wno-array-bounds -Wno-unused-command-line-argument -ffreestanding -fno-pic -no-pie \
	-mno-red-zone -mgeneral-regs-only -mcmodel=small -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables \
	-I"$here/../.." -static -nostdlib -Wl,-Ttext-segment=0x400000 \
	-Wl,-z,noseparate-code -Wl,--build-id=none -Wl,-z,noexecstack \
	-o "$1" "$here"/start.S "$here"/*.c
