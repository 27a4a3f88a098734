#include "measure/sensitivity.h"
#include "base/base.h"
#include "measure/jacobian.h"
#include "measure/moments.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct model *sensitivity_model(const struct backend *be, const struct model_config *with)
{
    struct model_config cfg = *with;
    cfg.dropout = 0;
    struct model *m = model_build(be, &cfg, 1, MODEL_LOSS, 1);
    for (int k = 0; k < m->n_stream; k++) {
        plan_watch(m->stream[k]);
        if (k + 1 < m->n_stream)
            plan_watch(m->branch[k]);
    }
    plan_place(m->plan, NULL);
    return m;
}

static float *values(const struct model *m, const struct tensor *t, const float *from)
{
    float *host = zalloc(tensor_size(t), sizeof *host);
    plan_get(m->plan, t, from, host);
    return host;
}

/* What reached X_k, p = dG / d X_k, reduced. */
struct adjoint {
    struct sums sums;           /* of p, beside what sub-layer k - 1 put out */
    double support;             /* sup <-p, z> over z on the ellipsoid of that sub-layer's norm OUT,
                                   token by token; RMSNorm's sphere is the same */
};

/* A norm's gain or bias, or NULL where it has none. */
static struct tensor *out_norm(const struct model *m, int k, const char *part)
{
    char name[64];
    snprintf(name, sizeof name, "block.%d.%s.out.%s", k / 2, k % 2 ? "mlp" : "attn", part);
    return plan_find(m->plan, name);
}

static void reduce(const struct model *m, int k, struct adjoint *to)
{
    const struct backend *be = m->plan->be;
    const struct tensor p = tensor_gradient(m->stream[k]);
    const struct sequences all = {1, p.rows};
    be->sums(&p, k ? m->branch[k - 1] : NULL, all, &to->sums);
    if (k)
        be->support(&p, out_norm(m, k - 1, "gain"), out_norm(m, k - 1, "bias"), all, &to->support);
}

/* Backward from the loss, stopping after each sub-layer to read what reached its input. */
void sensitivity_adjoints(struct model *m, const int *ids, const int *targets,
                          struct sensitivity *rows)
{
    const size_t n = tensor_size(m->loss);
    float *share = zalloc(n, sizeof *share);
    const struct backend *be = m->plan->be;
    const int bounded = (model_placement(&m->cfg)->at & NORM_OUT) != 0;
    struct adjoint here[1 + 2 * MAX_LAYERS];
    const size_t bytes = (size_t)m->n_stream * sizeof *here;
    float *there = be->alloc(bytes / sizeof *there);
    size_t end = m->plan->n_steps;

    plan_put(m->plan, m->ids, m->ids->data, ids);
    plan_put(m->plan, m->targets, m->targets->data, targets);
    plan_forward(m->plan);
    plan_zero_grads(m->plan);
    for (size_t i = 0; i < n; i++)
        share[i] = 1.0f / (float)n;
    plan_put(m->plan, m->loss, m->loss->grad, share);
    free(share);
    for (int k = m->n_stream - 1; k >= 0; k--) {
        const size_t from = (size_t)m->stream[k]->born + 1;
        plan_backward_steps(m->plan, from, end);
        reduce(m, k, (struct adjoint *)(void *)there + k);
        end = from;
    }
    plan_backward_steps(m->plan, 0, end);
    be->get(here, there, bytes);
    be->release(there);
    rows[m->n_stream - 1].saturation = NAN;
    for (int k = 0; k < m->n_stream; k++) {
        rows[k].grad_x = sqrt(here[k].sums.squares);
        if (k)
            rows[k - 1].saturation = bounded ? -here[k].sums.product / here[k].support : 0;
    }
}

static double norm_between(struct model *m, struct tensor *from, struct tensor *to,
                           double tolerance)
{
    struct jacobian *j = jacobian_new(m->plan, from, to);
    const double norm = jacobian_norm(j, tolerance, 1);
    jacobian_free(j);
    return norm;
}

void sensitivity_norms(struct model *m, int norms, int to_end, double tolerance,
                       struct sensitivity *rows)
{
    const int last = m->n_stream - 1;

    rows[last].s_f = rows[last].s_step = NAN;
    rows[last].to_end = 1;
    for (int k = 0; k < last; k++) {
        struct tensor *x = m->stream[k], *end = m->stream[last];
        rows[k].s_f = norms ? norm_between(m, x, m->branch[k], tolerance) : NAN;
        rows[k].s_step = norms ? norm_between(m, x, m->stream[k + 1], tolerance) : NAN;
        rows[k].to_end = to_end ? norm_between(m, x, end, tolerance) : NAN;
    }
}

static void multiply(struct model *m, const struct tensor *t, double by)
{
    float *host = values(m, t, t->data);
    for (size_t i = 0; i < tensor_size(t); i++)
        host[i] = (float)(host[i] * by);
    plan_put(m->plan, t, t->data, host);
    free(host);
}

double sensitivity_scaled(struct model *m, int k, double in, double out, double tolerance)
{
    static const char *const parts[] = {"weight", "bias"};
    const struct tensor *scaled[3] = {m->stream[k]};
    float *kept[3] = {NULL};
    double norm;
    char name[64];

    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "block.%d.%s.proj.%s", k / 2, k % 2 ? "mlp" : "attn", parts[i]);
        scaled[i + 1] = plan_find(m->plan, name);
    }
    for (int i = 0; i < 3; i++)
        if (scaled[i]) {
            kept[i] = values(m, scaled[i], scaled[i]->data);
            multiply(m, scaled[i], i ? out : in);
        }
    norm = norm_between(m, m->stream[k], m->branch[k], tolerance);
    for (int i = 0; i < 3; i++)
        if (scaled[i]) {
            plan_put(m->plan, scaled[i], scaled[i]->data, kept[i]);
            free(kept[i]);
        }
    return norm;
}
