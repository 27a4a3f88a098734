#include "measure/jacobian.h"
#include "base/base.h"
#include "base/random.h"
#include "measure/eigen.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 24, RESTARTS = 12 };     /* Lanczos vectors at a time; times it starts over */

struct jacobian *jacobian_new(struct plan *p, struct tensor *from, struct tensor *to)
{
    struct jacobian *j = zalloc(1, sizeof *j);
    *j = (struct jacobian){.plan = p, .from = from, .to = to,
                           .n_from = tensor_size(from), .n_to = tensor_size(to)};
    j->base = zalloc(j->n_from, sizeof(float));
    j->tangent = tangent_new(p, from, to);
    plan_get(p, from, from->data, j->base);
    return j;
}

/* Run the piece forward.  Every backward pass needs that before it: it may put gradients where
 * it has read the last of a value. */
static void run_forward(struct jacobian *j)
{
    plan_put(j->plan, j->from, j->from->data, j->base);
    plan_forward_steps(j->plan, (size_t)j->from->born + 1, (size_t)j->to->born + 1);
}

void jacobian_free(struct jacobian *j)
{
    run_forward(j);
    tangent_free(j->tangent);
    free(j->base);
    free(j);
}

static void pull(struct jacobian *j, const float *v, float *out)
{
    struct plan *p = j->plan;
    plan_put(p, j->to, j->to->grad, v);
    if (j->from->last_user > j->to->born)       /* no step of the piece will zero it */
        p->be->zero(j->from->grad, tensor_floats(j->from));
    plan_backward_steps(p, (size_t)j->from->born + 1, (size_t)j->to->born + 1);
    plan_get(p, j->from, j->from->grad, out);
}

void jacobian_transposed(struct jacobian *j, const float *v, float *out)
{
    run_forward(j);
    pull(j, v, out);
}

void jacobian_times(struct jacobian *j, const float *v, float *out)
{
    run_forward(j);
    tangent_push(j->tangent, v, out);
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

static double norm_of(const float *v, size_t n)
{
    return sqrt(dot(v, v, n));
}

static void scale(float *v, size_t n, double by)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (float)(v[i] * by);
}

/* Take out of v its part along each of the n vectors of basis; twice is enough. */
static void orthogonalise(float *v, float *const *basis, int n, size_t size)
{
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < n; k++) {
            const double along = dot(v, basis[k], size);
            for (size_t i = 0; i < size; i++)
                v[i] -= (float)(along * basis[k][i]);
        }
}

/* One run of Lanczos on J'J from the unit vector q[0]: overwrite it with the best vector found. */
static void improve(struct jacobian *j, float *const *q, float *u)
{
    double t[STEPS * STEPS] = {0}, top[STEPS];
    int n = 0;
    while (n < STEPS) {
        float *next = q[n + 1];
        jacobian_times(j, q[n], u);
        pull(j, u, next);
        t[n * STEPS + n] = dot(next, q[n], j->n_from);
        n++;
        orthogonalise(next, q, n, j->n_from);
        const double rest = norm_of(next, j->n_from);
        if (n == STEPS || rest <= 1e-6 * t[0])
            break;
        t[(n - 1) * STEPS + n] = t[n * STEPS + n - 1] = rest;
        scale(next, j->n_from, 1 / rest);
    }
    symmetric_top(t, n, STEPS, top);
    scale(q[0], j->n_from, top[0]);
    for (int k = 1; k < n; k++)
        for (size_t i = 0; i < j->n_from; i++)
            q[0][i] += (float)(top[k] * q[k][i]);
    scale(q[0], j->n_from, 1 / norm_of(q[0], j->n_from));
}

double jacobian_norm(struct jacobian *j, double tolerance, unsigned long long seed)
{
    float *q[STEPS + 1], *u = zalloc(j->n_to, sizeof *u), *back = zalloc(j->n_from, sizeof *back);
    double norm = 0, before = -1;

    for (int k = 0; k <= STEPS; k++)
        q[k] = zalloc(j->n_from, sizeof **q);
    for (size_t i = 0; i < j->n_from; i++)
        q[0][i] = (float)random_normal(seed, random_site("jacobian"), 0, i);
    scale(q[0], j->n_from, 1 / norm_of(q[0], j->n_from));
    for (int k = 0; k < RESTARTS && fabs(norm - before) > tolerance * norm; k++) {
        improve(j, q, u);
        jacobian_times(j, q[0], u);
        const double size = norm_of(u, j->n_to);
        before = norm;
        norm = size;            /* 0 or nan: no direction to go on with */
        if (!(size > 0))
            break;
        scale(u, j->n_to, 1 / size);
        pull(j, u, back);
        norm = norm_of(back, j->n_from);
    }
    for (int k = 0; k <= STEPS; k++)
        free(q[k]);
    free(u);
    free(back);
    return norm;
}
