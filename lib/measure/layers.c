#include "measure/layers.h"
#include "base/base.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the bounds need of one window and one X_k. */
struct seen {
    double ma, var, fro;
};

/* What a pass is reduced to, in the backend's memory or here. */
struct reduced {
    struct sums *state, *branch;            /* [n_stream, batch]; branch beside X_{k-1} */
    struct welford *entry;                  /* [n_stream] */
    struct ellipsoid *norm;                 /* [n_steps], of those that are norms */
};

struct layers {
    struct model *m;
    struct layers_result *result;           /* sums until layers_end() */
    struct seen *seen;                      /* [windows, n_stream] */
    long long room;
    struct reduced there, here;
    double *means;                          /* of entries over windows, [n_stream, time, width];
                                               in the backend's memory, as `there` */
    double deviations[1 + 2 * MAX_LAYERS];  /* from them, squared, over all entries */
};

static int in_sublayer(const struct model *m, const struct norm_args *a, int k)
{
    return a->y->born <= m->stream[k]->born && (!k || a->y->born > m->stream[k - 1]->born);
}

/* Its bytes. */
static size_t reduced_size(const struct model *m)
{
    const size_t n = (size_t)m->n_stream;
    return 2 * n * (size_t)m->batch * sizeof(struct sums) + n * sizeof(struct welford)
         + m->plan->n_steps * sizeof(struct ellipsoid);
}

static struct reduced reduced_in(const struct model *m, void *memory)
{
    const size_t n = (size_t)m->n_stream, windows = n * (size_t)m->batch;
    struct reduced r = {.state = memory};
    r.branch = r.state + windows;
    r.entry = (struct welford *)(void *)(r.branch + windows);
    r.norm = (struct ellipsoid *)(void *)(r.entry + n);
    return r;
}

static size_t state_size(const struct model *m)
{
    return (size_t)m->time * (size_t)m->cfg.width;
}

struct layers *layers_new(struct model *m, long long windows)
{
    struct layers *l = zalloc(1, sizeof *l);
    const struct backend *be = m->plan->be;
    const size_t bytes = reduced_size(m);
    *l = (struct layers){.m = m, .room = windows, .result = zalloc(1, sizeof *l->result)};
    l->seen = zalloc((size_t)windows * (size_t)m->n_stream, sizeof *l->seen);
    l->means = (double *)(void *)be->alloc(2 * (size_t)m->n_stream * state_size(m));
    l->there = reduced_in(m, be->alloc(bytes / sizeof(float)));
    l->here = reduced_in(m, zalloc(1, bytes));
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

/* Ask for all of a pass. */
static void reduce(const struct layers *l, struct sequences w)
{
    const struct model *m = l->m;
    const struct plan *p = m->plan;
    const struct reduced *to = &l->there;
    const struct sequences all = {1, w.n * w.time};

    for (int k = 0; k < m->n_stream; k++) {
        p->be->sums(m->stream[k], NULL, w, to->state + k * m->batch);
        p->be->welford(m->stream[k], w, l->result->windows,
                       l->means + (size_t)k * state_size(m), to->entry + k);
        if (k)
            p->be->sums(m->branch[k - 1], m->stream[k - 1], w, to->branch + k * m->batch);
    }
    for (size_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].op == OP_norm)
            p->be->ellipsoid(&p->steps[i].u.norm, all, to->norm + i);
}

/* Lemma 1 for the norms of sub-layer k (for k = 0 those before the first block). */
static void add_norms(struct layers *l, int k)
{
    const struct plan *p = l->m->plan;
    struct ellipsoid *sum = &l->result->layer[k].norm;
    int any = 0;

    for (size_t i = p->n_steps; i-- > 0;) {
        const struct norm_args *a = &p->steps[i].u.norm;
        if (p->steps[i].op != OP_norm || !in_sublayer(l->m, a, k))
            continue;
        const struct ellipsoid *e = &l->here.norm[i];
        if (!any++) {                       /* the last */
            sum->q += e->q / l->m->time;
            sum->lemma += e->lemma / l->m->time;
        }
        sum->error = larger(sum->error, e->error);
        sum->plane = larger(sum->plane, a->center ? e->plane : NAN);
    }
    if (!any)
        *sum = (struct ellipsoid){NAN, NAN, NAN, NAN};
}

static void add_window(struct layers *l, int k, int window)
{
    struct layers_result *r = l->result;
    struct layer *row = &r->layer[k];
    const int n = l->m->time, d = l->m->cfg.width, batch = l->m->batch;
    const struct moments m = moments_of(&l->here.state[k * batch + window], n, d);

    row->moments.mean += m.mean;
    row->moments.ma += m.ma;
    row->moments.var_entry += m.var_entry;
    row->moments.var_token += m.var_token;
    row->moments.fro += m.fro;
    row->moments.max_abs = larger(row->moments.max_abs, m.max_abs);
    l->seen[(r->windows + window) * l->m->n_stream + k] = (struct seen){m.ma, m.var_entry, m.fro};
    if (k) {
        const struct sums *f = &l->here.branch[k * batch + window];
        const struct sums *x = &l->here.state[(k - 1) * batch + window];
        row->fro_f += moments_of(f, n, d).fro;
        row->cos_f += f->product / sqrt(f->squares * x->squares);
    }
}

void layers_add(struct layers *l, int windows)
{
    const struct model *m = l->m;
    if (l->result->windows + windows > l->room)
        die("layers_add: more than the %lld windows announced", l->room);
    reduce(l, (struct sequences){windows, m->time});
    m->plan->be->get(l->here.state, l->there.state, reduced_size(m));
    for (int k = 0; k < m->n_stream; k++) {
        for (int w = 0; w < windows; w++)
            add_window(l, k, w);
        l->deviations[k] += l->here.entry[k].deviations;
        add_norms(l, k);
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
    return t ? sums_of(l->m->plan->be, t).largest : none;
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

/* In the mean square of what a norm puts out: hundreds of f32's, or two of 2^-9 where that is
 * stored in bf16, and as many again for a bias as large as the gain. */
static double rounding(const struct plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].op == OP_norm && p->steps[i].u.norm.y->storage == STORAGE_BF16)
            return 0x1p-7;
    return 1e-5;
}

static void find_steps(struct layers *l)
{
    const struct model *m = l->m;
    for (int k = 0; k < m->n_stream; k++) {
        float learned = 0;
        if (k && m->dt[k - 1])
            plan_get(m->plan, m->dt[k - 1], m->dt[k - 1]->data, &learned);
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
    const double entries = (double)(r->windows - 1) * (double)state_size(l->m);
    double ma[1 + MAX_LAYERS];

    find_extremes(l);
    r->rounding = rounding(l->m->plan);
    find_steps(l);
    compare(l);
    for (int k = 0; k < l->m->n_stream; k++) {
        struct layer *row = &r->layer[k];
        divide(row, (double)r->windows);
        row->norm.q /= (double)r->windows;
        row->norm.lemma /= (double)r->windows;
        row->var_data = entries > 0 ? l->deviations[k] / entries : NAN;
        if (k % 2 == 0)
            ma[k / 2] = row->moments.ma;
    }
    r->layer[0].fro_f = r->layer[0].cos_f = r->layer[0].growth = NAN;
    r->growth = growth_of(ma, l->m->cfg.layers + 1);
    l->m->plan->be->release((float *)(void *)l->means);
    l->m->plan->be->release((float *)(void *)l->there.state);
    free(l->here.state);
    free(l->seen);
    free(l);
    return r;
}
