/* layers.h - what a decoder's residual stream is like after each sub-layer, over
 * windows, beside the bounds of Kan et al. (papers.md section 2, probe(1)).
 *
 * X_0 is what enters the first block, X_k the stream after k sub-layers, D the number of blocks.
 * Everything is computed window by window and then averaged; a ratio is the largest of a
 * window, so that a bound holds where its ratio is at most 1.
 *   Theorem 4 (a norm OUT, none on the SUM), with the largest |gain| g and |bias| b of all OUT:
 *     MA(X_k) <= ||X_0||_F / sqrt(nd) + T_k (g + b)
 *     Var(X_k) <= (||X_0||_F + T_k sqrt(nd) (g + b))^2 / (nd - 1)
 *   with T_k = k dt, or the sum of |dt| of the first k sub-layers where dt is learned.
 *   Theorem 3 (a norm IN alone), with the C_hat that was seen in place of C(lambda):
 *     MA(X_2i) <= (1 + C_hat)^i ||X_0||_F / sqrt(nd)
 *   Lemma 1: what a norm puts out lies on an ellipsoid.  With h = (z - bias) / gain, q = sum of
 *   h^2 / d is v / (v + eps) for every token, v the biased variance of the norm's input (for
 *   RMSNorm its mean square); and LayerNorm's h sum to 0. */
#pragma once
#include "measure/growth.h"
#include "measure/moments.h"
#include "model/model.h"

struct layer {
    struct moments moments;     /* means over windows, but the largest max_abs */
    double var_data;
    double fro_f, cos_f;        /* ||f||_F / sqrt(nd) of the branch f that dt scales, its cosine
                                   with the stream it is added to; nan for X_0 */
    double dt;                  /* of the sub-layer; nan for X_0 */
    double growth;              /* mean of ||X_k||_F / ||X_{k-1}||_F - 1 */
    double bound_ma, ratio_ma, bound_var, ratio_var;    /* Theorem 4 */
    double bound_exp, ratio_exp;                        /* Theorem 3, after whole blocks */
    struct ellipsoid norm;      /* means over tokens of q and of v / (v + eps) after the
                                   sub-layer's last norm; of all its norms the largest
                                   |q - v / (v + eps)| and |sum of h| / d of a token; nan without
                                   a norm, the last also for RMSNorm */
};

struct layers_result {
    long long windows;
    double g_max, b_max;        /* over all norms OUT; nan without */
    double rounding;            /* the largest error of Lemma 1 that storage explains */
    double c_hat;               /* largest ||X_{2i+2}||_F / ||X_{2i}||_F - 1 of a window */
    struct growth growth;       /* of MA against blocks */
    struct layer layer[1 + 2 * MAX_LAYERS];     /* n_stream of them */
};

struct layers;

/* For a built model that is not yet placed: what it reads is watched.  At most `windows`. */
struct layers *layers_new(struct model *m, long long windows);
/* After a forward pass: its first `windows` sequences. */
void layers_add(struct layers *l, int windows);
/* The result; frees. */
struct layers_result *layers_end(struct layers *l);
