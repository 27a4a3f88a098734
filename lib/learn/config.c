#include "learn/config.h"
#include "base/base.h"
#include <math.h>

struct learn_config learn_config = {
    .batch = 6, .accumulate = 1, .schedule = SCHEDULE_COSINE, .steps = 60000, .warmup = -1,
    .lr = 6e-4, .min_lr = -1, .beta1 = 0.9, .beta2 = 0.95, .adam_eps = 1e-8,
    .weight_decay = 0.1, .clip = 1, .diverge_margin = 0.5, .seed = 1,
};

static const char *const optimizer_names[] = {"adamw", "adam", "sgd", NULL};
static const char *const schedule_names[] = {"constant", "linear", "cosine", "inverse-sqrt", NULL};
static const char *const accumulate_names[] = {"mean", "sum", NULL};

#define FIELD(field) &learn_config.field

const struct opt learn_options[] = {
    {0, "batch", OPT_INT, FIELD(batch), 1, 65536, "windows in a pass", NULL},
    {0, "accumulate", OPT_INT, FIELD(accumulate), 1, 65536, "passes in a step", NULL},
    {0, "accumulate-by", OPT_CHOICE, FIELD(accumulate_by), 0, 0, "a step's gradient is the passes'",
     accumulate_names},
    {0, "recompute", OPT_FLAG, FIELD(recompute), 0, 0,
     "compute a sub-layer's inside anew in the backward pass, keep the stream only", NULL},
    {0, "steps", OPT_COUNT, FIELD(steps), 0, 1e12, "updates in all", NULL},
    {0, "optimizer", OPT_CHOICE, FIELD(optimizer), 0, 0, "the update's rule", optimizer_names},
    {0, "lr", OPT_REAL, FIELD(lr), 0, 1e6, "largest learning rate", NULL},
    {0, "min-lr", OPT_REAL, FIELD(min_lr), -1, 1e6,
     "at the end of a decay; -1: cosine lr / 10, linear 0", NULL},
    {0, "schedule", OPT_CHOICE, FIELD(schedule), 0, 0, "the learning rate after the warm-up",
     schedule_names},
    {0, "warmup", OPT_COUNT, FIELD(warmup), -1, 1e12,
     "steps of linear warm-up from 0; -1: steps / 30, 2000 at most", NULL},
    {0, "decay-steps", OPT_COUNT, FIELD(decay_steps), 0, 1e12,
     "step at which a decay ends; 0: the last", NULL},
    {0, "beta1", OPT_REAL, FIELD(beta1), 0, 0.9999999, "Adam: memory of the gradient", NULL},
    {0, "beta2", OPT_REAL, FIELD(beta2), 0, 0.9999999, "Adam: memory of its square", NULL},
    {0, "adam-eps", OPT_REAL, FIELD(adam_eps), 0, 1, "Adam: added to the root of the square", NULL},
    {0, "momentum", OPT_REAL, FIELD(momentum), 0, 0.9999999, "SGD: memory of the gradient", NULL},
    {0, "weight-decay", OPT_REAL, FIELD(weight_decay), 0, 1e6,
     "decoupled, of weights and embeddings; 0 unless adamw", NULL},
    {0, "clip", OPT_REAL, FIELD(clip), 0, 1e30, "largest norm of the gradient; 0: any", NULL},
    {0, "diverge-margin", OPT_REAL, FIELD(diverge_margin), 0, 1e30,
     "last validation loss may be so far above the best, nats; 0: any", NULL},
    {0, "diverge-above", OPT_REAL, FIELD(diverge_above), 0, 1e30,
     "largest last validation loss, nats; 0: any", NULL},
    {'s', "seed", OPT_COUNT, FIELD(seed), 0, 0x1p62, "of initial values, batches and dropout",
     NULL},
    {0},
};

void learn_config_settle(void)
{
    struct learn_config *c = &learn_config;
    if (c->optimizer != OPTIMIZER_ADAMW && !opt_given("weight-decay"))
        c->weight_decay = 0;
    if (c->warmup < 0)
        c->warmup = c->steps / 30 < 2000 ? c->steps / 30 : 2000;
    if (!c->decay_steps)
        c->decay_steps = c->steps;
    if (c->min_lr < 0)
        c->min_lr = c->schedule == SCHEDULE_COSINE ? c->lr / 10 : 0;
    if (c->min_lr > c->lr)
        misuse("--min-lr: %g is above --lr %g", c->min_lr, c->lr);
}

double learn_rate(const struct learn_config *c, long long it)
{
    const double t = (double)it, w = (double)c->warmup, n = (double)c->decay_steps;
    const double pi = 3.14159265358979323846, fall = c->lr - c->min_lr;

    if (it < c->warmup)
        return c->lr * t / w;
    switch (c->schedule) {
    case SCHEDULE_LINEAR:           /* from step 0, as BERT counts it */
        return it < c->decay_steps ? c->min_lr + fall * (1 - t / n) : c->min_lr;
    case SCHEDULE_COSINE:
        return it < c->decay_steps ? c->min_lr + 0.5 * (1 + cos(pi * (t - w) / (n - w))) * fall
                                   : c->min_lr;
    case SCHEDULE_INVERSE_SQRT:
        return it > 1 ? c->lr * sqrt(w > 1 ? w : 1) / sqrt(t) : c->lr;
    default:
        return c->lr;
    }
}
