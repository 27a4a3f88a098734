/* ops.h - what each operation computes: the one contract all backends keep.
 *
 * Operands come first, inputs then outputs, in the order of ops.def.
 * [r, c] is a shape; every matrix is addressed through its own ld.  An operand
 * that says "or NULL" may be absent.  A backward kernel ADDS to the gradients
 * of its inputs, or where one is `fresh` stores all of it, and never writes anything else.
 * An input without a gradient (grad == NULL) is skipped.  int32 tensors hold
 * their numbers in the storage of floats. */
#pragma once
#include "kernels/tensor.h"

/* The number format of a matrix multiply's inputs; sums are always f32.  TF32 is f32 with 10 bits
 * behind the point: a device without it computes in f32. */
enum precision { PRECISION_F32, PRECISION_BF16, PRECISION_TF32 };

/* y[r] = scale * token[ids[r]] + position[places[r]] + segment[segments[r]].
 * Without `places` row r has place r mod time.  A backward sum over equal ids
 * runs in the order of the rows. */
struct embed_args {
    struct tensor *ids, *token;             /* [n, 1] int32, [vocab, c] */
    struct tensor *places, *position;       /* [n, 1] int32 or NULL, [>= time, c] or NULL */
    struct tensor *segments, *segment;      /* [n, 1] int32, [kinds, c]; both or NULL */
    struct tensor *y;                       /* [n, c] */
    int time;                               /* tokens in a sequence */
    float scale;
};

struct activation_args;

/* y = x weight' + bias.  Weights are [out, in]. */
struct linear_args {
    struct tensor *x, *weight, *bias;       /* [n, in], [out, in], [1, out] or NULL */
    struct tensor *y;                       /* [n, out] */
    enum precision precision;
    /* What the plan joins to it, see backend.h; or NULL. */
    const struct activation_args *after;    /* of y: forward writes its y too */
    const struct activation_args *before;   /* gave x: backward goes on to the gradient of its x */
};

struct residual_args;

/* y = (x - mean) / sqrt(var + eps) * gain + bias by row, var the biased variance.
 * With center 0 (RMSNorm) the mean is held at 0. */
struct norm_args {
    struct tensor *x, *gain, *bias;         /* [n, c], [1, c] or NULL, [1, c] or NULL */
    struct tensor *y, *stats;               /* [n, c], [n, 2]: mean, 1 / sqrt(var + eps) */
    float eps;
    int center;                             /* 1: LayerNorm; 0: RMSNorm */
    /* What the plan joins to it, see backend.h: the step that gives x; or NULL. */
    const struct residual_args *sum;        /* forward computes x too, backward goes on to its f */
};

enum activation { ACTIVATION_GELU, ACTIVATION_GELU_TANH, ACTIVATION_RELU };

/* y = f(x): x Phi(x) with the normal distribution function, its tanh form
 * 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), or max(x, 0). */
struct activation_args {
    struct tensor *x, *y;                   /* [n, c] */
    enum activation kind;
};

/* y = x + step * f: one Euler step of the residual stream.  Where x is fresh its gradient may
 * have the place of y's, whose numbers it then has already. */
struct residual_args {
    struct tensor *x, *f, *y;               /* [n, c] */
    float step;                             /* length of the step, 1 in GPT-2 */
};

/* y = factor x with one learned number: dfactor = sum of dy x, in f64 and one fixed order. */
struct scale_args {
    struct tensor *x, *factor;              /* [n, c], [1, 1] */
    struct tensor *y;                       /* [n, c] */
};

/* What `draw` holds, 4 int32: seed low, seed high, step, and 1 while training.
 * Element e of a site is kept where random_uniform(random_word(seed, site, step, e)) >= p,
 * and kept ones are multiplied by 1 / (1 - p).  With the last word 0 all are kept, unscaled. */

/* y = dropout(x); element r * c + i. */
struct dropout_args {
    struct tensor *x, *draw;                /* [n, c], [1, 4] int32 */
    struct tensor *y;                       /* [n, c] */
    float p;
    unsigned site;
};

/* y = dropout(softmax(q k' / sqrt(c / heads))) v within each sequence and head;
 * no [tq, tk] matrix is ever stored.  Only the first lengths[b] of sequence b's
 * tk keys are seen, all without lengths; causal lets query i of tq see keys
 * 0 .. keys - tq + i.  A query that sees no key gives 0 and lse -inf.
 * Dropout's element is ((b * heads + h) * tq + i) * tk + j. */
struct attention_args {
    struct tensor *q, *k, *v;               /* [b * tq, c], [b * tk, c], [b * tk, c] */
    struct tensor *lengths, *draw;          /* [b, 1] int32 or NULL, [1, 4] int32 or NULL */
    struct tensor *y, *lse;                 /* [b * tq, c], [b * tq, heads]: log sum exp */
    int heads, tq, tk;
    int causal;
    float p;                                /* dropout of the probabilities; 0 without draw */
    unsigned site;
    enum precision precision;
};

/* cache[b * time + at[b]] = x[b]: a new key or value of each sequence, for
 * generation.  The cache keeps its rows from pass to pass.  No gradient. */
struct append_args {
    struct tensor *x, *at;                  /* [b, c], [b, 1] int32 */
    struct tensor *cache;                   /* [b * time, c] */
    int time;
};

/* Cross-entropy at the end of a model.  With logits = x weight' + bias, p = softmax(logits[r])
 * and t = targets[r], in nats:
 * loss[r] = -(1 - smoothing) log p[t] - smoothing * mean over the vocabulary of log p;
 * where t < 0 loss[r] is 0 and gives no gradient.  best[r] is the arg-max of
 * the logits, the lowest on a tie.  (fairseq's smoothing e is smoothing = e V / (V - 1).)
 * The logits are stored where they have a place; their gradient never is, but part by part. */
struct head_args {
    struct tensor *x, *weight, *bias;       /* [n, c], [vocab, c], [1, vocab] or NULL */
    struct tensor *targets;                 /* [n, 1] int32 */
    struct tensor *logits;                  /* [n, vocab]; data NULL where nobody reads them */
    struct tensor *part, *state;            /* [n, columns of a part], [n, 4]: for the kernel */
    struct tensor *loss, *lse, *best;       /* [n, 1], [n, 1], [n, 1] int32 */
    float smoothing;
    enum precision precision;
};

enum op {
#define OP(name, in, out, keep) OP_##name,
#include "kernels/ops.def"
#undef OP
    OP_COUNT
};
