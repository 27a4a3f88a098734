#include "measure/tangent.h"
#include "base/base.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Each value of the plan has a differential of its shape in memory of its own: zero unless it
 * depends on `from`. */
struct tangent {
    struct plan *plan;
    const struct tensor *from, *to;
    struct tensor **of;             /* of plan->tensors[i]; NULL where it is no value */
};

static struct tensor *d(const struct tangent *t, const struct tensor *x)
{
    for (size_t i = 0; x && i < t->plan->n_tensors; i++)
        if (t->plan->tensors[i] == x)
            return t->of[i];
    return NULL;
}

struct tangent *tangent_new(struct plan *p, const struct tensor *from, const struct tensor *to)
{
    struct tangent *t = zalloc(1, sizeof *t);
    *t = (struct tangent){.plan = p, .from = from, .to = to,
                          .of = zalloc(p->n_tensors, sizeof *t->of)};
    for (size_t i = 0; i < p->n_tensors; i++) {     /* a value comes before views of it */
        const struct tensor *x = p->tensors[i];
        if (x->kind != TENSOR_VALUE)
            continue;
        t->of[i] = zalloc(1, sizeof **t->of);
        *t->of[i] = *x;
        t->of[i]->data = x->base ? tensor_at(x, d(t, x->base)->data, (size_t)x->col)
                                 : p->be->alloc(tensor_floats(x));
    }
    return t;
}

void tangent_free(struct tangent *t)
{
    for (size_t i = 0; i < t->plan->n_tensors; i++) {
        if (t->of[i] && !t->of[i]->base)
            t->plan->be->release(t->of[i]->data);
        free(t->of[i]);
    }
    free(t->of);
    free(t);
}

static float *to_host(const struct tangent *t, const struct tensor *x)
{
    float *host = zalloc(tensor_size(x), sizeof *host);
    plan_get(t->plan, x, x->data, host);
    return host;
}

/* x with dx for its data or for its gradient: a kernel's operand. */
static struct tensor with_gradient(const struct tensor *x, const struct tensor *dx)
{
    struct tensor y = *x;
    assert(x->ld == dx->ld);
    y.grad = dx->data;
    return y;
}

static void clear(const struct tangent *t, const struct tensor *x)
{
    t->plan->be->zero(x->data, tensor_floats(x));
}

/* f'(x) is diagonal: the backward kernel takes dx to dy as well. */
static void push_activation(const struct tangent *t, const struct activation_args *a)
{
    struct tensor x = with_gradient(a->x, d(t, a->y)), y = with_gradient(a->y, d(t, a->x));
    clear(t, d(t, a->y));
    t->plan->be->activation_backward(&(struct activation_args){.x = &x, .y = &y, .kind = a->kind});
}

/* dy = gain * P dx, where P, which the backward kernel applies where there is no gain, is
 * symmetric. */
static void push_norm(const struct tangent *t, const struct norm_args *a)
{
    struct tensor *dy = d(t, a->y), *dx = d(t, a->x);
    struct tensor x = with_gradient(a->x, dy), y = with_gradient(a->y, dx);
    clear(t, dy);
    t->plan->be->norm_backward(&(struct norm_args){.x = &x, .y = &y, .stats = a->stats,
                                                   .eps = a->eps, .center = a->center});
    if (!a->gain)
        return;
    float *gain = to_host(t, a->gain), *host = to_host(t, dy);
    for (size_t i = 0; i < tensor_size(dy); i++)
        host[i] *= gain[i % (size_t)dy->cols];
    plan_put(t->plan, dy, dy->data, host);
    free(gain);
    free(host);
}

static double dot(const float *a, const float *b, int n)
{
    float sum = 0;
    #pragma omp simd reduction(+:sum)
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return (double)sum;
}

/* y += s x */
static void add(float *restrict y, double s, const float *restrict x, int n)
{
    for (int i = 0; i < n; i++)
        y[i] += (float)s * x[i];
}

/* Everything of an attention, on the host. */
struct mixing {
    float *q, *k, *v, *dq, *dk, *dv, *dy;
    int keys, head, c;              /* keys that a query sees; columns of a head, of all */
};

/* One query, at `at` in the arrays, over the keys from row `first` on.  With p = softmax(s) and
 * ds = (dq k' + q dk') / sqrt(head):  dy = sum of p (ds - sum of p ds) v + p dv. */
static void push_query(const struct mixing *m, size_t at, size_t first, double *s)
{
    const size_t c = (size_t)m->c, column = at % c;
    const double scale = 1 / sqrt(m->head);
    double most = -INFINITY, total = 0, mean = 0;

    for (int j = 0; j < m->keys; j++) {
        s[j] = scale * dot(m->q + at, m->k + (first + (size_t)j) * c + column, m->head);
        most = fmax(most, s[j]);
    }
    for (int j = 0; j < m->keys; j++)
        total += s[j] = exp(s[j] - most);
    double *ds = s + m->keys;
    for (int j = 0; j < m->keys; j++) {
        const size_t key = (first + (size_t)j) * c + column;
        s[j] /= total;
        ds[j] = scale * dot(m->dq + at, m->k + key, m->head)
              + scale * dot(m->q + at, m->dk + key, m->head);
        mean += s[j] * ds[j];
    }
    for (int j = 0; j < m->keys; j++) {
        const size_t key = (first + (size_t)j) * c + column;
        add(m->dy + at, s[j] * (ds[j] - mean), m->v + key, m->head);
        add(m->dy + at, s[j], m->dv + key, m->head);
    }
}

static void push_attention(const struct tangent *t, const struct attention_args *a)
{
    struct tensor *dy = d(t, a->y);
    struct mixing m = {
        to_host(t, a->q), to_host(t, a->k), to_host(t, a->v), to_host(t, d(t, a->q)),
        to_host(t, d(t, a->k)), to_host(t, d(t, a->v)), zalloc(tensor_size(dy), sizeof(float)),
        .head = a->q->cols / a->heads, .c = a->q->cols};
    const int rows = a->q->rows;

    assert(!a->lengths && !a->draw);
    #pragma omp parallel for collapse(2) schedule(dynamic, 16) firstprivate(m)
    for (int h = 0; h < a->heads; h++)
        for (int r = 0; r < rows; r++) {
            double *s = zalloc(2 * (size_t)a->tk, sizeof *s);
            m.keys = a->causal ? a->tk - a->tq + r % a->tq + 1 : a->tk;
            push_query(&m, (size_t)r * (size_t)m.c + (size_t)(h * m.head),
                       (size_t)(r / a->tq) * (size_t)a->tk, s);
            free(s);
        }
    plan_put(t->plan, dy, dy->data, m.dy);
    float *const arrays[] = {m.q, m.k, m.v, m.dq, m.dk, m.dv, m.dy};
    for (int i = 0; i < 7; i++)
        free(arrays[i]);
}

static void push_step(const struct tangent *t, const struct step *s)
{
    const struct backend *be = t->plan->be;
    struct step ds = *s;

    switch (s->op) {
    case OP_linear:
        ds.u.linear.x = d(t, s->u.linear.x);
        ds.u.linear.bias = NULL;
        ds.u.linear.after = NULL;
        ds.u.linear.y = d(t, s->u.linear.y);
        be->linear_forward(&ds.u.linear);
        break;
    case OP_residual:
        ds.u.residual.x = d(t, s->u.residual.x);
        ds.u.residual.f = d(t, s->u.residual.f);
        ds.u.residual.y = d(t, s->u.residual.y);
        be->residual_forward(&ds.u.residual);
        break;
    case OP_scale:
        ds.u.scale.x = d(t, s->u.scale.x);
        ds.u.scale.y = d(t, s->u.scale.y);
        be->scale_forward(&ds.u.scale);
        break;
    case OP_activation: push_activation(t, &s->u.activation); break;
    case OP_norm: push_norm(t, &s->u.norm); break;
    case OP_attention: push_attention(t, &s->u.attention); break;
    default: die("tangent: operation %d has no differential", (int)s->op);
    }
}

void tangent_push(struct tangent *t, const float *v, float *out)
{
    plan_put(t->plan, d(t, t->from), d(t, t->from)->data, v);
    for (int i = t->from->born + 1; i <= t->to->born; i++)
        push_step(t, &t->plan->steps[i]);
    plan_get(t->plan, d(t, t->to), d(t, t->to)->data, out);
}
