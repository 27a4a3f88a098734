/* join.c - steps that a backend does in one with the step beside them, where it can: an activation
 * with the product before it forward and with the one behind it backward, a residual step with
 * the norm behind it. */
#include "graph/plan_inside.h"
#include <limits.h>

/* Step i is the only one that takes t, which the step before it computes for nobody else. */
static int passes(const struct tensor *t, const struct tensor *x, size_t i)
{
    return t == x && t->kind == TENSOR_VALUE && t->last_user == (int)i && t->last != INT_MAX;
}

static void outlive(struct tensor *t, int step)
{
    root(t)->last = root(t)->last > step ? root(t)->last : step;
}

/* The norm reads the residual step's operands, at its own time. */
static void join_sum(struct step *a, struct step *b, int at)
{
    const struct tensor *y = a->u.residual.y;
    b->u.norm.sum = NULL;
    if (b->u.norm.x != y || y->base || y->storage != STORAGE_F32
        || a->u.residual.x->storage != STORAGE_F32)
        return;
    b->u.norm.sum = &a->u.residual;
    outlive(a->u.residual.x, at);
    outlive(a->u.residual.f, at);
}

void find_joined(struct plan *p)
{
    for (size_t i = 1; i < p->n_steps && p->be->joins; i++) {
        struct step *a = &p->steps[i - 1], *b = &p->steps[i];
        if (a->op == OP_linear && b->op == OP_activation
            && passes(a->u.linear.y, b->u.activation.x, i))
            a->u.linear.after = &b->u.activation;
        if (a->op == OP_activation && b->op == OP_linear
            && passes(a->u.activation.y, b->u.linear.x, i)
            && a->u.activation.x->last_user == (int)i - 1 && !a->u.activation.x->base)
            b->u.linear.before = &a->u.activation;
        if (a->op == OP_residual && b->op == OP_norm)
            join_sum(a, b, (int)i);
    }
}

/* The norm goes on backward where x's gradient lies in y's place and f's is its alone. */
static int sum_goes_back(const struct step *s)
{
    const struct residual_args *a = &s->u.residual;
    return a->x->before == a->y && s->stores == 3;
}

int is_joined_forward(const struct plan *p, size_t at, size_t first, size_t end)
{
    const struct step *s = &p->steps[at];
    return (s->op == OP_activation && at > first && s[-1].op == OP_linear
            && s[-1].u.linear.after == &s->u.activation)
        || (s->op == OP_residual && at + 1 < end && s[1].op == OP_norm
            && s[1].u.norm.sum == &s->u.residual);
}

int is_joined_backward(const struct plan *p, size_t at, size_t end)
{
    const struct step *s = &p->steps[at];
    return at + 1 < end
        && ((s->op == OP_activation && s[1].op == OP_linear
             && s[1].u.linear.before == &s->u.activation)
            || (s->op == OP_residual && s[1].op == OP_norm
                && s[1].u.norm.sum == &s->u.residual && sum_goes_back(s)));
}

struct step joined_step(const struct plan *p, size_t at, size_t first, size_t end, enum pass pass)
{
    struct step s = p->steps[at];
    const int last = at + 1 >= end || (pass == AGAIN && !p->steps[at + 1].again_at);
    const int alone = at <= first || (pass == AGAIN && !p->steps[at - 1].again_at);
    if (s.op == OP_linear && last)
        s.u.linear.after = NULL;
    if (s.op == OP_linear && alone)
        s.u.linear.before = NULL;
    if (s.op == OP_norm && (alone || (pass == BACKWARD && !is_joined_backward(p, at - 1, end))))
        s.u.norm.sum = NULL;
    return s;
}
