#include "graph/plan.h"
#include "base/base.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name; int in, out; unsigned keep; } ops[OP_COUNT] = {
#define OP(name, in, out, keep) {#name, in, out, keep},
#include "kernels/ops.def"
#undef OP
};

/* The operands of a step, inputs then outputs: every *_args begins with them. */
static struct tensor *const *operands(const struct step *s)
{
    return (struct tensor *const *)&s->u;
}

static struct tensor *root(struct tensor *t)
{
    return t->base ? t->base : t;
}

static size_t stored_floats(const struct tensor *t)
{
    return ((size_t)t->rows * (size_t)t->ld + 15) & ~(size_t)15;     /* whole cache lines */
}

struct plan *plan_new(const struct backend *be, int train)
{
    struct plan *p = zalloc(1, sizeof *p);
    p->be = be;
    p->train = train;
    return p;
}

void plan_free(struct plan *p)
{
    if (p->memory)
        p->be->release(p->memory);
    for (size_t i = 0; i < p->n_tensors; i++)
        free(p->tensors[i]);
    free(p->tensors);
    free(p->steps);
    free(p);
}

static struct tensor *new_tensor(struct plan *p)
{
    p->tensors = grow(p->tensors, p->n_tensors, sizeof *p->tensors);
    return p->tensors[p->n_tensors++] = zalloc(1, sizeof(struct tensor));
}

struct tensor *plan_tensor(struct plan *p, enum tensor_kind kind, int rows, int cols,
                           const char *fmt, ...)
{
    struct tensor *t = new_tensor(p);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t->name, sizeof t->name, fmt, ap);
    va_end(ap);
    t->kind = kind;
    t->rows = rows;
    t->cols = t->ld = cols;
    t->born = t->last = t->last_user = -1;
    return t;
}

struct tensor *plan_columns(struct plan *p, struct tensor *t, int first, int cols)
{
    struct tensor *v = new_tensor(p);
    *v = *t;
    v->base = root(t);
    v->col = t->col + first;
    v->cols = cols;
    return v;
}

void plan_add(struct plan *p, struct step s)
{
    struct tensor *const *t = operands(&s);
    const int in = ops[s.op].in, n = in + ops[s.op].out, now = (int)p->n_steps;

    for (int i = 0; i < in; i++)
        if (t[i]) {
            struct tensor *r = root(t[i]);
            r->last = r->last > now ? r->last : now;
            r->last_user = now;
        }
    for (int i = in; i < n; i++) {
        t[i]->born = t[i]->last_user = now;
        t[i]->last = t[i]->last > now ? t[i]->last : now;
    }
    p->steps = grow(p->steps, p->n_steps, sizeof *p->steps);
    p->steps[p->n_steps++] = s;
}

void plan_watch(struct tensor *t)
{
    root(t)->last = INT_MAX;
}

struct tensor *plan_find(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->n_tensors; i++)
        if (!p->tensors[i]->base && !strcmp(p->tensors[i]->name, name))
            return p->tensors[i];
    return NULL;
}

/* One stretch of the arena, in use from time `from` to time `to`.  Forward step
 * i happens at time i, its backward at time 2 n_steps - 1 - i. */
struct span {
    size_t size, *at;
    int from, to;
};

static int by_size(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->from != y->from ? x->from - y->from : (x->at > y->at) - (x->at < y->at);
}

static int by_place(const void *a, const void *b)
{
    const struct span *x = *(struct span *const *)a, *y = *(struct span *const *)b;
    return *x->at < *y->at ? -1 : *x->at > *y->at;
}

/* Largest first, each at the lowest address free for its whole life. */
static size_t place(struct span *spans, size_t n)
{
    struct span **near = zalloc(n, sizeof *near);
    size_t top = 0;

    qsort(spans, n, sizeof *spans, by_size);
    for (size_t i = 0; i < n; i++) {
        size_t at = 0, m = 0;
        for (size_t j = 0; j < i; j++)
            if (spans[j].from <= spans[i].to && spans[i].from <= spans[j].to)
                near[m++] = &spans[j];
        qsort(near, m, sizeof *near, by_place);
        for (size_t j = 0; j < m && at + spans[i].size > *near[j]->at; j++)
            if (*near[j]->at + near[j]->size > at)
                at = *near[j]->at + near[j]->size;
        *spans[i].at = at;
        if (at + spans[i].size > top)
            top = at + spans[i].size;
    }
    free(near);
    return top;
}

/* What backward reads lives until it has run. */
static void keep_for_backward(struct plan *p)
{
    const int end = 2 * (int)p->n_steps;
    for (size_t i = 0; i < p->n_steps; i++)
        for (int k = 0; k < ops[p->steps[i].op].in + ops[p->steps[i].op].out; k++) {
            struct tensor *t = operands(&p->steps[i])[k];
            if (t && ops[p->steps[i].op].keep >> k & 1 && root(t)->last < end - 1 - (int)i)
                root(t)->last = end - 1 - (int)i;
        }
}

void plan_layout(struct plan *p)
{
    const int end = 2 * (int)p->n_steps;
    struct span *spans = zalloc(2 * p->n_tensors, sizeof *spans);
    size_t n = 0;

    if (p->train)
        keep_for_backward(p);
    p->param_floats = 0;
    for (size_t i = 0; i < p->n_tensors; i++) {
        struct tensor *t = p->tensors[i];
        const size_t size = stored_floats(t);
        if (t->base)
            continue;
        if (t->kind == TENSOR_PARAM) {
            t->data_at = t->grad_at = p->param_floats;
            p->param_floats += size;
            continue;
        }
        const int lasting = t->kind == TENSOR_INPUT;
        spans[n++] = (struct span){size, &t->data_at, lasting ? 0 : t->born,
                                   lasting ? INT_MAX : t->last};
        if (p->train && t->kind == TENSOR_VALUE)    /* last user's backward .. producer's; what
                                                       nobody uses is the caller's to fill */
            spans[n++] = (struct span){size, &t->grad_at, t->last_user == t->born ? 0 :
                                       end - 1 - t->last_user, end - 1 - t->born};
    }
    p->work_floats = place(spans, n);
    free(spans);
}

static const struct tensor *borrow(const struct plan *lender, const struct tensor *t)
{
    const struct tensor *own = plan_find(lender, t->name);
    if (!own || own->kind != TENSOR_PARAM || own->rows != t->rows || own->cols != t->cols
        || own->ld != t->ld)
        die("parameter %s [%d, %d] is not in the model that lends it", t->name, t->rows, t->cols);
    return own;
}

void plan_place(struct plan *p, const struct plan *lender)
{
    plan_layout(p);
    p->lender = lender;
    const size_t params = lender ? 0 : p->param_floats, grads = p->train ? params : 0;
    p->memory = p->be->alloc(params + grads + p->work_floats);
    p->params = params ? p->memory : NULL;
    p->grads = grads ? p->memory + params : NULL;
    p->work = p->memory + params + grads;
    for (size_t i = 0; i < p->n_tensors; i++) {
        struct tensor *t = p->tensors[i], *b = root(t);
        if (b->kind != TENSOR_PARAM) {
            t->data = p->work + b->data_at + t->col;
            if (p->train && b->kind == TENSOR_VALUE)
                t->grad = p->work + b->grad_at + t->col;
        } else if (lender) {
            const struct tensor *own = borrow(lender, b);
            t->data = own->data + t->col;
            t->grad = p->train && own->grad ? own->grad + t->col : NULL;
        } else {
            t->data = p->params + b->data_at + t->col;
            t->grad = p->grads ? p->grads + b->grad_at + t->col : NULL;
        }
    }
}

void plan_forward_steps(struct plan *p, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        const struct step *s = &p->steps[i];
        switch (s->op) {
#define OP(name, in, out, keep) case OP_##name: p->be->name##_forward(&s->u.name); break;
#include "kernels/ops.def"
#undef OP
        case OP_COUNT: break;
        }
    }
}

void plan_backward_steps(struct plan *p, size_t first, size_t end)
{
    for (size_t i = end; i-- > first;) {
        const struct step *s = &p->steps[i];
        for (int k = 0; k < ops[s->op].in; k++) {   /* first contribution: start from zero */
            struct tensor *t = operands(s)[k] ? root(operands(s)[k]) : NULL;
            if (t && t->kind == TENSOR_VALUE && t->last_user == (int)i)
                p->be->zero(t->grad, stored_floats(t));
        }
        switch (s->op) {
#define OP(name, in, out, keep) case OP_##name: p->be->name##_backward(&s->u.name); break;
#include "kernels/ops.def"
#undef OP
        case OP_COUNT: break;
        }
    }
}

void plan_forward(struct plan *p)
{
    plan_forward_steps(p, 0, p->n_steps);
}

void plan_backward(struct plan *p)
{
    plan_backward_steps(p, 0, p->n_steps);
}

void plan_zero_grads(struct plan *p)
{
    if (p->grads)
        p->be->zero(p->grads, p->param_floats);
}

size_t plan_parameters(const struct plan *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_tensors; i++)
        if (p->tensors[i]->kind == TENSOR_PARAM && !p->tensors[i]->base)
            n += tensor_size(p->tensors[i]);
    return n;
}

double step_flops(const struct step *s)
{
    if (s->op == OP_linear)
        return 2.0 * (double)tensor_size(s->u.linear.x) * s->u.linear.y->cols;
    if (s->op == OP_attention)
        return (s->u.attention.causal ? 2.0 : 4.0) * (double)tensor_size(s->u.attention.q)
             * s->u.attention.tk;
    return 0;
}

double step_bytes(const struct step *s, int backward)
{
    const int in = ops[s->op].in, n = in + ops[s->op].out;
    double floats = 0;
    for (int i = 0; i < n; i++) {
        const struct tensor *t = operands(s)[i];
        if (!t)
            continue;
        const double size = (double)tensor_size(t);
        if (!backward || ops[s->op].keep >> i & 1)
            floats += size;
        if (backward && t->grad)
            floats += i < in ? 2 * size : size;
    }
    return sizeof(float) * floats;
}

double plan_flops(const struct plan *p)
{
    double flops = 0;
    for (size_t i = 0; i < p->n_steps; i++)
        flops += step_flops(&p->steps[i]);
    return flops;
}

void plan_get(const struct plan *p, const struct tensor *t, const float *from, void *host)
{
    const size_t bytes = (size_t)t->cols * sizeof(float);
    if (t->ld == t->cols)
        p->be->get(host, from, bytes * (size_t)t->rows);
    else
        for (int r = 0; r < t->rows; r++)
            p->be->get((char *)host + (size_t)r * bytes, from + (size_t)r * (size_t)t->ld, bytes);
}

void plan_put(const struct plan *p, const struct tensor *t, float *to, const void *host)
{
    const size_t bytes = (size_t)t->cols * sizeof(float);
    if (t->ld == t->cols)
        p->be->put(to, host, bytes * (size_t)t->rows);
    else
        for (int r = 0; r < t->rows; r++)
            p->be->put(to + (size_t)r * (size_t)t->ld, (const char *)host + (size_t)r * bytes,
                       bytes);
}
