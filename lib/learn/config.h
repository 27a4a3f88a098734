/* config.h - how a model is trained: one row of an option table each, which are
 * train's options and a checkpoint's record. */
#pragma once
#include "base/opt.h"

enum { OPTIMIZER_ADAMW, OPTIMIZER_ADAM, OPTIMIZER_SGD };
enum { SCHEDULE_CONSTANT, SCHEDULE_LINEAR, SCHEDULE_COSINE, SCHEDULE_INVERSE_SQRT };
enum { ACCUMULATE_MEAN, ACCUMULATE_SUM };

struct learn_config {
    int batch;                      /* windows in a pass */
    int accumulate;                 /* passes in a step */
    int accumulate_by;
    int recompute;                  /* all that a sub-layer has to itself */
    int optimizer, schedule;
    long long steps, warmup, decay_steps;
    double lr, min_lr;
    double beta1, beta2, adam_eps;  /* of Adam */
    double momentum;                /* of SGD */
    double weight_decay, clip;
    double diverge_margin, diverge_above;
    long long seed;
};

/* With the defaults of papers.md's column OT, but for one pass a step. */
extern struct learn_config learn_config;
extern const struct opt learn_options[];

/* Put numbers where the default is a rule, and check what rows alone cannot: exit 2. */
void learn_config_settle(void);

/* The learning rate of update `it`, counted from 0. */
double learn_rate(const struct learn_config *c, long long it);
