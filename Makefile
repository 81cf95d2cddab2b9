# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own build is described in Kbuild; this file calls it. Each kernel
# has its objects in build/<version>/, among links to the sources here, so that
# two kernels never mix; the default kernel's module is copied to the root.

DEFAULT_KVER := $(shell selftests/kernels default)
KVER ?= $(DEFAULT_KVER)
KDIR ?= /lib/modules/$(KVER)/build
MK_BUILD ?= build/$(KVER)

sources := $(shell find module urpc shootdown -name '*.[ch]' 2>/dev/null)
links := $(addprefix $(MK_BUILD)/,Kbuild $(sources))
# $(MAKE) stands in the recipes: where make does not see it, nothing runs in parallel.
kbuild = -C $(KDIR) M=$(CURDIR)/$(MK_BUILD)

.PHONY: all module tools selftests modules_install clean help
.PHONY: liburpc libpager
.PHONY: install deb lint check check-debug check-mirror soak bench bench-ring kdir
.PHONY: bench-liburpc bench-trees

all: module $(if $(wildcard userctl/Makefile),tools)

help:
	@echo 'make                  multikernel.ko for kernel $(or $(KVER),(none found))$(if $(wildcard userctl/Makefile), and userctl/mkctl)'
	@echo 'make KVER=VERSION     for another kernel: build/VERSION/multikernel.ko'
	@echo 'make W=1              with more warnings; C=1 runs sparse'
	@echo 'make modules_install  into /lib/modules'
	@echo 'make install          mkctl, its manual pages and completion, PREFIX=/usr/local'
	@echo 'make deb              Debian packages of both, in build/deb'
	@echo 'make selftests        the test programs, without running them'
	@echo 'make lint             W=1, sparse, checkpatch, kernel-doc, shellcheck'
	@echo 'make check            every test; installs what it needs, boots guests'
	@echo 'make check-debug      of those, on kernels with KASAN and lockdep; and with KCSAN'
	@echo 'make check-mirror     programs of others, mirrored and not'
	@echo 'make soak             half an hour of storm on the debug kernel'
	@echo 'make bench            every experiment in a guest, figures in results/'
	@echo 'make bench-ring       the ring in user space, on this machine'
	@echo 'make bench-liburpc    that library on this machine, beside pipes and sockets'
	@echo 'make bench-trees      trees over that library: predicted and measured'
	@echo 'make liburpc          the ring as a library'
	@echo 'make libpager         pagers at user level, and mkpager'
	@echo 'make clean            removes what was built, keeps results/'
	@echo
	@echo 'Kernels that can be built for here:'
	@selftests/kernels | sed 's/^/  /' || echo '  none: selftests/vm/deps build'

module: kdir $(links)
	@find $(MK_BUILD) -xtype l -delete
	$(MAKE) $(kbuild) modules
ifeq ($(MK_BUILD),build/$(DEFAULT_KVER))
	@cmp -s $(MK_BUILD)/multikernel.ko multikernel.ko || \
		cp $(MK_BUILD)/multikernel.ko .
endif

# A source is linked once; the compiler's dependencies look through the link.
$(links): $(MK_BUILD)/%: | %
	@mkdir -p $(@D)
	@ln -sfn $(CURDIR)/$* $@

kdir:
	@test -n '$(KVER)' && test -e $(KDIR)/Makefile || { \
		echo 'No kernel headers$(if $(KVER), for $(KVER) in $(KDIR)).' \
		     'To install them: selftests/vm/deps build' >&2; \
		exit 1; }

modules_install: module
	$(MAKE) $(kbuild) modules_install

tools:
	$(MAKE) -C userctl

install:
	$(MAKE) -C userctl install

deb:
	@packaging/deb

selftests: tools
	$(MAKE) -C selftests/guest
	$(MAKE) -C selftests/ring

lint:
	@selftests/lint

check:
	@selftests/check

check-debug:
	@selftests/check-debug

check-mirror:
	@selftests/check all-mirror

soak:
	@selftests/check-debug soak

bench:
	@selftests/bench

bench-ring:
	@selftests/vm/deps build ring
	$(MAKE) -C selftests/ring bench

bench-liburpc:
	@$(MAKE) -s --no-print-directory -C liburpc ../build/liburpc/bench
	@$(MAKE) --no-print-directory -C liburpc bench

bench-trees:
	@$(MAKE) -s --no-print-directory -C liburpc ../build/liburpc/trees
	@$(MAKE) --no-print-directory -C liburpc trees

liburpc:
	$(MAKE) -C liburpc

libpager:
	$(MAKE) -C libpager

clean:
	$(if $(wildcard userctl/Makefile),$(MAKE) -C userctl clean)
	$(if $(wildcard selftests/ring/Makefile),$(MAKE) -C selftests/ring clean)
	$(RM) -r build multikernel.ko
