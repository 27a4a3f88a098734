# stability-scales.mk - the setting of each SCALE of stability.mk: one for every placement,
# chosen once, tuned for none.

# Laptop: twelve blocks of width 64 on Shakespeare's bytes.  Learning rate 3e-2 without
# warm-up is where placements separate (of 1e-3, 1e-2 and 3e-2, with and without 100 steps of
# warm-up, tried once with PyTorch on another text): without a norm all blow up, pre trains with
# activations a thousand times those it began with, peri's stay small.
# A run has diverged by the paper's signs as we read them: a number that is none, or a last
# validation loss 0.5 above its best, or one above the loss of letter frequencies (3.31) by 0.5.
#
# Runs, in units of 300 steps of twelve blocks, about 10 CPU seconds each when idle:
#   A1  5 placements x 2 decays x 5 seeds                                   50
#   A2  5 x dt 0.1 x 5 seeds (dt 1 is in A1)                                25
#   depths 6, 24, 48 (6.5 units) x 2 placements x 2 dt                      26
#   long: 2,000 steps (6.7 units) x 2 x 2                                   27
#   ladder of dt: 2 x 3 x 3 seeds                                           18
#   RMS norm: 4 x 2 x 3 seeds                                               24
#   learning rates: 6 others x (5 + 2)                                      42
#   bf16 attention: 2 x 5 seeds                                             10
#   together                                    222 units, under 40 CPU minutes,
# less what runs that diverge leave out, and about 15 for eval, probe (Jacobians take 10 to 20
# seconds a model) and the plots: under 30 minutes on two idle cores.
LAYERS  = 12
SHAPE   = --layers $(LAYERS) --width 64 --heads 4 --context 64
SEEDS   = 1 2 3 4 5
LR      = 0.03
LRS     = 0.0001 0.0003 0.001 0.003 0.01 0.03 0.1
DEPTHS  = 6 12 24 48
SIZES   =
OTHER_ATTENTION = bf16
LENGTH  = --steps 300 --checkpoint-every 100
LONGER  = --steps 2000 --checkpoint-every 200 --keep 0
VALIDATION = --eval-every 50 --eval-batches 16 --diverge-margin 0.5 --diverge-above 3.81
TRAIN   = $(SHAPE) $(LENGTH) --keep 1 --batch 16 --lr $(LR) --warmup 0 --schedule constant \
          --beta2 0.95 --clip 1 $(VALIDATION)
EVAL    = --windows 400
PROBE   = --windows 16
NOTE    = Models of twelve blocks, 64 wide, on the bytes of Shakespeare, 300 steps of 1,024 \
          tokens, learning rate 0.03 without warm-up.

# Small: half as wide again and twice as long, four and a half times the work.
ifeq ($(SCALE),small)
SHAPE   = --layers $(LAYERS) --width 96 --heads 6 --context 64
LENGTH  = --steps 600 --checkpoint-every 200
LONGER  = --steps 4000 --checkpoint-every 400 --keep 0
NOTE    = Models of twelve blocks, 96 wide, on the bytes of Shakespeare, 600 steps of 1,024 \
          tokens, learning rate 0.03 without warm-up.
endif

# Smoke: does every part run?  The numbers mean nothing.
ifeq ($(SCALE),smoke)
LAYERS  = 2
SHAPE   = --layers $(LAYERS) --width 16 --heads 2 --context 16
SEEDS   = 1 2
LRS     = 0.001 0.03 1
DEPTHS  = 2 3 4
LENGTH  = --steps 20 --checkpoint-every 10
LONGER  = --steps 40 --checkpoint-every 10 --keep 0
VALIDATION = --eval-every 10 --eval-batches 2 --diverge-margin 0.5
EVAL    = --windows 4
PROBE   = --windows 4
NOTE    = Models of two blocks, 16 wide, trained for 20 steps: this report shows that every \
          part runs, and nothing else.
endif

# Paper: GPT-2 124M (A2 also 774M and 1.5B) on OpenWebText.  The paper prints no settings;
# these are those of its first author's public code for GPT-2 (nanoGPT's, but the batch of
# 6 x 40 windows, 60,000 steps, and gradients of the passes summed before they are clipped).
# Attention in f32 is the other precision here.
ifeq ($(SCALE),paper)
include recipes/openwebtext.mk
SHAPE   = --model gpt2
LR      = 0.0006
LRS     = 0.00006 0.0002 0.0006 0.002 0.006 0.02 0.06
SIZES   = large xl
OTHER_ATTENTION = f32
LENGTH  = --steps 60000 --checkpoint-every 1000
LONGER  = --steps 120000 --checkpoint-every 10000 --keep 0
VALIDATION = --eval-every 1000 --eval-batches 200 --diverge-margin 0.5 --diverge-above 4.5
DEVICE  = cuda
TRAIN   = $(SHAPE) $(LENGTH) --keep 1 --batch 6 --accumulate 40 --accumulate-by sum \
          --lr $(LR) --warmup 2000 --schedule cosine --beta2 0.95 --clip 1 --precision bf16 \
          --attention-precision bf16 $(VALIDATION) --device $(DEVICE)
EVAL    = --windows 1200 --device $(DEVICE)
PROBE   = --windows 1200 --device $(DEVICE)
NOTE    = GPT-2 of 124M parameters on OpenWebText, 60,000 steps of 245,760 tokens.
endif
