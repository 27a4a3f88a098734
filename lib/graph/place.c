/* place.c - where a plan's tensors and gradients lie, and which step's backward begins each
 * gradient. */
#include "base/base.h"
#include "graph/plan_inside.h"
#include <limits.h>
#include <stdlib.h>

/* One stretch of the arena, in use from time `from` to time `to`, and once more from `again` to
 * `until` where these are not 0.  Forward step i happens at time i. */
struct span {
    size_t size, *at;
    int from, to, again, until;
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

static int meet(int from, int to, int other_from, int other_to)
{
    return from <= other_to && other_from <= to;
}

static int at_once(const struct span *x, const struct span *y)
{
    return meet(x->from, x->to, y->from, y->to)
        || (x->until && meet(x->again, x->until, y->from, y->to))
        || (y->until && meet(x->from, x->to, y->again, y->until))
        || (x->until && y->until && meet(x->again, x->until, y->again, y->until));
}

/* Largest first, each at the lowest address free for its whole life; the first `fixed` have their
 * places.  The end of it all. */
static size_t place(struct span *spans, size_t fixed, size_t n)
{
    struct span **near = zalloc(n, sizeof *near);
    size_t top = 0;

    for (size_t i = 0; i < fixed; i++)
        if (*spans[i].at + spans[i].size > top)
            top = *spans[i].at + spans[i].size;
    qsort(spans + fixed, n - fixed, sizeof *spans, by_size);
    for (size_t i = fixed; i < n; i++) {
        size_t at = 0, m = 0;
        for (size_t j = 0; j < i; j++)
            if (at_once(&spans[i], &spans[j]))
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

/* The times of the backward pass: the steps in reverse, before those of a part the same forward
 * anew. */
static void set_times(struct plan *p)
{
    int now = (int)p->n_steps;
    for (size_t i = p->n_steps; i-- > 0; p->steps[i].back_at = now++)
        for (size_t k = p->recompute && ends_part(p, i) ? part_first(p, i) : i + 1; k <= i; k++)
            p->steps[k].again_at = now++;
}

/* Whether r is computed anew: only the part that computes it reads it. */
static int is_inside(const struct plan *p, const struct tensor *r)
{
    const struct step *s = r->born >= 0 && r->last < (int)p->n_steps ? &p->steps[r->born] : NULL;
    return s && s->part && p->steps[r->last].part == s->part
        && (p->recompute == RECOMPUTE_PARTS
            || (p->recompute == RECOMPUTE_NORMS && s->op == OP_norm && r == s->u.norm.y));
}

static void read_at(const struct plan *p, struct tensor *t, int time)
{
    struct tensor *r = root(t);
    int *last = is_inside(p, r) ? &r->until : &r->last;
    *last = *last > time ? *last : time;
}

/* What backward reads lives until it has run, or is computed anew with all that that takes. */
static void keep_for_backward(struct plan *p)
{
    for (size_t i = p->n_steps; i-- > 0;) {
        struct step *s = &p->steps[i];
        struct tensor *const *t = operands(s);
        const int in = op_shapes[s->op].in, n = in + op_shapes[s->op].out;
        int wanted = 0;
        for (int k = 0; k < n; k++)
            if (t[k] && op_shapes[s->op].keep >> k & 1)
                read_at(p, t[k], s->back_at);
        for (int k = in; k < n; k++)
            wanted |= is_inside(p, t[k]) && t[k]->until;
        s->again_at = wanted ? s->again_at : 0;
        for (int k = 0; k < n && wanted; k++)
            if (t[k])
                read_at(p, t[k], s->again_at);
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

/* The step that first writes a value's data: the one before its own may do it. */
static int written_by(const struct plan *p, const struct tensor *t)
{
    const size_t at = (size_t)t->born;
    return t->born - (p->steps[at].op == OP_activation && is_joined_forward(p, at, 0, p->n_steps));
}

/* When its gradient is first written. */
static int gradient_begins(const struct plan *p, const struct tensor *t)
{
    if (t->last_user == t->born)
        return 0;
    return p->steps[t->last_user + is_joined_backward(p, (size_t)t->last_user, p->n_steps)].back_at;
}

/* The parameters one after the other, and the spans of their gradients.  What lies between two is
 * never written and counts as 0 in sums over all: then the place is not lent. */
static size_t place_parameters(struct plan *p, struct span *spans)
{
    size_t n = 0;
    p->param_floats = 0;
    for (size_t i = 0; i < p->n_tensors; i++) {
        struct tensor *t = p->tensors[i];
        const size_t size = stored_floats(t);
        if (t->kind != TENSOR_PARAM || t->base)
            continue;
        t->data_at = t->grad_at = p->param_floats;
        p->param_floats += size;
        const int lent = p->grads_once && p->be->stores && t->last_user >= 0
                      && size == (size_t)t->rows * (size_t)t->ld;
        if (p->train && !p->lender)
            spans[n++] = (struct span){size, &t->grad_at, lent ? gradient_begins(p, t) : 0,
                                       INT_MAX, 0, 0};
    }
    return n;
}

void plan_layout(struct plan *p)
{
    struct span *spans = zalloc(2 * p->n_tensors, sizeof *spans);

    choose_storage(p);
    find_joined(p);
    for (size_t i = 0; i < p->n_steps && p->train; i++)
        find_first(p, (int)i);
    if (p->train) {
        set_times(p);
        keep_for_backward(p);
    }
    const size_t fixed = place_parameters(p, spans);
    size_t n = fixed;
    for (size_t i = 0; i < p->n_tensors; i++) {
        struct tensor *t = p->tensors[i];
        const size_t size = stored_floats(t);
        if (t->base || t->kind == TENSOR_PARAM || is_spare(t))
            continue;
        spans[n++] = t->kind == TENSOR_INPUT
                   ? (struct span){size, &t->data_at, 0, INT_MAX, 0, 0}
                   : (struct span){size, &t->data_at, written_by(p, t), t->last,
                                   p->steps[written_by(p, t)].again_at, t->until};
        if (p->train && t->kind == TENSOR_VALUE && !t->before)  /* last user's backward ..
                            producer's; what nobody uses is the caller's to fill */
            spans[n++] = (struct span){size, &t->grad_at, gradient_begins(p, t),
                                       p->steps[last_at_place(p, t)->born].back_at, 0, 0};
    }
    p->narrow_floats = p->narrow_floats ? (p->param_floats / 2 + 15) & ~(size_t)15 : 0;
    p->work_floats = place(spans, fixed, n) - (fixed ? p->param_floats : 0);
    for (size_t i = p->n_tensors; i-- > 0;)
        if (p->tensors[i]->before)
            p->tensors[i]->grad_at = p->tensors[i]->before->grad_at;
    free(spans);
}

/* The floats that bf16 copies of weights take; made at `to` unless NULL. */
static size_t halve_weights(const struct plan *p, float *to)
{
    size_t floats = 0;
    for (size_t i = 0; i < p->n_steps; i++) {
        const struct linear_args *a = &p->steps[i].u.linear;
        if (p->steps[i].op != OP_linear || a->precision != PRECISION_BF16)
            continue;
        if (to) {
            p->be->halve(a->weight, to + floats);
            a->weight->halves = to + floats;
        }
        floats += (size_t)a->weight->rows * (size_t)half_ld(a->weight->cols) / 2;
    }
    return floats;
}

void plan_freeze(struct plan *p)
{
    const size_t floats = p->be->halve ? halve_weights(p, NULL) : 0;
    if (floats) {
        p->halves = p->be->alloc(floats);
        halve_weights(p, p->halves);
    }
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
    p->lender = lender;
    plan_layout(p);
    const size_t params = lender ? 0 : p->param_floats, grads = p->train ? params : 0;
    const size_t narrow = lender ? 0 : p->narrow_floats;
    p->memory = p->be->alloc(params + grads + narrow + p->work_floats);
    p->params = params ? p->memory : NULL;
    p->grads = grads ? p->memory + params + narrow : NULL;
    p->narrow = narrow ? (uint16_t *)(void *)(p->memory + params) : NULL;
    p->work = p->memory + params + narrow;
    for (size_t i = 0; i < p->n_tensors; i++) {
        struct tensor *t = p->tensors[i], *b = root(t);
        if (b->kind != TENSOR_PARAM) {
            t->data = is_spare(b) ? NULL : tensor_at(b, p->work + b->data_at, (size_t)t->col);
            if (p->train && b->kind == TENSOR_VALUE)
                t->grad = tensor_at(b, p->work + b->grad_at, (size_t)t->col);
        } else if (lender) {
            const struct tensor *own = borrow(lender, b);
            t->data = own->data + t->col;
            t->grad = p->train && own->grad ? own->grad + t->col : NULL;
        } else {
            t->data = p->params + b->data_at + t->col;
            t->grad = p->grads ? p->grads + b->grad_at + t->col : NULL;
        }
    }
    place_narrow(p);
}
