# stability-scales.mk - the setting of each SCALE of stability.mk: one for every placement,
# chosen once, tuned for none.

# Laptop: twelve blocks of width 64 on Shakespeare's bytes, 300 steps of 1,024 tokens, learning
# rate 0.03 without warm-up.
#
# A1 needs a setting so hard that runs fail, or there is nothing to count.  HARD is a learning rate
# of 0.3, also without warm-up: of 0.03, 0.1 and 0.3 the least at which one of the paper's two
# placements with norms failed to learn more than letter frequencies in a trial of seed 1 (at 0.1
# the worst, pre without weight decay, ended at 3.24 nats).  Everything else is measured at 0.03,
# where all but none and post still learn, so that hidden states and losses can be compared.
#
# A run has diverged by the paper's signs as we read them: a number that is none, or a last
# validation loss 0.5 above its best, or one above a limit that tells a run which failed.  The
# limit is the loss of letter frequencies, 3.31: whoever ends above has learned nothing of the text.
LAYERS  = 12
SHAPE   = --layers $(LAYERS) --width 64 --heads 4 --context 64
SEEDS   = 1 2 3 4 5
LR      = 0.03
HARD    = 0.3
WHY     = Of 0.03, 0.1 and 0.3 it is the least at which pre or peri failed to learn more than \
          letter frequencies, in one trial of each at the laptop scale.
LIMIT   = 3.31
LRS     = 0.0003 0.001 0.003 0.01 0.03 0.1 0.3
DEPTHS  = 6 12 24 48
SIZES   =
OTHER_ATTENTION = bf16
LENGTH  = --steps 300 --checkpoint-every 100
LONGER  = --steps 1200 --checkpoint-every 120 --keep 0
VALIDATION = --eval-every 100 --eval-batches 16 --diverge-margin 0.5 --diverge-above $(LIMIT)
TRAIN   = $(SHAPE) $(LENGTH) --keep 1 --batch 16 --lr $(LR) --warmup 0 --schedule constant \
          --beta2 0.95 --clip 1 $(VALIDATION)
EVAL    = --windows 400
PROBE   = --windows 16
PROXY   = --architecture encoder --placement post --layers 2 --width 64 --heads 4 --context 128 \
          --batch 8 --steps 1000 --lr 0.003 --warmup 50 --eval-every 0 --checkpoint-every 0
# FLOP/s of a core of 2023 with AVX-512, at this width, all measuring counted in.
RATE     = 1.3e11
RATED_BY = core
REMARKS = Peri with the learning rate that was best for pre does worse than pre here, and so does the \
          best of its runs: 300 steps are few, and at a small rate most of them go by before peri, \
          whose branches begin with entries of size 1 beside embeddings of size 0.02, has left its \
          start.  The paper trains two hundred times as long.  What peri buys here is range: see \
          the sensitivities to the learning rate.  In A1 pre does not overflow: it stays near the \
          loss of letter frequencies, so that its count hangs on that limit, with hidden states a \
          thousand times those of peri.
NOTE    = Models of twelve blocks, 64 wide, on the bytes of Shakespeare, 300 steps of 1,024 \
          tokens, learning rate $(LR) without warm-up; A1 at $(HARD).

# Small: half as wide again and a third longer, two and a half times the work.
ifeq ($(SCALE),small)
SHAPE   = --layers $(LAYERS) --width 96 --heads 6 --context 64
REMARKS =
LENGTH  = --steps 400 --checkpoint-every 100
LONGER  = --steps 2000 --checkpoint-every 200 --keep 0
NOTE    = Models of twelve blocks, 96 wide, on the bytes of Shakespeare, 400 steps of 1,024 \
          tokens, learning rate $(LR) without warm-up; A1 at $(HARD).
endif

# Smoke: does every part run?  The numbers mean nothing.
ifeq ($(SCALE),smoke)
LAYERS  = 2
SHAPE   = --layers $(LAYERS) --width 16 --heads 2 --context 16
SEEDS   = 1 2
HARD    = 1
WHY     =
REMARKS =
LIMIT   = 10
LRS     = 0.001 0.03 1
DEPTHS  = 2 3 4
LENGTH  = --steps 120 --checkpoint-every 60
LONGER  = --steps 240 --checkpoint-every 60 --keep 0
VALIDATION = --eval-every 60 --eval-batches 2 --diverge-margin 0.5 --diverge-above $(LIMIT)
EVAL    = --windows 4
PROBE   = --windows 4
PROXY   = --architecture encoder --placement post --layers 2 --width 16 --heads 2 --context 64 \
          --batch 2 --steps 20 --eval-every 0 --checkpoint-every 0
NOTE    = Models of two blocks, 16 wide, trained for 120 steps: this report shows that every \
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
HARD    = $(LR)
WHY     =
REMARKS =
LIMIT   = 4.5
LRS     = 0.00006 0.0002 0.0006 0.002 0.006 0.02 0.06
SIZES   = large xl
OTHER_ATTENTION = f32
LENGTH  = --steps 60000 --checkpoint-every 1000
LONGER  = --steps 120000 --checkpoint-every 10000 --keep 0
VALIDATION = --eval-every 1000 --eval-batches 200 --diverge-margin 0.5 --diverge-above $(LIMIT)
DEVICE  = cuda
TRAIN   = $(SHAPE) $(LENGTH) --keep 1 --batch 6 --accumulate 40 --accumulate-by sum \
          --lr $(LR) --warmup 2000 --schedule cosine --beta2 0.95 --clip 1 --precision bf16 \
          --attention-precision bf16 $(VALIDATION) --device $(DEVICE)
EVAL    = --windows 1200 --device $(DEVICE)
PROBE   = --windows 1200 --device $(DEVICE)
PROXY   =
# A usual rate of an H200 in bf16.
RATE     = 350e12
RATED_BY = GPU
NOTE    = GPT-2 of 124M parameters on OpenWebText, 60,000 steps of 245,760 tokens.
endif
