# stability.mk - the laboratory of "Stability of Transformers under Layer Normalization"
# (Kan et al., arXiv 2510.09904): its tables, figures and claims measured, and one report.
#
#   make -f recipes/stability.mk -j2 [SCALE=laptop|small|paper|smoke]
#   make -f recipes/stability.mk plan SCALE=paper     what it would train, and what that costs
#   make -f recipes/stability.mk step SCALE=paper OWT=PATH DEVICE=cpu       one step of it
#   make -n -f recipes/stability.mk SCALE=paper OWT=PATH     every command
#
# The report is runs/stability-SCALE/report.html, and report.txt for less.  A finished run is
# never repeated and an interrupted one goes on.  BERTScore is by ENCODER=FOLDER, a BERT as
# transformers saves it (the paper's is roberta-large), with BERTSCORE=..., options of eval such
# as --layer 5 if its usual layer is not known; without, by a small BERT trained on the same text.
#
# A run is named by its setting, PLACEMENT-DT-wdDECAY-sSEED and then what else is not as usual:
# pre-0.1-wd0.1-s1, pre-1-wd0.1-s1-lr0.001, peri-1-wd0.1-s2-rms.  Parts share runs.

SCALE = laptop
RUNS  = runs/stability-$(SCALE)
ENCODER =
BERTSCORE =

all: $(RUNS)/report.html $(RUNS)/report.txt
	@echo "the report: $(RUNS)/report.html and, for less, $(RUNS)/report.txt"

comma = ,
include recipes/stability-scales.mk
include recipes/common.mk

# The encoder of our own.  At the paper's scale there is none, and BERTScore says n/a.
BERT := BERT
ifeq ($(ENCODER),)
ifneq ($(PROXY),)
BERT      := bert-proxy
ENCODER   := $(RUNS)/$(BERT)/bert
BERTSCORE := --layer 2
endif
endif

# ---- What runs there are ----

DTS      = 1 0.1
# Of twelve blocks: 1 / sqrt(2 D) and 1 / (2 D), beside the paper's two.
LADDER  := 0.5 $(shell awk 'BEGIN { print 1 / sqrt(2 * $(LAYERS)), 1 / (2 * $(LAYERS)) }')
NAMES    = none post pre peri output
NORMED   = $(filter-out none,$(NAMES))
PAIR     = pre peri
OTHERS   = $(filter-out $(PAIR),$(NAMES))
USUAL   := $(firstword $(SEEDS))
THREE   := $(wordlist 1,3,$(SEEDS))

# grid PLACEMENTS,DTS,DECAYS,SEEDS,TAGS
grid = $(foreach p,$(1),$(foreach t,$(2),$(foreach w,$(3),$(foreach s,$(4),\
       $(foreach x,$(or $(5),-),$(p)-$(t)-wd$(w)-s$(s)$(if $(filter-out -,$(x)),-$(x)))))))
rates = $(addprefix lr,$(filter-out $(LR),$(1)))

A1      := $(call grid,$(NAMES),1,0.1 0,$(SEEDS),$(call rates,$(HARD)))
A2      := $(call grid,$(PAIR),$(DTS),0.1,$(SEEDS)) $(call grid,$(OTHERS),$(DTS),0.1,$(THREE)) \
           $(call grid,$(PAIR),$(DTS),0.1,$(USUAL),$(SIZES))
A3      := $(call grid,$(NAMES),$(DTS),0.1,$(USUAL))
DEPTH   := $(call grid,$(PAIR),$(DTS),0.1,$(USUAL),$(addprefix L,$(filter-out $(LAYERS),$(DEPTHS))))
LONG    := $(call grid,$(PAIR),$(DTS),0,$(USUAL),long)
STEPS   := $(call grid,$(PAIR),$(LADDER),0.1,$(THREE))
LEARNED := $(call grid,$(PAIR),0.1,0.1,$(THREE),learned) $(call grid,$(PAIR),1,0.1,$(USUAL),learned)
RMS     := $(call grid,$(NORMED),1,0.1,$(THREE),rms) $(call grid,$(NORMED),0.1,0.1,$(USUAL),rms)
BIAS    := $(call grid,$(PAIR),$(DTS),0.1,$(USUAL),bias)
RATES   := $(call grid,$(NAMES),1,0.1,$(USUAL),$(call rates,$(LRS))) \
           $(call grid,$(PAIR),0.1,0.1,$(USUAL),$(call rates,$(LRS)))
OTHER   := $(call grid,$(PAIR),1,0.1,$(THREE),$(OTHER_ATTENTION))

HARDEST := $(or $(call rates,$(HARD)),base)

GRID    := $(sort $(A1) $(A2) $(A3) $(DEPTH) $(LONG) $(STEPS) $(LEARNED) $(RMS) $(BIAS) $(RATES) \
                  $(OTHER))

# NAME's options, a tag at a time.
tag = $(patsubst wd%,--weight-decay %,$(patsubst s%,--seed %,$(patsubst lr%,--lr %,\
      $(patsubst L%,--layers %,$(patsubst large,--model gpt2-large,$(patsubst xl,--model gpt2-xl,\
      $(patsubst rms,--norm rms,$(patsubst learned,--learn-dt on,\
      $(patsubst bias,--bias on --norm-bias on,$(patsubst bf16,--attention-precision bf16,\
      $(patsubst f32,--attention-precision f32,$(patsubst long,$(LONGER),$(1)))))))))))))
model_tags = $(filter L% large xl rms learned bias,$(1))
of      = $(subst -, ,$(1))
block   = --placement $(word 1,$(call of,$(1))) --dt $(word 2,$(call of,$(1)))
options = $(call block,$(1)) $(foreach x,$(wordlist 3,9,$(call of,$(1))),$(call tag,$(x)))

$(foreach r,$(GRID),$(eval $(call run,$(r),$(call options,$(r)))))

# ---- What is measured of them ----

in = $(foreach r,$(1),$(RUNS)/$(r)/$(2).tsv)

$(RUNS)/%/pairs.tsv: $(RUNS)/%/status
	@$(BIN)/eval -q -j1 --pairs $(EVAL) -o $@ $(@D) $(DATA)

$(RUNS)/%/rouge.tsv: $(RUNS)/%/pairs.tsv
	@$(BIN)/eval -q -j1 --rouge --kinds 1,2,L --stem -o $@ $<

$(RUNS)/bert-proxy/bert: recipes/stability-words.awk | $(CORPUS)
	@rm -rf $(@D)
	@mkdir -p $(@D)/words
	@awk -v size=1000 -f $< $(CORPUS) >$(@D)/words/vocab.txt
	@$(BIN)/tokenize -q -v $(@D)/words $(CORPUS) | $(BIN)/shard -q -o $(@D)/data --val-tail 0.1
	@$(BIN)/train -q -j1 -o $(@D)/run $(PROXY) --keep 1 $(@D)/data
	@mv $(@D)/run/step-* $@

# Which one it was: with another, what it scored is out of date.
$(RUNS)/encoder: $(filter %/bert-proxy/bert,$(ENCODER)) always
	@mkdir -p $(@D)
	@echo '$(ENCODER) $(BERTSCORE)' | cmp -s - $@ || echo '$(ENCODER) $(BERTSCORE)' >$@

$(RUNS)/%/bertscore.tsv: $(RUNS)/%/pairs.tsv $(RUNS)/encoder
	@$(BIN)/eval -q -j1 --bertscore $(ENCODER) $(BERTSCORE) -o $@ $<

$(RUNS)/%/claims.tsv: $(RUNS)/%/status
	@$(BIN)/probe -q -j1 --claims -o $@ $(@D) $(DATA)

$(RUNS)/%/jacobian.tsv: $(RUNS)/%/status
	@$(BIN)/probe -q -j1 --jacobian --windows 1 -o $@ $(@D) $(DATA)

$(RUNS)/%/gradients.tsv: $(RUNS)/%/status
	@$(BIN)/probe -q -j1 --gradients --windows 16 -o $@ $(@D) $(DATA)

$(RUNS)/%/scaled.tsv: $(RUNS)/%/status
	@$(BIN)/probe -q -j1 --scale-out .01,.1,1,10,100 -o $@ $(@D) $(DATA)

# The same model before its first step.
define untrained
$(RUNS)/$(1)/init.tsv: $(RUNS)/$(1)/status
	@$(BIN)/probe -q -j1 --init $(PROBE) $(SHAPE) $(call options_init,$(1)) -o $$@ $(DATA)
endef
options_init = $(call block,$(1)) --seed $(patsubst s%,%,$(filter s%,$(call of,$(1)))) \
    $(foreach x,$(call model_tags,$(call of,$(1))),$(call tag,$(x)))
$(foreach r,$(A3) $(DEPTH),$(eval $(call untrained,$(r))))

# Each checkpoint of a long run but the first: its stream and its output maps.  Where the run was
# interrupted there are others, which would not be there without.
$(RUNS)/%/weights.tsv: $(RUNS)/%/status recipes/stability-weights.awk
	@every=$$(sed -n 's/^# checkpoint-every=//p' $(@D)/train.tsv); \
	for c in $(@D)/step-*; do \
	    step=$$((10#$${c##*-})); \
	    ((step > 0 && step % every == 0)) || continue; \
	    $(BIN)/probe -q -j1 --windows 4 $$c $(DATA) && \
	    $(BIN)/probe -q -j1 --windows 1 --gradients $$c $(DATA) || exit; \
	done | awk -f recipes/stability-weights.awk >$@

# A row a run.  Where nothing was measured, a cell says n/a.
SCORED = eval rouge $(if $(ENCODER),bertscore)
$(RUNS)/runs.tsv: recipes/stability-run.awk $(RUNS)/encoder $(foreach r,$(GRID),$(RUNS)/$(r)/status) \
        $(foreach x,$(SCORED),$(call in,$(A2),$(x))) $(call in,$(GRID),probe)
	@{ awk -f $< </dev/null; for r in $(GRID); do \
	    tables=$(RUNS)/$$r/train.tsv; \
	    for t in eval rouge bertscore probe; do \
	        [ ! -e $(RUNS)/$$r/$$t.tsv ] || tables+=" $(RUNS)/$$r/$$t.tsv"; \
	    done; \
	    awk -v run=$$r -f $< $$tables; \
	done; } >$@

# Mean and interval over seeds of the runs that took all their steps, diverged or not.
MEANS = final,MA,dt_mean,dt_least,dt_most,loss,perplexity,window_perplexity
MEANS := $(MEANS),rouge1_f,rouge2_f,rougeL_f
MEANS := $(MEANS)$(if $(ENCODER),$(comma)bertscore_precision$(comma)bertscore_recall$(comma)bertscore_f)
$(RUNS)/means.tsv: $(RUNS)/runs.tsv
	@$(BIN)/plot-data -x dt -g kind,placement,weight-decay -w finished=yes -y $(MEANS) -o $@ $<

# Depths: a row a model, and what grows with their number of blocks.
$(RUNS)/depth.tsv: recipes/stability-depth.awk $(foreach x,probe init,\
        $(call in,$(call grid,$(PAIR),$(DTS),0.1,$(USUAL)) $(DEPTH),$(x)))
	@{ awk -f $< </dev/null; for f in $(filter %.tsv,$^); do awk -f $< $$f; done \
	    | sort -t $$'\t' -k 1,1r -k 2,2r -k 3,3gr -k 4,4g; } >$@

$(RUNS)/depth-fit.tsv: recipes/stability-fit.awk $(RUNS)/depth.tsv
	@awk -f $^ >$@

# What Theorem 2 says of long training without weight decay.
$(RUNS)/long.tsv: recipes/stability-long.awk $(call in,$(LONG),train) $(call in,$(LONG),weights)
	@{ awk -f $< </dev/null; for r in $(LONG); do \
	    awk -f $< $(RUNS)/$$r/{train,weights}.tsv; done; } >$@
$(call in,$(LONG),train): $(RUNS)/%/train.tsv: $(RUNS)/%/status ;

# Probes of trained models by the paper's claims.
CLAIMED = $(call grid,$(NORMED),$(DTS),0.1,$(USUAL)) $(call grid,$(NORMED),1,0.1,$(USUAL),rms) \
          $(BIAS) $(call grid,$(PAIR),0.1,0.1,$(USUAL),learned)
$(RUNS)/claims.tsv: recipes/stability-read.awk recipes/stability-claims.awk $(RUNS)/runs.tsv $(RUNS)/means.tsv \
        $(RUNS)/depth.tsv $(RUNS)/depth-fit.tsv $(RUNS)/long.tsv $(call in,$(CLAIMED),claims)
	@awk -v folder=$(RUNS) -v hard=$(HARDEST) $(patsubst %.awk,-f %.awk,$^) >$@

# Those of runs, and those that single models were put to.
JUDGED = $(patsubst %,$(RUNS)/table-%.tsv,claims checks models)
$(JUDGED): $(RUNS)/table-%.tsv: recipes/stability-checks.awk $(RUNS)/claims.tsv
	@awk -v want=$* -f $^ >$@

# Tables of the report, a1.tsv and so on.
TABLES = a1 a2 ladder rms bias rates attention
FREQUENCIES = $(if $(filter paper,$(SCALE)),,$(RUNS)/letters.tsv)
$(RUNS)/letters.tsv: | $(DATA)/manifest.json
	@$(TOKENS) | awk '!/^#/ { for (i = 1; i <= NF; i++) c[$$i]++; n += NF } \
	    END { for (i in c) h -= c[i] / n * log(c[i] / n); print h }' >$@

$(TABLES:%=$(RUNS)/table-%.tsv): $(RUNS)/table-%.tsv: recipes/stability-read.awk \
        recipes/stability-tables.awk $(RUNS)/runs.tsv $(RUNS)/means.tsv
	@awk -v want=$* -v hard=$(HARDEST) -v bert=$(BERT) \
	    $(patsubst %.awk,-f %.awk,$(filter %.awk,$^)) $(RUNS)/{runs,means}.tsv >$@

include recipes/stability-figures.mk

$(RUNS)/report.src: recipes/stability-report.sh $(RUNS)/claims.tsv $(FREQUENCIES) \
        $(JUDGED) $(TABLES:%=$(RUNS)/table-%.tsv) $(FIGURES:%=$(RUNS)/figures/%.svg)
	@SCALE=$(SCALE) RUNS=$(RUNS) DATA=$(DATA) BIN=$(BIN) ENCODER=$(ENCODER) \
	    NOTE="$(strip $(NOTE))" SETTING="$(strip $(TRAIN))" COUNT=$(words $(GRID)) \
	    LR=$(LR) HARD=$(HARD) WHY="$(strip $(WHY))" LIMIT=$(LIMIT) \
	    REMARKS="$(strip $(REMARKS))" \
	    LETTERS="$$(cat $(FREQUENCIES) </dev/null)" bash $< >$@

$(RUNS)/report.html $(RUNS)/report.txt: $(RUNS)/report.%: recipes/report-read.awk \
        recipes/report-%.awk $(RUNS)/report.src
	@awk -v folder=$(RUNS) $(patsubst %.awk,-f %.awk,$^) >$@

# Nothing is trained: parameters, tokens, FLOPs and memory of every run, and their sums.
define options_line
$(1) $(call options,$(1))

endef
plan: $(if $(filter paper,$(SCALE)),,$(DATA)/manifest.json)
	@while read -r run options; do \
	    echo "# run=$$run"; \
	    $(BIN)/train --dry-run $(TRAIN) $$options --device cpu $(if $(filter paper,$(SCALE)),,$(DATA)); \
	done <<<"$$PLAN" | awk -v rate=$(RATE) -v unit=$(RATED_BY) -f recipes/stability-plan.awk
plan: export PLAN = $(foreach r,$(GRID),$(call options_line,$(r)))

# One step of peri on the data, with a window a pass: to see that the scale's model runs here.
step: $(DATA)/manifest.json
	$(BIN)/train -o $(RUNS)/step $(TRAIN) $(call block,peri-1) --batch 1 --accumulate 1 --steps 1 \
	    --warmup 0 --checkpoint-every 0 --eval-batches 1 --diverge-above 0 $(DATA)

.PHONY: all always plan step
.SECONDARY:
