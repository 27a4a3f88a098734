# keel: see README.md.  `make help` lists the targets.
#
# Settings:  CC=gcc|clang  PREFIX=/usr/local  BUILD=build (objects)  BIN=bin (programs)
#            SANITIZE=address,undefined

PREFIX   = /usr/local
BUILD    = build
BIN      = bin
CC       = gcc
CFLAGS   = -O3 -g
SANITIZE =

PROGRAMS = tokenize shard train eval probe plot-data
LEVELS   = v2 v3 v4 v4bf16
PACKAGES = gcc libdnnl-dev libzstd-dev zlib1g-dev liblzma-dev libjansson-dev gnuplot-nox bats mandoc

# No -ffast-math: it lets the compiler assume isfinite() and a diverged run
# would pass for a healthy one.  Sums that may be reordered say "omp simd".
FLAGS = -std=gnu17 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -fopenmp -fno-math-errno -D_GNU_SOURCE -Ilib -I. -MMD -MP $(CFLAGS) \
        $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
LIBS  = -ldnnl -lzstd -lz -llzma -ljansson -lm

# kernels/cpu/ is compiled once for each level of x86-64; the table is chosen at start.
FLAGS_v2     = -march=x86-64-v2
FLAGS_v3     = -march=x86-64-v3
FLAGS_v4     = -march=x86-64-v4 -mprefer-vector-width=512
FLAGS_v4bf16 = $(FLAGS_v4) -mavx512bf16

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)))
LIB     = $(BUILD)/libkeel.a
KERNELS = $(foreach l,$(LEVELS),$(patsubst kernels/cpu/%.c,$(BUILD)/kernels/cpu-$(l)/%.o,$(wildcard kernels/cpu/*.c)))

all: $(foreach p,$(PROGRAMS),$(if $(wildcard $(p)/*.c),$(BIN)/$(p))) ## build the programs into bin/

$(LIB): $(call objects,lib/*/*.c kernels/*.c) $(KERNELS)
	@rm -f $@
	$(AR) rcs $@ $^

.SECONDEXPANSION:
$(BIN)/%: $$(call objects,$$*/*.c) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $^ $(LIBS) -o $@

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(LIB)
	$(CC) $(FLAGS) $^ $(LIBS) -o $@

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -c $< -o $@

define level_rule
$(BUILD)/kernels/cpu-$(1)/%.o: kernels/cpu/%.c
	@mkdir -p $$(@D)
	$(CC) $(FLAGS) $(FLAGS_$(1)) -DLEVEL=$(1) -c $$< -o $$@
endef
$(foreach l,$(LEVELS),$(eval $(call level_rule,$(l))))

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

deps: ## install the Debian packages that are missing, and say which
	@missing=$$(for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	echo "installing: $$missing"; \
	run() { if [ "$$(id -u)" = 0 ]; then "$$@"; else sudo "$$@"; fi; }; \
	run apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive run apt-get install -y -q $$missing >/dev/null

clean: ## remove what was built
	rm -rf $(BUILD) $(BIN)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all help deps clean
.PRECIOUS: $(BUILD)/%.o
