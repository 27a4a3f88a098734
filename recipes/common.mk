# common.mk - what recipes share: data, and runs that are made once.
#
# A recipe sets RUNS, the folder of its results, and TRAIN, the options of every run; then
#   $(eval $(call run,NAME,OPTIONS))
# makes the run $(RUNS)/NAME: trained on $(DATA), one thread a run, so `make -j2` uses two
# cores.  $(RUNS)/NAME/status appears at the run's end and holds train's exit status: 0, or
# 3 for a run that diverged, which is a result too.  What was interrupted goes on from its
# last checkpoint, what is finished is never repeated: to repeat it, remove its folder.
#
# Settings:  BIN=bin (the programs)  DATA (a shard set, made from TOKENS, a command that
#            writes token text, by shard's options SHARD)  EVAL, PROBE (their options)

BIN     = bin
DATA    = $(RUNS)/data
CORPUS ?= share/shakespeare/tinyshakespeare.txt
# A character corpus: bytes, the last tenth for validation, as nanoGPT's.
TOKENS ?= $(BIN)/tokenize -q -v bytes $(CORPUS)
SHARD  ?= --val-tail 0.1
EVAL   ?=
PROBE  ?=

SHELL       = /bin/bash
.SHELLFLAGS = -eo pipefail -c
.DELETE_ON_ERROR:
export OMP_WAIT_POLICY = passive

$(DATA)/manifest.json: | $(CORPUS)
	@mkdir -p $(RUNS)
	@$(TOKENS) | $(BIN)/shard -q -o $(DATA) $(SHARD)

define run
$(RUNS)/$(1)/status: | $(DATA)/manifest.json
	@if ls -d $$(@D)/step-* >/dev/null 2>&1; then \
	    echo "$(1): going on"; \
	    $(BIN)/train -q -j1 --resume $$(@D) 2>$$(@D).log && status=0 || status=$$$$?; \
	else \
	    echo "$(1): training"; \
	    $(BIN)/train -q -j1 -o $$(@D) $(TRAIN) $(2) $(DATA) 2>$$(@D).log \
	        && status=0 || status=$$$$?; \
	fi; \
	case $$$$status in \
	    0) echo "$(1): done" ;; \
	    3) sed 's/^train: //' $$(@D).log ;; \
	    *) cat $$(@D).log >&2; exit $$$$status ;; \
	esac; \
	rm -f $$(@D).log; \
	echo $$$$status >$$@
endef

# The model of a finished run on the whole validation split, and inside.
$(RUNS)/%/eval.tsv: $(RUNS)/%/status
	@$(BIN)/eval -q -j1 $(EVAL) -o $@ $(@D) $(DATA)

$(RUNS)/%/probe.tsv: $(RUNS)/%/status
	@$(BIN)/probe -q -j1 $(PROBE) -o $@ $(@D) $(DATA)
