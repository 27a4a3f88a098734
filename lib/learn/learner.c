#include "learn/learner.h"
#include "base/base.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model *learner_model(const struct backend *be, const struct model_config *model,
                            const struct learn_config *cfg)
{
    struct model *m = model_build(be, model, cfg->batch, MODEL_LOSS, 1);
    m->plan->recompute = cfg->recompute ? RECOMPUTE_PARTS : model_recompute(m);
    m->plan->grads_once = cfg->accumulate == 1;
    plan_watch(m->stream[m->n_stream - 1]);
    return m;
}

int learner_moments(const struct learn_config *cfg)
{
    return cfg->optimizer != OPTIMIZER_SGD ? 2 : cfg->momentum > 0;
}

/* Parts begin on cache lines, as tensors do. */
static size_t part(size_t *at, size_t floats)
{
    const size_t here = *at;
    *at += (floats + 15) & ~(size_t)15;
    return here;
}

static struct step_block block_of(size_t rows, size_t passes)
{
    struct step_block b = {0};
    b.update = part(&b.size, sizeof(struct update) / sizeof(float));
    b.losses = part(&b.size, passes * sizeof(double) / sizeof(float));
    b.sums = part(&b.size, sizeof(struct sums) / sizeof(float));
    b.ids = part(&b.pass, rows);
    b.targets = part(&b.pass, rows);
    b.shares = part(&b.pass, rows);
    b.draw = part(&b.pass, 4);
    b.passes = part(&b.size, passes * b.pass);
    return b;
}

static struct update *update_in(const struct learner *l, float *block)
{
    return (struct update *)(void *)(block + l->at.update);
}

static double *losses_in(const struct learner *l, float *block)
{
    return (double *)(void *)(block + l->at.losses);
}

static float *pass_in(const struct learner *l, float *block, int k)
{
    return block + l->at.passes + (size_t)k * l->at.pass;
}

struct learner *learner_new(const struct backend *be, const struct model_config *model,
                            const struct learn_config *cfg)
{
    struct learner *l = zalloc(1, sizeof *l);
    struct model *m = learner_model(be, model, cfg);

    l->cfg = *cfg;
    l->model = m;
    plan_place(m->plan, NULL);
    for (int i = 0; i < learner_moments(cfg); i++)
        l->moments[i] = be->alloc(m->plan->param_floats);
    l->at = block_of((size_t)m->loss->rows, (size_t)cfg->accumulate);
    l->block = be->alloc(l->at.size);
    l->fed = zalloc(l->at.size, sizeof *l->fed);
    l->targets = zalloc(2 * (size_t)cfg->accumulate, sizeof *l->targets);
    return l;
}

void learner_free(struct learner *l)
{
    const struct backend *be = l->model->plan->be;
    float *const blocks[] = {l->moments[0], l->moments[1], l->block};
    be->forget(&l->whole);
    be->forget(&l->forward);
    for (int i = 0; i < 3; i++)
        if (blocks[i])
            be->release(blocks[i]);
    model_free(l->model);
    free(l->fed);
    free(l->targets);
    free(l);
}

/* What `draw` holds in a pass: see ops.h. */
static void set_draw(const struct learner *l, int draw[4], long long pass, int training)
{
    const unsigned long long seed = (unsigned long long)l->cfg.seed;
    draw[0] = (int)(unsigned)seed;
    draw[1] = (int)(unsigned)(seed >> 32);
    draw[2] = (int)(unsigned)pass;
    draw[3] = training;
}

static void forward(void *of)
{
    struct learner *l = of;
    struct model *m = l->model;
    plan_forward(m->plan);
    m->plan->be->sum(m->loss->data, (size_t)m->loss->rows, losses_in(l, l->block));
}

void learner_evaluate(struct learner *l, const int *ids, const int *targets, double *sum,
                      double *n)
{
    struct model *m = l->model;
    const struct backend *be = m->plan->be;
    const size_t rows = (size_t)m->loss->rows;
    double loss;

    be->send(m->ids->data, ids, rows * sizeof *ids);
    be->send(m->targets->data, targets, rows * sizeof *targets);
    if (m->draw) {
        int draw[4];
        set_draw(l, draw, 0, 0);
        be->send(m->draw->data, draw, sizeof draw);
    }
    be->replay(&l->forward, forward, l);
    be->get(&loss, losses_in(l, l->block), sizeof loss);
    *sum += loss;
    for (size_t i = 0; i < rows; i++)
        *n += targets[i] >= 0;
}

void learner_feed(struct learner *l, const int *ids, const int *targets)
{
    const int rows = l->model->loss->rows;
    float *to = pass_in(l, l->fed, l->passes);
    const double share = l->cfg.accumulate_by == ACCUMULATE_MEAN ? l->cfg.accumulate : 1;
    double n = 0;

    for (int i = 0; i < rows; i++)
        n += targets[i] >= 0;
    memcpy(to + l->at.ids, ids, (size_t)rows * sizeof *ids);
    memcpy(to + l->at.targets, targets, (size_t)rows * sizeof *targets);
    for (int i = 0; i < rows; i++)
        to[l->at.shares + (size_t)i] = targets[i] < 0 ? 0 : (float)(1 / (n * share));
    l->targets[l->passes++] = n;
}

static void update_tensor(const struct learner *l, const struct tensor *t)
{
    const struct learn_config *c = &l->cfg;
    const struct backend *be = l->model->plan->be;
    const struct update *now = update_in(l, l->block);
    const int matrix = t->rows > 1 && t->cols > 1;      /* gains and biases do not decay */
    const size_t n = (size_t)t->rows * (size_t)t->ld;
    float *m = l->moments[0] ? l->moments[0] + t->data_at : NULL;
    const float decay = matrix ? (float)c->weight_decay : 0;

    if (c->optimizer == OPTIMIZER_SGD)
        be->sgd(&(struct sgd_args){.w = t->data, .m = m, .grad = t->grad, .n = n, .now = now,
                                   .narrow = t->narrow, .momentum = (float)c->momentum,
                                   .decay = decay});
    else
        be->adam(&(struct adam_args){.w = t->data, .m = m, .v = l->moments[1] + t->data_at,
                                     .grad = t->grad, .n = n, .now = now, .narrow = t->narrow,
                                     .beta1 = (float)c->beta1, .beta2 = (float)c->beta2,
                                     .eps = (float)c->adam_eps, .decay = decay});
}

/* One pass: the batch to its place, forward, backward, the sum of its losses. */
static void pass(struct learner *l, int k)
{
    struct model *m = l->model;
    const struct backend *be = m->plan->be;
    const float *from = pass_in(l, l->block, k);
    const size_t rows = (size_t)m->loss->rows;

    be->copy(m->ids->data, from + l->at.ids, rows);
    be->copy(m->targets->data, from + l->at.targets, rows);
    if (m->draw)
        be->copy(m->draw->data, from + l->at.draw, 4);
    plan_forward(m->plan);
    be->sum(m->loss->data, rows, losses_in(l, l->block) + k);
    be->copy(m->loss->grad, from + l->at.shares, rows);
    plan_backward(m->plan);
}

/* The whole step, of which nothing changes but what stands in the block. */
static void whole_step(void *of)
{
    struct learner *l = of;
    const struct plan *p = l->model->plan;
    struct update *now = update_in(l, l->block);

    plan_zero_grads(l->model->plan);
    for (int k = 0; k < l->cfg.accumulate; k++)
        pass(l, k);
    p->be->sum_squares(p->grads, p->param_floats, &now->squares);
    p->be->settle(now, losses_in(l, l->block), l->cfg.accumulate, l->cfg.clip);
    for (size_t i = 0; i < p->n_tensors; i++)
        if (p->tensors[i]->kind == TENSOR_PARAM && !p->tensors[i]->base)
            update_tensor(l, p->tensors[i]);
}

void learner_begin(struct learner *l)
{
    const struct backend *be = l->model->plan->be;
    const double t = (double)l->step + 1;

    *update_in(l, l->fed) = (struct update){
        .lr = (float)learn_rate(&l->cfg, l->step),
        .correct1 = (float)(1 - pow(l->cfg.beta1, t)),
        .correct2 = (float)(1 - pow(l->cfg.beta2, t)),
    };
    for (int k = 0; k < l->cfg.accumulate; k++)
        set_draw(l, (int *)(void *)(pass_in(l, l->fed, k) + l->at.draw),
                 l->step * l->cfg.accumulate + k, 1);
    memcpy(l->targets + l->cfg.accumulate, l->targets, (size_t)l->passes * sizeof *l->targets);
    l->passes = 0;
    be->send(l->block, l->fed, l->at.size * sizeof *l->fed);
    be->replay(&l->whole, whole_step, l);
}

int learner_end(struct learner *l, struct step_record *r)
{
    const struct backend *be = l->model->plan->be;
    const int passes = l->cfg.accumulate;
    double *losses = zalloc((size_t)passes, sizeof *losses);
    struct update done;

    be->get(&done, l->block + l->at.update, sizeof done);
    be->get(losses, l->block + l->at.losses, (size_t)passes * sizeof *losses);
    *r = (struct step_record){.lr = learn_rate(&l->cfg, l->step), .grad_norm = sqrt(done.squares)};
    for (int k = 0; k < passes; k++)
        r->loss += losses[k] / l->targets[passes + k] / passes;
    free(losses);
    if (!isfinite(r->loss) || !isfinite(r->grad_norm))
        return 0;
    l->step++;
    return 1;
}

double learner_last_ma(struct learner *l)
{
    const struct tensor *t = l->model->stream[l->model->n_stream - 1];
    const struct backend *be = l->model->plan->be;
    struct sums *there = (struct sums *)(void *)(l->block + l->at.sums), s;
    be->sums(t, NULL, (struct sequences){1, t->rows}, there);
    be->get(&s, there, sizeof s);
    return s.absolute / (double)tensor_size(t);
}

const char *diverged(const struct learn_config *c, double last, double best)
{
    static char why[160];
    if (isinf(last))
        return "the validation loss is not finite";
    if (c->diverge_margin > 0 && last > best + c->diverge_margin)
        snprintf(why, sizeof why, "the last validation loss %.4f is more than %g above the best, "
                 "%.4f", last, c->diverge_margin, best);
    else if (c->diverge_above > 0 && last > c->diverge_above)
        snprintf(why, sizeof why, "the last validation loss %.4f is above %g", last,
                 c->diverge_above);
    else
        return NULL;
    return why;
}
