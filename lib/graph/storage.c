/* storage.c - which values a plan stores in bf16: those inside sub-layers, where the backend
 * narrows and products take bf16 inputs.  What an operation does not take so stays f32: the
 * residual stream, statistics, losses. */
#include "graph/plan_inside.h"

/* Products take bf16 inputs here. */
static int is_narrow_product(const struct step *s)
{
    return (s->op == OP_linear && s->u.linear.precision == PRECISION_BF16)
        || (s->op == OP_head && s->u.head.precision == PRECISION_BF16);
}

unsigned step_narrow(const struct step *s, unsigned *alike)
{
    static const struct { unsigned narrow, alike; } rules[OP_COUNT] = {
        [OP_linear] = {0x09, 0},            /* x, y */
        [OP_norm] = {0x09, 0},              /* x, y */
        [OP_activation] = {0x03, 0x03},     /* x, y */
        [OP_residual] = {0x02, 0},          /* f */
        [OP_scale] = {0x05, 0x05},          /* x, y */
        [OP_dropout] = {0x05, 0x05},        /* x, y */
        [OP_attention] = {0x27, 0x27},      /* q, k, v, y */
        [OP_head] = {0x31, 0x30},           /* x; logits and a part of them */
    };
    const int wide = s->op == OP_attention ? s->u.attention.precision != PRECISION_BF16
                   : s->op == OP_linear || s->op == OP_head ? !is_narrow_product(s) : 0;
    *alike = rules[s->op].alike;
    return wide ? 0 : rules[s->op].narrow;
}

/* Whether this step leaves some operand in f32 that was to be bf16, which it then makes so. */
static int widen(const struct plan *p, const struct step *s)
{
    struct tensor *const *t = operands(s);
    const int n = op_shapes[s->op].in + op_shapes[s->op].out;
    unsigned alike, narrow = step_narrow(s, &alike);
    int changed = 0;

    if (s->op == OP_head && !p->train)
        narrow &= ~alike;                   /* logits that are measured, not learned from */
    for (int k = 0; k < n; k++)
        if (t[k] && alike >> k & 1 && root(t[k])->storage != STORAGE_BF16)
            narrow &= ~alike;
    for (int k = 0; k < n; k++)
        if (t[k] && !(narrow >> k & 1) && root(t[k])->storage == STORAGE_BF16) {
            root(t[k])->storage = STORAGE_F32;
            changed = 1;
        }
    return changed;
}

/* What nobody reads is for the caller, in f32. */
static int is_result(const struct tensor *t)
{
    return t->kind == TENSOR_VALUE && t->last_user == t->born;
}

void choose_storage(struct plan *p)
{
    int narrows = 0, changed = 1;
    for (size_t i = 0; i < p->n_steps && p->be->narrows; i++)
        narrows |= is_narrow_product(&p->steps[i]);
    p->narrow_floats = narrows && p->be->narrow;    /* plan_layout() sets how many */
    for (size_t i = 0; i < p->n_tensors; i++) {
        struct tensor *t = p->tensors[i];
        const int fixed = t->kind == TENSOR_INPUT || t->kind == TENSOR_PARAM || is_result(t);
        t->storage = narrows && !fixed ? STORAGE_BF16 : STORAGE_F32;
    }
    while (changed) {
        changed = 0;
        for (size_t i = 0; i < p->n_steps; i++)
            changed |= widen(p, &p->steps[i]);
    }
    for (size_t i = 0; i < p->n_tensors; i++)
        p->tensors[i]->storage = root(p->tensors[i])->storage;
}

void place_narrow(struct plan *p)
{
    for (size_t i = 0; i < p->n_steps && p->narrow_floats; i++) {
        const struct step *s = &p->steps[i];
        for (int k = 1; k <= 2 && is_narrow_product(s); k++) {      /* weight, bias */
            struct tensor *t = operands(s)[k];
            if (t && !p->lender)
                t->narrow = p->narrow + root(t)->data_at;
            else if (t)
                t->narrow = plan_find(p->lender, root(t)->name)->narrow;
        }
    }
}
