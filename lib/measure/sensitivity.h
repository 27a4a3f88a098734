/* sensitivity.h - the backward side of a decoder, sub-layer by sub-layer (papers.md
 * section 2: A-grad, Propositions 7 and 8, Theorem 2), for one window at a time.
 *
 * X_k is the residual stream after k sub-layers, f_k what sub-layer k adds before dt,
 * G the mean loss of the window. */
#pragma once
#include "model/model.h"

struct sensitivity {
    double s_f;             /* ||d f_k / d X_k||_2 */
    double s_step;          /* ||d X_{k+1} / d X_k||_2: I + dt grad f_k, and its norm SUM */
    double to_end;          /* ||d X_2D / d X_k||_2 */
    double grad_x;          /* ||dG / d X_k||_F */
    double saturation;      /* <-p, f_k> / sup of <-p, z> over what f_k's norm OUT can put out,
                               p = dG / d X_{k+1}; 0 without that norm: the supremum is infinite */
};

/* A training plan for one window, placed, without dropout; its states can be read. */
struct model *sensitivity_model(const struct backend *be, const struct model_config *cfg);

/* Run one window forward and back: grad_x and saturation of rows[0 .. n_stream - 1], and the
 * gradients of G in all parameters. */
void sensitivity_adjoints(struct model *m, const int *ids, const int *targets,
                          struct sensitivity *rows);
/* After it, s_f and s_step (norms) and to_end (the dear one, of long pieces), as asked for, each
 * to that tolerance; nan otherwise.  Gradients in parameters are spoilt. */
void sensitivity_norms(struct model *m, int norms, int to_end, double tolerance,
                       struct sensitivity *rows);
/* After it, ||d f_k / d X_k||_2 with the sub-layer's output map (weight and bias) multiplied by
 * `out` and X_k by `in`; the model is left as it was. */
double sensitivity_scaled(struct model *m, int k, double in, double out, double tolerance);
