/* learner.h - a model being trained: its plan, the optimiser's memory, one step
 * at a time. */
#pragma once
#include "learn/config.h"
#include "model/model.h"

struct learner {
    struct learn_config cfg;
    struct model *model;
    float *moments[2];          /* laid out as plan->params: Adam's m and v; SGD's momentum or
                                   NULL */
    long long step;             /* updates made */
    int passes;                 /* of the step under way */
    double loss;                /* summed over its passes */
    float *losses, *weights;    /* [batch * time] on the host: losses, or states; gradients */
};

/* What a step was like. */
struct step_record {
    double loss;                /* mean over its tokens, before the update, nats */
    double lr, grad_norm;       /* of the whole gradient, before clipping */
};

/* The model as it is trained, not placed yet. */
struct model *learner_model(const struct backend *be, const struct model_config *model, int batch);
/* Arrays as large as the parameters that the optimiser keeps. */
int learner_moments(const struct learn_config *cfg);
/* A placed model, its parameters zero, to be filled by model_init() or checkpoint_load(). */
struct learner *learner_new(const struct backend *be, const struct model_config *model,
                            const struct learn_config *cfg);
void learner_free(struct learner *l);

/* Forward and backward over one batch [batch * time]; the gradients add up until the update. */
void learner_pass(struct learner *l, const int *ids, const int *targets);
/* Clip, update, begin the next step.  Where the loss or the gradient is not finite nothing
 * is updated and the step is not counted: 0. */
int learner_update(struct learner *l, struct step_record *r);
/* Add a batch's losses to *sum and its targets to *n, without dropout. */
void learner_evaluate(struct learner *l, const int *ids, const int *targets, double *sum,
                      double *n);
/* Mean |x| of the last hidden state over the last batch. */
double learner_last_ma(struct learner *l);

/* Does a finished run count as diverged by its validation losses?  NULL, or why (static). */
const char *diverged(const struct learn_config *c, double last, double best);
