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

/* A norm's gain or bias, or NULL where it has none. */
static float *out_norm(const struct model *m, int k, const char *part)
{
    char name[64];
    snprintf(name, sizeof name, "block.%d.%s.out.%s", k / 2, k % 2 ? "mlp" : "attn", part);
    const struct tensor *t = plan_find(m->plan, name);
    return t ? values(m, t, t->data) : NULL;
}

/* Over z on the ellipsoid of the norm OUT, token by token,
 * sup <-p, z> = <-p, bias> + sqrt(d) ||gain p||; RMSNorm's sphere is the same. */
static double saturation(const struct model *m, int k, const float *p)
{
    const int n = m->branch[k]->rows, d = m->branch[k]->cols;
    if (!(model_placement(&m->cfg)->at & NORM_OUT))
        return 0;
    float *f = values(m, m->branch[k], m->branch[k]->data);
    float *gain = out_norm(m, k, "gain"), *bias = out_norm(m, k, "bias");
    double got = 0, most = 0;

    for (int r = 0; r < n; r++) {
        double square = 0;
        for (int i = 0; i < d; i++) {
            const double pi = p[(size_t)r * (size_t)d + (size_t)i], g = gain ? gain[i] : 1;
            got -= pi * f[(size_t)r * (size_t)d + (size_t)i];
            most -= bias ? pi * bias[i] : 0;
            square += g * pi * g * pi;
        }
        most += sqrt(d * square);
    }
    free(f);
    free(gain);
    free(bias);
    return got / most;
}

/* Backward from the loss, stopping after each sub-layer to read what reached its input. */
void sensitivity_adjoints(struct model *m, const int *ids, const int *targets,
                          struct sensitivity *rows)
{
    const size_t n = tensor_size(m->loss);
    float *share = zalloc(n, sizeof *share);
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
        float *p = values(m, m->stream[k], m->stream[k]->grad);
        rows[k].grad_x = norm_of_state(p, m->stream[k]->rows, m->stream[k]->cols);
        if (k > 0)
            rows[k - 1].saturation = saturation(m, k - 1, p);
        free(p);
        end = from;
    }
    rows[m->n_stream - 1].saturation = NAN;
    plan_backward_steps(m->plan, 0, end);
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
