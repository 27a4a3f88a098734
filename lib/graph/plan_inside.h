/* plan_inside.h - what the files of a plan share. */
#pragma once
#include "graph/plan.h"

/* Numbers of an op's inputs and outputs, and which of them backward reads. */
extern const struct op_shape { int in, out; unsigned keep; } op_shapes[OP_COUNT];

/* The operands of a step, inputs then outputs: every *_args begins with them. */
static inline struct tensor *const *operands(const struct step *s)
{
    return (struct tensor *const *)&s->u;
}

/* The tensor whose storage t uses. */
static inline struct tensor *root(struct tensor *t)
{
    return t->base ? t->base : t;
}

static inline size_t stored_floats(const struct tensor *t)
{
    return ((size_t)t->rows * (size_t)t->ld + 15) & ~(size_t)15;     /* whole cache lines */
}
