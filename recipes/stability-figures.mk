# stability-figures.mk - every figure: figures/NAME.svg for the page, NAME.txt for less.

# figure NAME,OPTIONS OF PLOT-DATA,TABLES
define figure
FIGURES += $(1)
$(RUNS)/figures/$(1).svg: $(3)
	@mkdir -p $$(@D)
	@$(BIN)/plot-data $(2) --size 96x26 --terminal $(3) | tr -d '\f' >$$(@:svg=txt)
	@$(BIN)/plot-data $(2) --svg $$@ $(3)
endef
draw = $(eval $(call figure,$(1),$(2),$(3)))

BY      = -g placement$(comma)dt
DEEP    = -x depth $(BY) --x-label 'depth$(comma) blocks'
RATED   = -x lr $(BY) -w weight-decay=0.1$(comma)seed=$(USUAL)$(comma)rate=yes --log-x
RATED  += --x-label 'learning rate'

# The runs of seed 1.  Eight colours tell series apart.
BOTH    = $(call grid,$(PAIR),$(DTS),0.1,$(USUAL))
GROWTH  = $(call grid,$(NORMED),$(DTS),0.1,$(USUAL))
BACK    = $(call grid,$(NORMED),1,0.1,$(USUAL)) $(call grid,$(PAIR),0.1,0.1,$(USUAL))
CURVES  = $(call grid,none,1,0.1,$(USUAL)) $(BACK)
HARDER  = $(call grid,$(NAMES),1,0.1,$(USUAL),$(call rates,$(HARD)))
TAUGHT  = $(call grid,$(PAIR),$(DTS),0.1,$(USUAL),learned)

$(call in,$(sort $(A3) $(DEPTH) $(HARDER)),train): $(RUNS)/%/train.tsv: $(RUNS)/%/status ;

$(call draw,hard,-x step -y loss -g placement --smooth 10 --y-label loss,$(call in,$(HARDER),train))
$(call draw,loss,-x step -y loss $(BY) --smooth 10 --y-label loss,$(call in,$(CURVES),train))

define states
$(call draw,$(1)-trained,$(DEEP) -y $(1) --log-y,$(call in,$(GROWTH),probe))
$(call draw,$(1)-untrained,$(DEEP) -y $(1) --log-y,$(call in,$(GROWTH),init))
endef
$(foreach s,MA var_entry var_data,$(call states,$(s)))
define bounds
$(call draw,bounds-$(1),$(DEEP) -y MA$(comma)$(2) --log-y --y-label MA,$(call in,$(filter $(1)-%,$(BOTH)),probe))
$(call draw,bounds-$(1)-untrained,$(DEEP) -y MA$(comma)$(2) --log-y --y-label MA,$(call in,$(filter $(1)-%,$(BOTH)),init))
endef
$(call bounds,peri,bound_MA)
$(call bounds,pre,bound_exp)
$(call draw,bounds-var,$(DEEP) -y var_entry$(comma)bound_Var --log-y,$(call in,$(filter peri-%,$(BOTH)),probe))
$(call draw,depth,-x layers -y MA -g state$(comma)placement$(comma)dt --log-x --log-y --x-label blocks,$(RUNS)/depth.tsv)

$(foreach s,J_to_end grad_X,$(call draw,$(s),$(DEEP) -y $(s) --log-y,$(call in,$(BACK),jacobian)))
# No sub-layer reads the last state.
$(RUNS)/%/steps.tsv: $(RUNS)/%/jacobian.tsv
	@sed '$$d' $< >$@
$(foreach s,s_f s_step,$(call draw,$(s),$(DEEP) -y $(s) --log-y,$(call in,$(BACK),steps)))
$(call draw,saturation,$(DEEP) -y saturation,$(call in,$(filter peri-% output-%,$(BACK)),steps))
define gradients
$(call draw,gradient-$(1),-x layer -y grad $(BY) -w part=$(2) --log-y --x-label block,$(call in,$(BACK),gradients))
endef
$(call gradients,qkv,attn.qkv.weight)
$(call gradients,W_2,mlp.proj.weight)
$(call draw,scaled,-x factor -y s_f $(BY) --log-x --log-y,$(call in,$(filter %-1-wd0.1-s$(USUAL),$(BOTH)),scaled))

$(call draw,long,-x step -y ma $(BY) --log-x --log-y --smooth 5 --y-label 'MA of the last state',$(call in,$(LONG),train))
$(call draw,weights,-x step -y W_o$(comma)W_2 $(BY) --log-x --log-y --y-label 'largest norm',$(call in,$(LONG),weights))

$(call draw,ladder,-x dt -y final -g placement -w kind=base$(comma)weight-decay=0.1$(comma)finished=yes --log-x --y-label 'validation loss',$(RUNS)/runs.tsv)
$(call draw,learned,$(DEEP) -y dt_k,$(call in,$(TAUGHT),probe))
$(call draw,rates,$(RATED) -y final --y-label 'validation loss',$(RUNS)/runs.tsv)
$(call draw,rates-MA,$(RATED) -y MA --log-y,$(RUNS)/runs.tsv)
