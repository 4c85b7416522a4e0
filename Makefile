# SPDX-License-Identifier: GPL-2.0-only
# `make help` lists the targets.  Compiled things land in build/; kernels and
# disk images, which take minutes, in a cache outside the tree (HOTLINE_CACHE).

B	?= build
PREFIX	?= /usr/local
CC	?= gcc

VERSION	:= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

WARN	:= -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	   -Wsign-compare -Werror
CFLAGS	?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -Iinclude $(WARN) $(CFLAGS) -pthread \
	   -fPIE -fstack-protector-strong -DHL_LIBDIR='"$(PREFIX)/lib/hotline"' \
	   -DHL_VERSION='"$(VERSION)"' -MMD -MP
LIBS	:= -luring -laio -lfdt
# Static: no dynamic linker to pay for at each start, and the process holds only
# those pages of the libraries that it uses.
STATIC	?= -static-pie
SAN	:= -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	   -fno-omit-frame-pointer

# The suite's, of the whole VMM.  Not -static-pie, which has no sanitizers; the
# bed takes shared libraries along.  ASan and UBSan as gcc's shared libraries are
# two run times, of which the second heeds no log_path; linked in, they are one.
# TSan knows no fences (-Wno-tsan): ours order what guests and we write, and of
# guests it sees nothing anyway.
SANFLAGS_asan := $(SAN)
SANFLAGS_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan
SANMORE_asan := LDFLAGS='-static-libasan -static-libubsan'
SANMORE_tsan := MORE=tests/suite/tsan.c LDFLAGS=-Wl,--wrap=mem_init,--wrap=sigaction

SRC	:= $(filter-out vmm/main.c,$(wildcard vmm/*.c vmm/cli/*.c vmm/core/*.c vmm/backend/*.c \
	   vmm/boot/*.c vmm/dev/*.c virtio/*.c hypercalls/*.c))
NETSRC	:= $(wildcard vmm/net-user/*.c)
UNIT	:= $(patsubst tests/unit/%.c,%,$(filter-out $(wildcard tests/unit/lib_*.c), \
	   $(wildcard tests/unit/*.c)))
UNITLIB	:= $(wildcard tests/unit/lib_*.c)

COST	:= $(patsubst tests/cost/%.c,$(B)/cost/%,$(wildcard tests/cost/*.c))
UNITS	:= $(if $(ONLY),$(patsubst %,$(B)/unit/%,$(filter $(ONLY),$(UNIT))), \
	   $(UNIT:%=$(B)/unit/%) $(COST))
FUZZ	:= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZSRC	:= $(wildcard hypercalls/*.c vmm/core/*.c) vmm/backend/selftest.c vmm/backend/pool.c \
	   $(addprefix vmm/backend/,msr.c timer.c clock.c clock_host.c clock_page.c discipline.c)

OBJ	:= $(SRC:%.c=$(B)/%.o)
NETOBJ	:= $(NETSRC:%.c=$(B)/%.o)
SANOBJ	:= $(SRC:%.c=$(B)/san/%.o) $(UNITLIB:%.c=$(B)/san/%.o)

BED	:= tests/nested
PMAKE	= $(MAKE) --no-print-directory -j$$(nproc)

.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help build setup run check unit fuzz model suite san bench abi lint format install clean

help:	## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

build: $(B)/hotline $(B)/hotline-net-user	## the VMM and its network helper

$(B)/hotline: $(OBJ) $(B)/vmm/main.o $(MORE:%.c=$(B)/%.o)
	@echo "  LD      $@" >&2
	@$(CC) $(ALL_CFLAGS) $(STATIC) -o $@ $^ $(LDFLAGS) $(LIBS)

$(B)/hotline-net-user: $(NETOBJ)
	@echo "  LD      $@" >&2
	@$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS) -lslirp -lseccomp

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<" >&2
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/planted: $(B)/tests/suite/planted.o
	@$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDFLAGS)

setup:	## install what building, running and testing need (Debian packages)
	@$(BED)/setup.sh build guest bed >&2

run:	## boot a guest: make run, make run CMD='uname -a', ARGS='-m 256'
	@$(BED)/setup.sh build guest bed >&2
	@$(PMAKE) build >&2
	@$(BED)/run $(ARGS) $(if $(CMD),-- sh -c '$(subst ','\'',$(CMD))')

check:	## every test: unit tests with sanitizers, lint, model, guests on real KVM
	@$(BED)/setup.sh build guest bed lint model
	@$(PMAKE) lint
	@$(PMAKE) unit
	@$(MAKE) --no-print-directory model
	@$(PMAKE) fuzz SECS=20
	@$(PMAKE) build
	@$(MAKE) --no-print-directory suite
	@$(MAKE) --no-print-directory san

unit: $(UNITS) $(B)/hotline-net-user	## unit tests under ASan and UBSan; ONLY='ring msr' some
	@tests/unit/run.sh $(UNITS)

model:	## the split-phase protocol, all interleavings (SPIN)
	@tests/model/run.sh

fuzz:	## fuzz what guests can reach; SECS=600 each
	@$(BED)/setup.sh build lint >&2
	@$(PMAKE) $(FUZZ:%=$(B)/fuzz/%) >&2
	@tests/fuzz/run.sh $(or $(SECS),600) $(FUZZ:%=$(B)/fuzz/%)

suite: build	## guests on real KVM: here if it executes, else in the bed; OFF=host|guest
	@$(if $(OFF),SUITE_OFF='$(OFF)') tests/suite.sh $(ONLY)

san:	## the suite's core rows with ASan and UBSan, then with TSan
	@$(MAKE) --no-print-directory san-asan
	@$(MAKE) --no-print-directory san-tsan

san-%:	# of one: make san-tsan ONLY='row row'
	@$(PMAKE) build $(B)/$*/planted B=$(B)/$* STATIC= \
		CFLAGS='$(SANFLAGS_$*)' $(SANMORE_$*) >&2
	@SAN=$* tests/suite.sh $(ONLY)

bench: build	## benchmarks beside QEMU; ONLY=boot,blk runs some
	@$(BED)/setup.sh build guest bed bench >&2
	@tests/bench/run.sh $(ONLY)

abi: $(B)/abi_table	## the table of calls in docs/abi.md, from hypercalls/rows.def
	@tests/lint/abi_table.sh --write $<

lint: $(B)/abi_table	## formatting, dependencies, sizes, static analysis
	@tests/lint/run.sh $<

format:	## let clang-format have its way
	@clang-format -i $$(git ls-files '*.c' '*.h')

install: build	## hotline, its guest kernel and initramfs, into PREFIX (/usr/local)
	install -D $(B)/hotline $(DESTDIR)$(PREFIX)/bin/hotline
	install -D $(B)/hotline-net-user $(DESTDIR)$(PREFIX)/libexec/hotline/hotline-net-user
	install -D -m 644 "$$(guest-linux-patches/build.sh pv)/vmlinux" $(DESTDIR)$(PREFIX)/lib/hotline/vmlinux
	install -D -m 644 "$$(guest-linux-patches/initramfs.sh)" $(DESTDIR)$(PREFIX)/lib/hotline/initramfs.cpio

clean:	## remove build/ (not the cache of kernels and images)
	rm -rf $(B)

$(B)/san/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC san  $<" >&2
	@$(CC) $(ALL_CFLAGS) $(SAN) -c -o $@ $<

$(B)/abi_table: $(B)/tests/lint/abi_table.o $(OBJ)
	@echo "  LD      $@" >&2
	@$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

# What they count is the program as it is.
$(B)/cost/%: $(B)/tests/cost/%.o $(OBJ)
	@mkdir -p $(@D)
	@echo "  LD      $@" >&2
	@$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS) $$(pkg-config --libs check)

$(B)/unit/%: $(B)/san/tests/unit/%.o $(SANOBJ)
	@mkdir -p $(@D)
	@echo "  LD san  $@" >&2
	@$(CC) $(ALL_CFLAGS) $(SAN) -o $@ $^ $(LIBS) $$(pkg-config --libs check jansson)

# Without main.c's own; clang, as it is libFuzzer's.
$(B)/fuzz/%: tests/fuzz/%.c $(FUZZSRC) $(wildcard hypercalls/*.h vmm/core/*.h)
	@mkdir -p $(@D)
	@echo "  FUZZ    $@" >&2
	@clang $(filter-out -MMD -MP,$(ALL_CFLAGS)) $(SAN) -fsanitize=fuzzer -o $@ \
		$(filter %.c,$^) -latomic

-include $(shell find $(B) -name '*.d' 2>/dev/null)
