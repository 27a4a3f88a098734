#include "graph/plan.h"
#include "base/base.h"
#include "graph/plan_inside.h"
#include "kernels/bf16.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct op_shape op_shapes[OP_COUNT] = {
#define OP(name, in, out, keep) {in, out, keep},
#include "kernels/ops.def"
#undef OP
};

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
    if (p->halves)
        p->be->release(p->halves);
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
    const int in = op_shapes[s.op].in, n = in + op_shapes[s.op].out, now = (int)p->n_steps;

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

void plan_part(struct plan *p, size_t first)
{
    p->n_parts++;
    for (size_t i = first; i < p->n_steps; i++)
        p->steps[i].part = p->n_parts;
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

static void forward(struct plan *p, size_t first, size_t end, enum pass pass)
{
    for (size_t i = first; i < end; i++) {
        if (is_joined_forward(p, i, first, end) || (pass == AGAIN && !p->steps[i].again_at))
            continue;
        const struct step s = joined_step(p, i, first, end, pass);
        switch (s.op) {
#define OP(name, in, out, keep) case OP_##name: p->be->name##_forward(&s.u.name); break;
#include "kernels/ops.def"
#undef OP
        case OP_COUNT: break;
        }
    }
}

void plan_forward_steps(struct plan *p, size_t first, size_t end)
{
    forward(p, first, end, FORWARD);
}

/* Before the backward half of a step: which gradients hold nothing yet. */
static void begin_gradients(struct plan *p, const struct step *s)
{
    for (int k = 0; k < op_shapes[s->op].in; k++) {
        struct tensor *t = operands(s)[k];
        const int begins = t && (root(t)->kind != TENSOR_PARAM || p->grads_fresh);
        if (t)
            t->fresh = begins && s->stores >> k & 1;
        if (begins && s->clears >> k & 1)
            p->be->zero(root(t)->grad, stored_floats(root(t)));
    }
}

static void backward(struct plan *p, size_t first, size_t end)
{
    for (size_t i = end; i-- > first;) {
        if (ends_part(p, i))
            forward(p, part_first(p, i), i + 1, AGAIN);
        if (is_joined_backward(p, i, end))
            continue;
        const struct step s = joined_step(p, i, first, end, BACKWARD);
        begin_gradients(p, &s);
        if (i > first && is_joined_backward(p, i - 1, end))
            begin_gradients(p, &p->steps[i - 1]);
        switch (s.op) {
#define OP(name, in, out, keep) case OP_##name: p->be->name##_backward(&s.u.name); break;
#include "kernels/ops.def"
#undef OP
        case OP_COUNT: break;
        }
    }
}

void plan_backward_steps(struct plan *p, size_t first, size_t end)
{
    if (p->grads_fresh)
        p->be->zero(p->grads, p->param_floats);
    p->grads_fresh = 0;
    backward(p, first, end);
}

void plan_forward(struct plan *p)
{
    plan_forward_steps(p, 0, p->n_steps);
}

void plan_backward(struct plan *p)
{
    p->grads_fresh |= p->grads_once;
    backward(p, 0, p->n_steps);
    p->grads_fresh = 0;
}

void plan_zero_grads(struct plan *p)
{
    if (p->grads && p->be->stores)
        p->grads_fresh = 1;             /* the next backward pass stores what it comes to first */
    else if (p->grads)
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
    if (s->op == OP_head)
        return 2.0 * (double)tensor_size(s->u.head.x) * s->u.head.weight->rows;
    if (s->op == OP_attention)
        return (s->u.attention.causal ? 2.0 : 4.0) * (double)tensor_size(s->u.attention.q)
             * s->u.attention.tk;
    return 0;
}

double step_bytes(const struct step *s, int backward)
{
    const int in = op_shapes[s->op].in, n = in + op_shapes[s->op].out;
    double bytes = 0;
    for (int i = 0; i < n; i++) {
        const struct tensor *t = operands(s)[i];
        if (!t)
            continue;
        const double size = (double)tensor_size(t) * (t->storage == STORAGE_BF16 ? 2 : 4);
        if (!backward || op_shapes[s->op].keep >> i & 1)
            bytes += size;
        if (backward && t->grad)
            bytes += i < in ? 2 * size : size;
    }
    return bytes;
}

double plan_flops(const struct plan *p)
{
    double flops = 0;
    for (size_t i = 0; i < p->n_steps; i++)
        flops += step_flops(&p->steps[i]);
    return flops;
}

double plan_flops_again(const struct plan *p)
{
    double flops = 0;
    for (size_t i = 0; i < p->n_steps; i++)
        flops += p->steps[i].again_at ? step_flops(&p->steps[i]) : 0;
    return flops;
}

/* n numbers in bf16 at the end of the storage of n floats become these floats. */
static void widen(float *to, size_t n)
{
    const uint16_t *from = (const uint16_t *)(const void *)to + n;
    for (size_t i = 0; i < n; i++)
        to[i] = bf16_widen(from[i]);
}

/* Row r of t, or where rows are not padded all from r on, and how many numbers that are. */
static float *run_of(const struct tensor *t, float *p, int r, size_t *n)
{
    *n = t->ld == t->cols ? tensor_size(t) : (size_t)t->cols;
    return tensor_at(t, p, (size_t)r * (size_t)t->ld);
}

static int next_run(const struct tensor *t, int r)
{
    return t->ld == t->cols ? t->rows : r + 1;
}

void plan_get(const struct plan *p, const struct tensor *t, const float *from, void *host)
{
    const int narrow = t->storage == STORAGE_BF16;
    size_t n;
    for (int r = 0; r < t->rows; r = next_run(t, r)) {
        const float *run = run_of(t, (float *)(size_t)from, r, &n);
        float *to = (float *)host + (size_t)r * (size_t)t->cols;
        p->be->get(narrow ? (char *)(void *)to + 2 * n : (void *)to, run, n * (narrow ? 2 : 4));
        if (narrow)
            widen(to, n);
    }
}

void plan_put(const struct plan *p, const struct tensor *t, float *to, const void *host)
{
    const int narrow = t->storage == STORAGE_BF16;
    uint16_t *narrowed = narrow ? zalloc(tensor_size(t), sizeof *narrowed) : NULL;
    size_t n;
    for (size_t i = 0; narrow && i < tensor_size(t); i++)
        narrowed[i] = bf16_narrow(((const float *)host)[i]);
    for (int r = 0; r < t->rows; r = next_run(t, r)) {
        const size_t at = (size_t)r * (size_t)t->cols;
        float *run = run_of(t, to, r, &n);
        p->be->put(run, narrow ? (const void *)(narrowed + at) : (const float *)host + at,
                   n * (narrow ? 2 : 4));
    }
    if (t->narrow && to == t->data)
        p->be->narrow(t->narrow, t->data, (size_t)t->rows * (size_t)t->ld);
    free(narrowed);
}
