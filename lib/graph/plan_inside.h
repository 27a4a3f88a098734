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

/* Whether step i is the last of its part, and the first step of that part. */
static inline int ends_part(const struct plan *p, size_t i)
{
    return p->steps[i].part && (i + 1 == p->n_steps || p->steps[i + 1].part != p->steps[i].part);
}

static inline size_t part_first(const struct plan *p, size_t i)
{
    while (i > 0 && p->steps[i - 1].part == p->steps[i].part)
        i--;
    return i;
}

/* The tensor whose storage t uses. */
static inline struct tensor *root(struct tensor *t)
{
    return t->base ? t->base : t;
}

static inline size_t stored_floats(const struct tensor *t)
{
    return (tensor_floats(t) + 15) & ~(size_t)15;                   /* whole cache lines */
}

/* Find the steps that those beside them take over. */
void find_joined(struct plan *p);
/* Whether another step of [first, end) does this one; backward `first` does not matter. */
int is_joined_forward(const struct plan *p, size_t at, size_t first, size_t end);
int is_joined_backward(const struct plan *p, size_t at, size_t end);
/* A step with what of [first, end) it does besides in that pass, and no more.  AGAIN: forward,
 * those that are computed anew. */
enum pass { FORWARD, AGAIN, BACKWARD };
struct step joined_step(const struct plan *p, size_t at, size_t first, size_t end, enum pass pass);
/* Choose what each tensor is stored as, and narrow_floats. */
void choose_storage(struct plan *p);
/* Say where the copies in bf16 are of the parameters that products want so. */
void place_narrow(struct plan *p);
