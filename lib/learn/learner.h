/* learner.h - a model being trained: its plan, the optimiser's memory, one step
 * at a time. */
#pragma once
#include "learn/config.h"
#include "model/model.h"

/* Where the parts of a step's block are, in floats: what a step is told, and what it tells. */
struct step_block {
    size_t update;              /* struct update */
    size_t losses;              /* a double for each pass: the sum over its targets */
    size_t sums;                /* struct sums, of the last hidden state */
    size_t passes, pass;        /* the first pass's part; from one to the next */
    size_t ids, targets, draw;  /* inside a pass's part, */
    size_t shares;              /* and so the gradients of its losses */
    size_t size;
};

struct learner {
    struct learn_config cfg;
    struct model *model;
    float *moments[2];          /* laid out as plan->params: Adam's m and v; SGD's momentum or
                                   NULL */
    struct step_block at;
    float *block, *fed;         /* a step's block in the backend's memory; the next one's here */
    double *targets;            /* of each pass of the next step, and of the one under way */
    int passes;                 /* fed to the next step */
    long long step;             /* updates made */
    struct recording *whole, *forward;
};

/* What a step was like. */
struct step_record {
    double loss;                /* mean over its tokens, before the update, nats */
    double lr, grad_norm;       /* of the whole gradient, before clipping */
};

/* The model as it is trained, not placed yet. */
struct model *learner_model(const struct backend *be, const struct model_config *model,
                            const struct learn_config *cfg);
/* Arrays as large as the parameters that the optimiser keeps. */
int learner_moments(const struct learn_config *cfg);
/* A placed model, its parameters zero, to be filled by model_init() or checkpoint_load(). */
struct learner *learner_new(const struct backend *be, const struct model_config *model,
                            const struct learn_config *cfg);
void learner_free(struct learner *l);

/* Give the next step one of its cfg.accumulate batches [batch * time]; the arrays may change at
 * once.  A step under way goes on. */
void learner_feed(struct learner *l, const int *ids, const int *targets);
/* Begin the step that was fed: forward, backward, clip, update. */
void learner_begin(struct learner *l);
/* Wait for its end.  Where the loss or the gradient is not finite nothing was updated and the
 * step is not counted: 0. */
int learner_end(struct learner *l, struct step_record *r);
/* Add a batch's losses to *sum and its targets to *n, without dropout; not during a step. */
void learner_evaluate(struct learner *l, const int *ids, const int *targets, double *sum,
                      double *n);
/* Mean |x| of the last hidden state over the last batch. */
double learner_last_ma(struct learner *l);

/* Does a finished run count as diverged by its validation losses?  NULL, or why (static). */
const char *diverged(const struct learn_config *c, double last, double best);
