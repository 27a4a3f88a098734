# demo.mk - why Peri-LN trains where other placements blow up, in five minutes on two cores:
#   make -f recipes/demo.mk -j2
# Twelve-layer models of every placement on Shakespeare's bytes, at a learning rate that is
# hard on them and without warm-up; then a table and two plots in runs/demo.

RUNS = runs/demo
GRID = none-1 post-1 pre-1 pre-0.1 peri-1 peri-0.1

TRAIN = --layers 12 --width 64 --heads 4 --context 64 --batch 16 --steps 300 \
        --lr 3e-2 --warmup 0 --schedule constant --weight-decay 0.1 --beta2 0.95 --clip 1 \
        --seed 1 --eval-every 0 --eval-batches 16 --checkpoint-every 100

all: $(RUNS)/loss.png $(RUNS)/growth.png $(RUNS)/table.tsv
	@expand -t 12 $(RUNS)/table.tsv
	@echo "loss curves: $(RUNS)/loss.png   MA against depth: $(RUNS)/growth.png"

include recipes/common.mk

# placement-dt, as in pre-0.1
$(foreach r,$(GRID),$(eval $(call run,$(r),\
    --placement $(word 1,$(subst -, ,$(r))) --dt $(word 2,$(subst -, ,$(r))))))

TABLES = $(foreach r,$(GRID),$(RUNS)/$(r)/$(1).tsv)

$(RUNS)/table.tsv: recipes/demo.awk $(call TABLES,eval) $(call TABLES,probe)
	@{ awk -f recipes/demo.awk </dev/null; \
	for r in $(GRID); do \
	    awk -f recipes/demo.awk $(RUNS)/$$r/{train,eval,probe}.tsv; \
	done; } >$@

# Smoothed, for a step's loss is that of 1,024 tokens; the run that explodes leaves the picture.
$(RUNS)/loss.png: $(foreach r,$(GRID),$(RUNS)/$(r)/status)
	@$(BIN)/plot-data -x step -y loss -g placement,dt --smooth 10 --png $@ \
	    --title 'Training loss, mean of 10 steps' --y-label 'loss, nats' \
	    $(foreach r,$(GRID),$(RUNS)/$(r)/train.tsv)

$(RUNS)/growth.png: $(call TABLES,probe)
	@$(BIN)/plot-data -x depth -y MA,bound_MA -g placement,dt --log-y --y-range 0.05:5000 --png $@ \
	    --title "Mean |activation| after training, and Theorem 4's bound" \
	    --x-label 'depth, blocks' --y-label MA $^

.PHONY: all
