# stability-figures.mk - every figure: figures/NAME.svg for the page, NAME.txt for less.

# figure NAME,OPTIONS OF PLOT-DATA,TABLES
define figure
FIGURES += $(1)
$(RUNS)/figures/$(1).svg: $(3)
	@mkdir -p $$(@D)
	@$(BIN)/plot-data $(2) --size 96x26 --terminal $(3) | tr -d '\f' >$$(@:svg=txt)
	@$(BIN)/plot-data $(2) --svg $$@ $(3)
endef

GROWTH  = $(call grid,$(NORMED),$(DTS),0.1,$(USUAL))
BACK    = $(call grid,$(NORMED),1,0.1,$(USUAL)) $(call grid,$(PAIR),0.1,0.1,$(USUAL))
# Eight colours tell series apart.
CURVES = $(call grid,none,1,0.1,$(USUAL)) $(BACK)
SCALED  = $(call grid,$(PAIR),1,0.1,$(USUAL))
BY      = -g placement$(comma)dt
trained = $(call in,$(GROWTH),probe)
untrained_states = $(call in,$(GROWTH),init)

$(call in,$(A3) $(DEPTH),train): $(RUNS)/%/train.tsv: $(RUNS)/%/status ;

$(eval $(call figure,loss,-x step -y loss $(BY) --smooth 10 --y-label loss,$(call in,$(CURVES),train)))
define state_figures
$(call figure,$(1)-trained,-x depth -y $(1) $(BY) --log-y --x-label 'depth$(comma) blocks',$(trained))
$(call figure,$(1)-untrained,-x depth -y $(1) $(BY) --log-y --x-label 'depth$(comma) blocks',$(untrained_states))
endef
$(foreach s,MA var_entry var_data,$(eval $(call state_figures,$(s))))
$(eval $(call figure,bounds,-x depth -y MA$(comma)bound_MA$(comma)bound_exp $(BY) --log-y --x-label 'depth$(comma) blocks',$(call in,$(call grid,$(PAIR),$(DTS),0.1,$(USUAL)),probe)))
$(eval $(call figure,depth,-x layers -y MA -g state$(comma)placement$(comma)dt --log-x --log-y,$(RUNS)/depth.tsv))
$(foreach s,s_f s_step J_to_end grad_X,$(eval $(call figure,$(s),-x depth -y $(s) $(BY) --log-y --x-label 'depth$(comma) blocks',$(call in,$(BACK),jacobian))))
$(eval $(call figure,scaled,-x factor -y s_f $(BY) --log-x --log-y,$(call in,$(SCALED),scaled)))
$(eval $(call figure,long,-x step -y ma $(BY) --log-x --log-y --smooth 5 --y-label 'MA of the last state',$(call in,$(LONG),train)))
$(eval $(call figure,weights,-x step -y W_o$(comma)W_2 $(BY) --log-x --log-y --y-label 'largest norm',$(call in,$(LONG),weights)))
$(eval $(call figure,ladder,-x dt -y final -g placement -w kind=base$(comma)weight-decay=0.1$(comma)diverged=no --log-x,$(RUNS)/runs.tsv))
$(eval $(call figure,rates,-x lr -y final $(BY) -w weight-decay=0.1$(comma)seed=$(USUAL)$(comma)rate=yes --log-x,$(RUNS)/runs.tsv))
$(eval $(call figure,rates-MA,-x lr -y MA $(BY) -w weight-decay=0.1$(comma)seed=$(USUAL)$(comma)rate=yes --log-x --log-y,$(RUNS)/runs.tsv))
