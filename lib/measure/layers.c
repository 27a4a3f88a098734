#include "measure/layers.h"
#include "base/base.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the bounds need of one window and one X_k. */
struct seen {
    double ma, var, fro;
};

struct layers {
    struct model *m;
    struct layers_result *result;           /* sums until layers_end() */
    struct spread spread[1 + 2 * MAX_LAYERS];
    struct seen *seen;                      /* [windows, n_stream] */
    long long room;
    float *state, *before, *other;          /* [batch * time, width] on the host */
    float *gain, *bias;                     /* [width] */
};

static int in_sublayer(const struct model *m, const struct norm_args *a, int k)
{
    return a->y->born <= m->stream[k]->born && (!k || a->y->born > m->stream[k - 1]->born);
}

struct layers *layers_new(struct model *m, long long windows)
{
    struct layers *l = zalloc(1, sizeof *l);
    const size_t n = (size_t)m->batch * (size_t)m->time, d = (size_t)m->cfg.width;
    *l = (struct layers){.m = m, .room = windows, .result = zalloc(1, sizeof *l->result)};
    l->seen = zalloc((size_t)windows * (size_t)m->n_stream, sizeof *l->seen);
    l->state = zalloc(n * d, sizeof(float));
    l->before = zalloc(n * d, sizeof(float));
    l->other = zalloc(n * d, sizeof(float));
    l->gain = zalloc(d, sizeof(float));
    l->bias = zalloc(d, sizeof(float));
    for (int k = 0; k < m->n_stream; k++) {
        plan_watch(m->stream[k]);
        if (k)
            plan_watch(m->branch[k - 1]);
    }
    for (size_t i = 0; i < m->plan->n_steps; i++)
        if (m->plan->steps[i].op == OP_norm) {
            plan_watch(m->plan->steps[i].u.norm.x);
            plan_watch(m->plan->steps[i].u.norm.y);
        }
    return l;
}

static void get(const struct layers *l, const struct tensor *t, float *host)
{
    plan_get(l->m->plan, t, t->data, host);
}

/* Add b's share to a's means, take the larger of what is a largest. */
static void add_norm(struct ellipsoid *a, const struct ellipsoid *b, int last, double share)
{
    if (last) {
        a->q += b->q * share;
        a->lemma += b->lemma * share;
    }
    a->error = larger(a->error, b->error);
    a->plane = larger(a->plane, b->plane);
}

/* Lemma 1 for the norms of sub-layer k (for k = 0 those before the first block). */
static void add_norms(struct layers *l, int k, int windows)
{
    const struct plan *p = l->m->plan;
    const struct norm_args *last = NULL;
    const int n = windows * l->m->time, d = l->m->cfg.width;

    for (size_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].op == OP_norm && in_sublayer(l->m, &p->steps[i].u.norm, k))
            last = &p->steps[i].u.norm;
    if (!last)
        l->result->layer[k].norm = (struct ellipsoid){NAN, NAN, NAN, NAN};
    for (size_t i = 0; i < p->n_steps && last; i++) {
        const struct norm_args *a = &p->steps[i].u.norm;
        if (p->steps[i].op != OP_norm || !in_sublayer(l->m, a, k))
            continue;
        get(l, a->x, l->before);
        get(l, a->y, l->other);
        if (a->gain)
            get(l, a->gain, l->gain);
        if (a->bias)
            get(l, a->bias, l->bias);
        const struct ellipsoid e = ellipsoid_of(l->before, l->other, a->gain ? l->gain : NULL,
                                                a->bias ? l->bias : NULL, n, d, a->eps, a->center);
        add_norm(&l->result->layer[k].norm, &e, a == last, windows);
    }
}

static void add_window(struct layers *l, int k, int window)
{
    struct layers_result *r = l->result;
    struct layer *row = &r->layer[k];
    const int n = l->m->time, d = l->m->cfg.width;
    const size_t at = (size_t)window * (size_t)n * (size_t)d;
    const struct moments m = moments_of(l->state + at, n, d);

    row->moments.mean += m.mean;
    row->moments.ma += m.ma;
    row->moments.var_entry += m.var_entry;
    row->moments.var_token += m.var_token;
    row->moments.fro += m.fro;
    row->moments.max_abs = larger(row->moments.max_abs, m.max_abs);
    spread_add(&l->spread[k], l->state + at, n, d);
    l->seen[(r->windows + window) * l->m->n_stream + k] = (struct seen){m.ma, m.var_entry, m.fro};
    if (k) {
        row->fro_f += norm_of_state(l->other + at, n, d) / sqrt((double)n * d);
        row->cos_f += cosine_of_states(l->other + at, l->before + at, n, d);
    }
}

void layers_add(struct layers *l, int windows)
{
    const struct model *m = l->m;
    if (l->result->windows + windows > l->room)
        die("layers_add: more than the %lld windows announced", l->room);
    for (int k = 0; k < m->n_stream; k++) {
        get(l, m->stream[k], l->state);
        if (k) {
            get(l, m->stream[k - 1], l->before);
            get(l, m->branch[k - 1], l->other);
        }
        for (int w = 0; w < windows; w++)
            add_window(l, k, w);
        add_norms(l, k, windows);
    }
    l->result->windows += windows;
}

static int ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

/* The largest of |t|, or `none` without t. */
static double largest(const struct layers *l, const struct tensor *t, double none)
{
    double most = 0;
    if (!t)
        return none;
    get(l, t, l->gain);
    for (int i = 0; i < t->cols; i++)
        most = larger(most, fabs((double)l->gain[i]));
    return most;
}

static void find_extremes(struct layers *l)
{
    const struct plan *p = l->m->plan;
    struct layers_result *r = l->result;
    r->g_max = r->b_max = model_placement(&l->m->cfg)->at & NORM_OUT ? 0 : NAN;
    for (size_t i = 0; i < p->n_steps; i++) {
        const struct norm_args *a = &p->steps[i].u.norm;
        if (p->steps[i].op != OP_norm || !ends_with(a->y->name, ".out"))
            continue;
        r->g_max = larger(r->g_max, largest(l, a->gain, 1));
        r->b_max = larger(r->b_max, largest(l, a->bias, 0));
    }
}

static void find_steps(struct layers *l)
{
    const struct model *m = l->m;
    for (int k = 0; k < m->n_stream; k++) {
        float learned = 0;
        if (k && m->dt[k - 1])
            get(l, m->dt[k - 1], &learned);
        l->result->layer[k].dt = !k ? NAN : m->dt[k - 1] ? (double)learned : m->cfg.dt;
    }
}

/* The bounds at X_k, at time t, for one window, whose X_0 is `first`. */
static void add_bounds(struct layers *l, int k, double t, const struct seen *first,
                       const struct seen *now)
{
    const struct model_config *cfg = &l->m->cfg;
    const unsigned at = model_placement(cfg)->at;
    const double nd = (double)l->m->time * cfg->width;
    struct layers_result *r = l->result;
    struct layer *row = &r->layer[k];
    double ma = NAN, var = NAN, grown = NAN;

    if (at & NORM_OUT && !(at & NORM_SUM)) {
        ma = first->fro + t * (r->g_max + r->b_max);
        var = nd * ma * ma / (nd - 1);
    }
    if (at & NORM_IN && !(at & (NORM_OUT | NORM_SUM)) && k % 2 == 0)
        grown = pow(1 + r->c_hat, k / 2) * first->fro;
    row->bound_ma += ma;
    row->bound_var += var;
    row->bound_exp += grown;
    row->ratio_ma = larger(row->ratio_ma, now->ma / ma);
    row->ratio_var = larger(row->ratio_var, now->var / var);
    row->ratio_exp = larger(row->ratio_exp, now->ma / grown);
}

/* Everything that compares the states of one window. */
static void compare(struct layers *l)
{
    const int n = l->m->n_stream;
    struct layers_result *r = l->result;
    r->c_hat = -1;
    for (long long w = 0; w < r->windows; w++) {
        const struct seen *s = l->seen + w * n;
        for (int k = 1; k < n; k++)
            r->layer[k].growth += s[k].fro / s[k - 1].fro - 1;
        for (int k = 2; k < n; k += 2)
            r->c_hat = larger(r->c_hat, s[k].fro / s[k - 2].fro - 1);
    }
    for (long long w = 0; w < r->windows; w++) {
        double t = 0;
        for (int k = 0; k < n; k++) {
            t += k ? fabs(r->layer[k].dt) : 0;
            add_bounds(l, k, t, l->seen + w * n, l->seen + w * n + k);
        }
    }
}

static void divide(struct layer *row, double n)
{
    double *const sums[] = {
        &row->moments.mean, &row->moments.ma, &row->moments.var_entry, &row->moments.var_token,
        &row->moments.fro, &row->fro_f, &row->cos_f, &row->growth, &row->bound_ma,
        &row->bound_var, &row->bound_exp,
    };
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        *sums[i] /= n;
}

struct layers_result *layers_end(struct layers *l)
{
    struct layers_result *r = l->result;
    double ma[1 + MAX_LAYERS];

    find_extremes(l);
    find_steps(l);
    compare(l);
    for (int k = 0; k < l->m->n_stream; k++) {
        struct layer *row = &r->layer[k];
        divide(row, (double)r->windows);
        row->norm.q /= (double)r->windows;
        row->norm.lemma /= (double)r->windows;
        row->var_data = spread_variance(&l->spread[k], l->m->time, l->m->cfg.width);
        spread_free(&l->spread[k]);
        if (k % 2 == 0)
            ma[k / 2] = row->moments.ma;
    }
    r->layer[0].fro_f = r->layer[0].cos_f = r->layer[0].growth = NAN;
    r->growth = growth_of(ma, l->m->cfg.layers + 1);
    float *const blocks[] = {l->state, l->before, l->other, l->gain, l->bias};
    for (int i = 0; i < 5; i++)
        free(blocks[i]);
    free(l->seen);
    free(l);
    return r;
}
