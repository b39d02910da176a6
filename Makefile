# SPDX-License-Identifier: GPL-2.0-only
#
# Each target calls one script; the scripts can be called by themselves, and say with --help what else they can do.
# On a fresh Debian 12 machine "make demo" and "make check" need nothing before them.

SHELL := /bin/bash
KSERIES ?= 6.1 6.12
BUILD ?= $(CURDIR)/build/user
PREFIX ?= /usr

.PHONY: all help setup modules user install lint unit sim model fuzz kunit selftests demo check check-debug soak mutants bench bench-failover clean

all: modules user

help:
	@echo 'make demo          the whole thing on a small virtual cluster (KEEP=1 leaves it running)'
	@echo 'make check         all tests'
	@echo 'make check-debug   the kernel tests on a kernel with KASAN, lockdep and kmemleak'
	@echo 'make fuzz SECONDS=60   what takes a peer'\''s messages apart, fuzzed for so long (each of four targets)'
	@echo 'make soak MINUTES=60   the data checker, while all kinds of things happen in random order'
	@echo '                   (SEED=N repeats; SERIES=6.12 or debug: on another kernel)'
	@echo 'make mutants       the code of each invariant taken out, one at a time: the tests must find it (two hours)'
	@echo 'make bench         instructions per I/O, beside dm-linear, nvme-tcp, iSCSI, nbd, loop'
	@echo 'make bench-failover   how long I/O waits when a coordinator moves or dies, or a path is lost'
	@echo '                   (RUNS=10 of each; SERIES=6.12: on another kernel)'
	@echo 'make modules user  build the module (KSERIES="$(KSERIES)") and user space'
	@echo 'make sim SEED=N STEPS=N NODES=N   the agents of a simulated cluster, so many steps (SEED repeats)'
	@echo 'make lint unit sim model fuzz kunit selftests   parts of make check'
	@echo 'make install       user space, into DESTDIR and PREFIX'

# Packages that are missing, by apt-get.
setup:
	@scripts/setup

modules: setup
	@scripts/modules $(KSERIES)

user:
	@$(MAKE) -s -C userspace BUILD=$(BUILD) all

install: user
	@$(MAKE) -s -C userspace BUILD=$(BUILD) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) install

lint: setup
	@scripts/lint

unit: setup
	@tests/unit/run

# With new seeds, unless SEED says which.
sim: setup
	@tests/sim/run $(if $(SEED),--seed $(SEED)) $(if $(STEPS),--steps $(STEPS)) $(if $(NODES),--nodes $(NODES))

model: setup
	@tests/model/run

fuzz: setup
	@tests/fuzz/run $(if $(SECONDS),--seconds $(SECONDS))

kunit: setup
	@tests/kunit/run $(KSERIES)

selftests: setup
	@tests/selftests/run $(KSERIES)

demo: setup
	@tests/cluster/demo

check: setup
	@scripts/check +lun lint unit sim model fuzz kunit selftests cluster agent data-6.12 data-6.1 late-write-6.1

check-debug: setup
	@scripts/check selftests-debug

MINUTES ?= 60
SERIES ?= 6.1

soak: setup
	@tests/cluster/data --series $(SERIES) --soak $(MINUTES)

mutants: setup
	@tests/mutants/run

bench: setup
	@tests/bench/run

RUNS ?= 10

bench-failover: setup
	@tests/cluster/figures --series $(SERIES) --runs $(RUNS)

clean:
	rm -rf build
