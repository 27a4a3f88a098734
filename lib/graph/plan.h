/* plan.h - a model as a list of steps, recorded once and run many times.
 *
 * Building a model appends steps; plan_place() then gives every tensor a place
 * in one arena; after that a pass allocates nothing.  The forward pass runs the
 * list, the backward pass runs it in reverse. */
#pragma once
#include "kernels/backend.h"

struct step {
    enum op op;
    /* Bit i: backward is the first to reach input i's gradient, and stores all of it; or it must
     * be zero before. */
    unsigned stores, clears;
    int part;                       /* the part it belongs to, from 1; 0: none */
    int back_at, again_at;          /* when its backward runs, its forward anew (0: it does not) */
    union {
#define OP(name, in, out, keep) struct name##_args name;
#include "kernels/ops.def"
#undef OP
    } u;
};

/* What of a part's own values, which only it reads, its backward computes anew: norms' outputs,
 * which take next to no time, or all. */
enum recompute { RECOMPUTE_NOTHING, RECOMPUTE_NORMS, RECOMPUTE_PARTS };

struct plan {
    const struct backend *be;
    int train;                      /* place gradients, keep what backward reads */
    enum recompute recompute;       /* what of that to compute anew */
    int n_parts;
    struct step *steps;
    size_t n_steps;
    struct tensor **tensors;
    size_t n_tensors;
    const struct plan *lender;      /* whose parameters this plan uses, or NULL */
    size_t param_floats;            /* parameters of its own; their gradients take as much again */
    size_t narrow_floats;           /* their copies in bf16 */
    size_t work_floats;             /* inputs, values and gradients of values; beyond `grads` */
    int grads_once;                 /* set before the layout: a backward pass never adds to what
                                       another left, and until it comes to a parameter's gradient
                                       values lie in that place */
    int grads_fresh;                /* the parameters' gradients are to be taken for zero */
    float *memory;                  /* all of it, one allocation: */
    float *params, *grads, *work;   /* params NULL with a lender, grads unless training; a place
                                       in `work` counts from where grads is or would be */
    uint16_t *narrow;               /* the parameters once more in bf16, where products want them */
    float *halves;                  /* of a frozen plan */
};

struct plan *plan_new(const struct backend *be, int train);
void plan_free(struct plan *p);

/* A new tensor, named as by printf. */
struct tensor *plan_tensor(struct plan *p, enum tensor_kind kind, int rows, int cols,
                           const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Columns [first, first + cols) of t, sharing its storage. */
struct tensor *plan_columns(struct plan *p, struct tensor *t, int first, int cols);
void plan_add(struct plan *p, struct step s);
/* The steps from `first` on are a part: what p->recompute, set before the layout, says of what
 * only they read is not kept for their backward, which begins with computing it anew (Chen et al.
 * 2016, section 3).  Whole passes only: plan_backward(). */
void plan_part(struct plan *p, size_t first);
/* Keep t readable after the pass (a probe, the loss). */
void plan_watch(struct tensor *t);
/* The tensor of that name, or NULL.  Views have no name of their own. */
struct tensor *plan_find(const struct plan *p, const char *name);

/* The operands of a step that may be stored in bf16, as bits; all or none of those `alike`. */
unsigned step_narrow(const struct step *s, unsigned *alike);
/* Choose all addresses as offsets and set param_floats and work_floats; allocates nothing. */
void plan_layout(struct plan *p);
/* Lay out and allocate, zeroed.  With a lender, parameters of the same name and shape are the
 * lender's (and their gradients, if both train); each must be found there, or it dies. */
void plan_place(struct plan *p, const struct plan *lender);
/* The parameters stay as they are from now on: those that products read in bf16 are kept so
 * beside, half the bytes to read where a row or a few are multiplied at a time. */
void plan_freeze(struct plan *p);
void plan_forward(struct plan *p);
/* Add d(sum of loss->grad * loss) to every parameter's gradient.  The caller has set the
 * loss's gradient; plan_zero_grads() comes first unless gradients accumulate. */
void plan_backward(struct plan *p);
/* Forward and backward of steps [first, end) alone: a piece of the model as a map of its own,
 * for measuring.  The caller has set the gradient of what the last of them computed. */
void plan_forward_steps(struct plan *p, size_t first, size_t end);
void plan_backward_steps(struct plan *p, size_t first, size_t end);
/* Of its own parameters; not a lender's.  They may keep their numbers until the next backward
 * pass begins. */
void plan_zero_grads(struct plan *p);

/* Elements of all parameters; floating-point operations of the matrix products in one forward
 * pass (a backward pass takes twice as many), attention's causal half counted once. */
size_t plan_parameters(const struct plan *p);
double plan_flops(const struct plan *p);
/* Those that a backward pass of a laid out plan computes anew. */
double plan_flops_again(const struct plan *p);
double step_flops(const struct step *s);
/* The least bytes a step moves, each tensor once: forward all operands; backward what it kept,
 * its outputs' gradients, and its inputs' read and written. */
double step_bytes(const struct step *s, int backward);

/* Copy a tensor to the host or back, rows packed without padding, bf16 as f32. */
void plan_get(const struct plan *p, const struct tensor *t, const float *from, void *host);
void plan_put(const struct plan *p, const struct tensor *t, float *to, const void *host);
