/* model.h - transformers whose normalisation is a row of a table. */
#pragma once
#include "graph/plan.h"
#include "model/config.h"

enum model_use {
    MODEL_LOSS,         /* windows of tokens and targets, to train or to evaluate: a decoder's
                         * next tokens, an encoder's hidden ones */
    MODEL_GENERATE,     /* one new token a sequence and pass, with a cache of keys and values */
};

struct model {
    struct model_config cfg;
    struct plan *plan;
    int batch, time;                /* sequences, tokens of each in a pass (1 when generating) */
    struct tensor *ids;             /* [batch * time, 1] int32 */
    struct tensor *targets;         /* the same; MODEL_LOSS only; -1 is ignored */
    struct tensor *draw;            /* [1, 4] int32: see ops.h; NULL without dropout */
    struct tensor *at;              /* [batch, 1] int32: MODEL_GENERATE only; new tokens' places */
    struct tensor *lengths;         /* [batch, 1] int32: the tokens that are seen: MODEL_GENERATE,
                                       that place + 1; encoder, the rest is padding */
    struct tensor *segments;        /* [batch * time, 1] int32: encoder with segments only */
    struct tensor *logits;          /* [batch * time, vocab] */
    struct tensor *loss, *best;     /* [batch * time, 1] nats, int32: MODEL_LOSS only */
    struct tensor *stream[1 + 2 * MAX_LAYERS];      /* X_0, then X after each sub-layer */
    struct tensor *branch[2 * MAX_LAYERS];          /* what sub-layer k adds, before dt */
    struct tensor *dt[2 * MAX_LAYERS];              /* its dt, [1, 1], if learned; or NULL */
    int n_stream;
};

/* Append a GPT-style decoder or a BERT-style encoder to a new plan; the caller watches what it
 * wants to read (loss and best are watched), then places the plan.  time is cfg->context unless
 * generating. */
struct model *model_build(const struct backend *be, const struct model_config *cfg, int batch,
                          enum model_use use, int train);
/* The first `layers` blocks of an encoder over `batch` padded sequences of `time` tokens, for
 * its hidden states: stream[2 * layers] is watched. */
struct model *model_build_encoder(const struct backend *be, const struct model_config *cfg,
                                  int batch, int time, int layers);
void model_free(struct model *m);
/* What training computes anew unless it must be all: the norms' outputs of wide models, a percent
 * of a step's time for a thirtieth of its memory; not where a backend joins norms to the sums
 * before them. */
enum recompute model_recompute(const struct model *m);

/* Initial values (papers.md section 1): each number depends on the seed, the
 * tensor's name and its place in it, and on nothing else. */
void model_init(struct model *m, unsigned long long seed);
/* Fill the fixed position table of a placed model, if it has one; model_init() does it too. */
void model_init_positions(struct model *m);
