/* place.c - where a plan's tensors and gradients lie, and which step's backward begins each
 * gradient. */
#include "base/base.h"
#include "graph/plan_inside.h"
#include <limits.h>
#include <stdlib.h>

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
        for (int k = 0; k < op_shapes[p->steps[i].op].in + op_shapes[p->steps[i].op].out; k++) {
            struct tensor *t = operands(&p->steps[i])[k];
            if (t && op_shapes[p->steps[i].op].keep >> k & 1 && root(t)->last < end - 1 - (int)i)
                root(t)->last = end - 1 - (int)i;
        }
}

/* Input i of the step if it is a new one of its storage, whole or a view; else NULL. */
static struct tensor *new_storage(const struct step *s, int i)
{
    struct tensor *const *t = operands(s);
    for (int j = 0; j < i; j++)
        if (t[i] && t[j] && root(t[j]) == root(t[i]))
            return NULL;
    return t[i] ? root(t[i]) : NULL;
}

/* The inputs that lie in r's storage, as bits, if they have each column of it once; else 0. */
static unsigned whole(const struct step *s, const struct tensor *r)
{
    struct tensor *const *t = operands(s);
    unsigned found = 0;
    int cols = 0;
    for (int i = 0; i < op_shapes[s->op].in; i++)
        if (t[i] && root(t[i]) == r) {
            for (int j = 0; j < i; j++)
                if (found >> j & 1 && t[j]->col == t[i]->col)
                    return 0;
            found |= 1u << i;
            cols += t[i]->cols;
        }
    return cols == r->cols ? found : 0;
}

/* Which gradients a step's backward begins.  Where a residual step is the first to reach x's,
 * that takes over the place of y's. */
static void find_first(struct plan *p, int at)
{
    struct step *s = &p->steps[at];
    s->stores = s->clears = 0;
    for (int i = 0; i < op_shapes[s->op].in; i++) {
        const struct tensor *r = new_storage(s, i);
        const int learned = r && r->kind == TENSOR_PARAM && p->be->stores;
        if (!r || r->last_user != at || !(r->kind == TENSOR_VALUE || learned))
            continue;
        const unsigned bits = p->be->stores ? whole(s, r) : 0;
        s->stores |= bits;
        s->clears |= bits ? 0 : 1u << i;
    }
    if (s->op == OP_residual && s->stores & 1 && s->u.residual.x->kind == TENSOR_VALUE
        && !s->u.residual.x->base)
        s->u.residual.x->before = s->u.residual.y;
}

/* The last tensor whose gradient has that place, as the backward pass goes. */
static const struct tensor *last_at_place(const struct plan *p, const struct tensor *t)
{
    const struct step *s = &p->steps[t->born];
    while (s->op == OP_residual && s->u.residual.x->before == t) {
        t = s->u.residual.x;
        s = &p->steps[t->born];
    }
    return t;
}

/* Whether nobody reads it but the step that writes it. */
static int is_spare(const struct tensor *t)
{
    return t->kind == TENSOR_SPARE && t->last == t->born;
}

void plan_layout(struct plan *p)
{
    const int end = 2 * (int)p->n_steps;
    struct span *spans = zalloc(2 * p->n_tensors, sizeof *spans);
    size_t n = 0;

    for (size_t i = 0; i < p->n_steps && p->train; i++)
        find_first(p, (int)i);
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
        if (is_spare(t))
            continue;
        spans[n++] = (struct span){size, &t->data_at, lasting ? 0 : t->born,
                                   lasting ? INT_MAX : t->last};
        if (p->train && t->kind == TENSOR_VALUE && !t->before)  /* last user's backward ..
                            producer's; what nobody uses is the caller's to fill */
            spans[n++] = (struct span){size, &t->grad_at, t->last_user == t->born ? 0 :
                                       end - 1 - t->last_user,
                                       end - 1 - last_at_place(p, t)->born};
    }
    p->work_floats = place(spans, n);
    for (size_t i = p->n_tensors; i-- > 0;)
        if (p->tensors[i]->before)
            p->tensors[i]->grad_at = p->tensors[i]->before->grad_at;
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
            t->data = is_spare(b) ? NULL : p->work + b->data_at + t->col;
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
