/* jacobian.h - a piece of a model as a linear map: its derivative at the values
 * of the last forward pass, applied from both sides, and its largest singular
 * value (papers.md section 2, "A-grad": grad f, I + dt grad f, J_{i:D}). */
#pragma once
#include "graph/plan.h"
#include "measure/tangent.h"

/* d to / d from, [size of to] x [size of from], in a placed training plan without dropout.
 * `to` depends on `from`, and whatever else it depends on was computed before `from`. */
struct jacobian {
    struct plan *plan;
    struct tensor *from, *to;
    size_t n_from, n_to;
    float *base;            /* the value of `from` */
    struct tangent *tangent;
};

/* The plan has run forward; `from` and `to` were watched.  Ready for any number of products,
 * which spoil all values and gradients but those of watched tensors before `to`. */
struct jacobian *jacobian_new(struct plan *p, struct tensor *from, struct tensor *to);
/* Gives `from` and `to` their values back. */
void jacobian_free(struct jacobian *j);

/* out = J' v, exactly (a forward and a backward pass of the piece). */
void jacobian_transposed(struct jacobian *j, const float *v, float *out);
/* out = J v, exactly (a forward pass and its differentials). */
void jacobian_times(struct jacobian *j, const float *v, float *out);

/* ||J||_2 from below, to a relative `tolerance` (1e-6 is the least that f32 allows): Lanczos on
 * J'J from a start vector that depends on the seed alone.  nan where a value is no number. */
double jacobian_norm(struct jacobian *j, double tolerance, unsigned long long seed);
