#include "learn/learner.h"
#include "base/base.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct model *learner_model(const struct backend *be, const struct model_config *model, int batch)
{
    struct model *m = model_build(be, model, batch, MODEL_LOSS, 1);
    plan_watch(m->stream[m->n_stream - 1]);
    return m;
}

int learner_moments(const struct learn_config *cfg)
{
    return cfg->optimizer != OPTIMIZER_SGD ? 2 : cfg->momentum > 0;
}

struct learner *learner_new(const struct backend *be, const struct model_config *model,
                            const struct learn_config *cfg)
{
    struct learner *l = zalloc(1, sizeof *l);
    struct model *m = learner_model(be, model, cfg->batch);

    l->cfg = *cfg;
    l->model = m;
    plan_place(m->plan, NULL);
    for (int i = 0; i < learner_moments(cfg); i++)
        l->moments[i] = be->alloc(m->plan->param_floats);
    l->losses = zalloc(tensor_size(m->stream[m->n_stream - 1]), sizeof *l->losses);
    l->weights = zalloc((size_t)m->loss->rows, sizeof *l->weights);
    return l;
}

void learner_free(struct learner *l)
{
    for (int i = 0; i < 2; i++)
        if (l->moments[i])
            l->model->plan->be->release(l->moments[i]);
    model_free(l->model);
    free(l->losses);
    free(l->weights);
    free(l);
}

/* One forward pass; the sum of the losses and the number of targets. */
static void forward(struct learner *l, const int *ids, const int *targets, int training,
                    double *sum, double *n)
{
    struct model *m = l->model;
    struct plan *p = m->plan;
    const unsigned long long seed = (unsigned long long)l->cfg.seed;
    const long long pass = l->step * l->cfg.accumulate + l->passes;
    const int draw[4] = {(int)(unsigned)seed, (int)(unsigned)(seed >> 32), (int)(unsigned)pass,
                         training};
    plan_put(p, m->ids, m->ids->data, ids);
    plan_put(p, m->targets, m->targets->data, targets);
    if (m->draw)
        plan_put(p, m->draw, m->draw->data, draw);
    plan_forward(p);
    plan_get(p, m->loss, m->loss->data, l->losses);
    for (int i = 0; i < m->loss->rows; i++)
        if (targets[i] >= 0) {
            *sum += l->losses[i];
            *n += 1;
        }
}

void learner_evaluate(struct learner *l, const int *ids, const int *targets, double *sum,
                      double *n)
{
    forward(l, ids, targets, 0, sum, n);
}

void learner_pass(struct learner *l, const int *ids, const int *targets)
{
    struct model *m = l->model;
    double sum = 0, n = 0;

    if (!l->passes)
        plan_zero_grads(m->plan);
    forward(l, ids, targets, 1, &sum, &n);
    const double share = l->cfg.accumulate_by == ACCUMULATE_MEAN ? l->cfg.accumulate : 1;
    for (int i = 0; i < m->loss->rows; i++)
        l->weights[i] = targets[i] < 0 ? 0 : (float)(1 / (n * share));
    plan_put(m->plan, m->loss, m->loss->grad, l->weights);
    plan_backward(m->plan);
    l->loss += sum / n;
    l->passes++;
}

static void update_tensor(struct learner *l, const struct tensor *t, double lr, double scale)
{
    const struct learn_config *c = &l->cfg;
    const struct backend *be = l->model->plan->be;
    const double t_now = (double)l->step + 1;
    const int matrix = t->rows > 1 && t->cols > 1;      /* gains and biases do not decay */
    const size_t n = (size_t)t->rows * (size_t)t->ld;
    float *m = l->moments[0] ? l->moments[0] + t->data_at : NULL;
    const float decay = matrix ? (float)c->weight_decay : 0;

    if (c->optimizer == OPTIMIZER_SGD)
        be->sgd(&(struct sgd_args){.w = t->data, .m = m, .grad = t->grad, .n = n, .lr = (float)lr,
                                   .momentum = (float)c->momentum, .decay = decay,
                                   .scale = (float)scale});
    else
        be->adam(&(struct adam_args){.w = t->data, .m = m, .v = l->moments[1] + t->data_at,
                                     .grad = t->grad, .n = n, .lr = (float)lr,
                                     .beta1 = (float)c->beta1, .beta2 = (float)c->beta2,
                                     .eps = (float)c->adam_eps, .decay = decay,
                                     .correct1 = (float)(1 - pow(c->beta1, t_now)),
                                     .correct2 = (float)(1 - pow(c->beta2, t_now)),
                                     .scale = (float)scale});
}

int learner_update(struct learner *l, struct step_record *r)
{
    const struct plan *p = l->model->plan;
    r->loss = l->loss / l->passes;
    r->lr = learn_rate(&l->cfg, l->step);
    r->grad_norm = sqrt(p->be->sum_squares(p->grads, p->param_floats));
    l->loss = l->passes = 0;
    if (!isfinite(r->loss) || !isfinite(r->grad_norm))
        return 0;

    /* As torch.nn.utils.clip_grad_norm_ does it. */
    const double over = l->cfg.clip > 0 ? l->cfg.clip / (r->grad_norm + 1e-6) : 1;
    for (size_t i = 0; i < p->n_tensors; i++)
        if (p->tensors[i]->kind == TENSOR_PARAM && !p->tensors[i]->base)
            update_tensor(l, p->tensors[i], r->lr, over < 1 ? over : 1);
    l->step++;
    return 1;
}

double learner_last_ma(struct learner *l)
{
    const struct tensor *t = l->model->stream[l->model->n_stream - 1];
    double sum = 0;
    plan_get(l->model->plan, t, t->data, l->losses);
    for (size_t i = 0; i < tensor_size(t); i++)
        sum += fabsf(l->losses[i]);
    return sum / (double)tensor_size(t);
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
