/* tensor.h - a named matrix whose storage the plan decides.
 *
 * Every value in a transformer is a matrix here: [rows, cols], row-major.
 * A batch of sequences is rows = batch * time; heads are runs of columns. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum tensor_kind {
    TENSOR_INPUT,       /* filled by the caller and kept; int32 or float; no gradient */
    TENSOR_PARAM,       /* learned; data and gradient outlive the pass */
    TENSOR_VALUE,       /* computed by a step; has a gradient in a training plan */
    TENSOR_SAVED,       /* computed by a step for its own backward or for a reader; no gradient */
    TENSOR_SPARE,       /* the same, but without a place (data NULL) where neither wants it */
};

/* What numbers are stored as.  int32 and bf16 tensors hold theirs in the storage of floats. */
enum storage { STORAGE_F32, STORAGE_BF16 };

struct tensor {
    char name[64];          /* "block.3.mlp.fc.weight": probes and checkpoints use it */
    enum tensor_kind kind;
    int rows, cols;
    enum storage storage;   /* of data and gradient; plan_layout() chooses */
    int ld;                 /* numbers from row to row; > cols in a view or a padded matrix */
    float *data, *grad;     /* backend addresses, set by plan_place(); grad may be NULL */
    uint16_t *narrow;       /* a parameter's data once more, in bf16; or NULL */
    const float *halves;    /* the same with padded rows: plan_freeze(); or NULL */
    int fresh;              /* grad holds nothing yet: the backward kernel that runs stores there */

    /* Plan bookkeeping. */
    struct tensor *base;    /* the tensor this is a column view of, or NULL */
    int col;                /* first column of the view */
    int born, last;         /* steps that first writes and last reads the data */
    int until;              /* last reader of the data computed anew in the backward pass, or 0 */
    int last_user;          /* last forward step that takes it: first to add to grad */
    struct tensor *before;  /* whose gradient's place its own takes over, or NULL */
    size_t data_at, grad_at;/* offsets into the arena, in floats */
};

static inline size_t tensor_size(const struct tensor *t)
{
    return (size_t)t->rows * (size_t)t->cols;
}

/* Place of number i in a tensor's data or gradient. */
static inline float *tensor_at(const struct tensor *t, float *p, size_t i)
{
    return (float *)(void *)((char *)p + i * (t->storage == STORAGE_BF16 ? 2 : 4));
}

/* Floats of storage from its first row to the end of its last. */
static inline size_t tensor_floats(const struct tensor *t)
{
    const size_t n = (size_t)t->rows * (size_t)t->ld;
    return t->storage == STORAGE_BF16 ? (n + 1) / 2 : n;
}

/* t with its gradient for its data. */
static inline struct tensor tensor_gradient(const struct tensor *t)
{
    struct tensor g = *t;
    g.data = t->grad;
    return g;
}

/* Numbers from row to row where a matrix with so many columns is kept as plan_freeze() does. */
static inline int half_ld(int cols)
{
    return (cols + 31) / 32 * 32;
}

/* Row r of a tensor's data or gradient, stored in f32. */
static inline float *tensor_row(const struct tensor *t, float *floats, int r)
{
    return floats + (size_t)r * (size_t)t->ld;
}
