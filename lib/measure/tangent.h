/* tangent.h - the derivative of a piece of a model along one direction, exactly: every step's
 * differential, one after another (forward-mode differentiation). */
#pragma once
#include "graph/plan.h"

struct tangent;

/* The piece from `from` to `to` of a placed training plan without dropout; `to` depends on `from`,
 * and whatever else it depends on was computed before `from`. */
struct tangent *tangent_new(struct plan *p, const struct tensor *from, const struct tensor *to);
void tangent_free(struct tangent *t);
/* After a forward pass of the piece, whose values it reads and leaves: out = J v, packed. */
void tangent_push(struct tangent *t, const float *v, float *out);
