/* ops [DEVICE [OPERATION]] - each operation alone, on every level of the CPU that this machine
 * has, or on that device; that operation alone.
 *
 * Forward against a plain f64 implementation written from ops.h; backward against central
 * differences of that implementation, entry by entry and along random directions.  Both lists
 * are made from ops.def: an op without its reference or its cases does not link.
 *
 * Values are of size 1.  An f32 result may differ by TOLERANCE of the largest entry of its tensor:
 * 2^-24 for each of the up to some 300 roundings that add up at random.  bf16 rounds each input
 * by up to 2^-9, so a result may differ by BF16_TOLERANCE, 4 such roundings; TF32 by 2^-11.
 *
 * A backend that stores values in bf16 runs each case also so, with each set of operands that a
 * plan may store so: their numbers are rounded first, so that results are what is rounded. */
#include "base/base.h"
#include "base/random.h"
#include "graph/plan.h"
#include "tests/host_face.h"
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 3e-6, BF16_TOLERANCE = 8e-3, TF32_TOLERANCE = 2e-3;
static const float GUARD = 12352;       /* lies between the columns of a view; exact in bf16 */
enum { OPERANDS = 10, PROBES = 12, DIRECTIONS = 3 };

static const struct { int in, out; } ops[OP_COUNT] = {
#define OP(name, in, out, keep) {in, out},
#include "kernels/ops.def"
#undef OP
};

/* The f64 implementations: v holds each operand packed, ints as numbers, NULL where absent. */
#define OP(name, in, out, keep) \
    void name##_reference(const struct name##_args *, double *const *v); \
    void name##_cases(void);
#include "kernels/ops.def"
#undef OP

static const struct backend *be;
static int tests, failed;
static unsigned state;          /* of uniform() */
static size_t asked;            /* slopes, of this backend */

static void report(int good, const char *name, double error)
{
    failed += !good;
    printf("%sok %d - %s %s: %.1e\n", good ? "" : "not ", ++tests, be->name, name, error);
}

static double uniform(void)         /* [-1, 1) */
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) * 0x1p-23 - 1;
}

/* A tensor whose rows are pad floats apart, with random data and gradient. */
static struct tensor *numbers(int rows, int cols, int pad)
{
    struct tensor *t = zalloc(1, sizeof *t);
    *t = (struct tensor){.name = "f32", .rows = rows, .cols = cols, .ld = cols + pad};
    const size_t n = (size_t)rows * (size_t)t->ld;
    t->data = zalloc(n, sizeof(float));
    t->grad = zalloc(n, sizeof(float));
    for (size_t i = 0; i < n; i++) {
        const int inside = (int)(i % (size_t)t->ld) < cols;
        t->data[i] = inside ? (float)uniform() : GUARD;
        t->grad[i] = inside ? (float)uniform() : GUARD;
    }
    return t;
}

static struct tensor *fixed(struct tensor *t)       /* without a gradient */
{
    free(t->grad);
    t->grad = NULL;
    return t;
}

static int *ints_of(const struct tensor *t) { return (int *)(void *)t->data; }

/* [rows, cols] int32 in [least, least + count). */
static struct tensor *ints(int rows, int cols, int least, int count)
{
    struct tensor *t = fixed(numbers(rows, cols, 0));
    strcpy(t->name, "int32");
    for (size_t i = 0; i < tensor_size(t); i++)
        ints_of(t)[i] = least + (int)((uniform() + 1) / 2 * count);
    return t;
}

static struct tensor *drawing(int training)
{
    struct tensor *t = ints(1, 4, 0, 1000);
    ints_of(t)[3] = training;
    return t;
}

/* Entry i of a tensor, row by row. */
static size_t place(const struct tensor *t, size_t i)
{
    return i / (size_t)t->cols * (size_t)t->ld + i % (size_t)t->cols;
}

static double *packed(const struct tensor *t, const float *from)
{
    double *v = zalloc(tensor_size(t), sizeof *v);
    const int whole = !strcmp(t->name, "int32");
    for (size_t i = 0; i < tensor_size(t); i++)
        v[i] = whole ? ((const int *)(const void *)from)[i] : (double)from[place(t, i)];
    return v;
}

static struct tensor *const *operands(const struct step *s)
{
    return (struct tensor *const *)(const void *)&s->u;
}

static void reference(const struct step *s, double *const *v)
{
    switch (s->op) {
#define OP(name, in, out, keep) case OP_##name: name##_reference(&s->u.name, v); break;
#include "kernels/ops.def"
#undef OP
    case OP_COUNT: break;
    }
}

static void run(const struct step *s, int back)
{
    switch (s->op) {
#define OP(name, in, out, keep)                                                                   \
    case OP_##name: (back ? be->name##_backward : be->name##_forward)(&s->u.name); break;
#include "kernels/ops.def"
#undef OP
    case OP_COUNT: break;
    }
}

/* Sum of all outputs that have a gradient, weighted by it. */
static double weighted(const struct step *s, double *const *v, double *const *dy)
{
    double sum = 0;
    reference(s, v);
    for (int k = ops[s->op].in; k < ops[s->op].in + ops[s->op].out; k++)
        for (size_t i = 0; dy[k] && i < tensor_size(operands(s)[k]); i++)
            if (dy[k][i] != 0)
                sum += dy[k][i] * v[k][i];
    return sum;
}

/* The slope of weighted() as operand k moves along u.  All backends begin with the same state, so
 * they ask for the same slopes in the same order: what the first asks is kept. */
static double slope(const struct step *s, double *const *v, double *const *dy, int k,
                    const double *u)
{
    static double *known;
    static size_t count;
    if (asked < count)
        return known[asked++];
    const double h = 1e-5;
    const size_t n = tensor_size(operands(s)[k]);
    double *const x = v[k], *was = zalloc(n, sizeof *was), sum[2];
    memcpy(was, x, n * sizeof *x);
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < n; i++)
            x[i] = was[i] + (side ? h : -h) * u[i];
        sum[side] = weighted(s, v, dy);
    }
    memcpy(x, was, n * sizeof *x);
    free(was);
    known = grow(known, count++, sizeof *known);
    return known[asked++] = (sum[1] - sum[0]) / (2 * h);
}

/* Largest error of what was added to operand k's gradient, relative to the largest entry. */
static double gradient_error(const struct step *s, double *const *v, double *const *dy, int k,
                             const double *added)
{
    const size_t n = tensor_size(operands(s)[k]);
    double *u = zalloc(n, sizeof *u), worst = 0, size = 1;
    for (size_t i = 0; i < n; i++)
        size = fmax(size, fabs(added[i]));
    for (int probe = 0; probe < PROBES + DIRECTIONS; probe++) {
        double got = 0, length = 0;
        memset(u, 0, n * sizeof *u);
        if (probe < PROBES)
            u[probe == 0 ? 0 : probe == 1 ? n - 1 : (size_t)((uniform() + 1) / 2 * (double)n)] = 1;
        for (size_t i = 0; probe >= PROBES && i < n; i++)
            u[i] = uniform();
        for (size_t i = 0; i < n; i++) {
            got += added[i] * u[i];
            length += u[i] * u[i];
        }
        const double error = fabs(got - slope(s, v, dy, k, u)) / (size * sqrt(length));
        worst = error > worst || isnan(error) ? isnan(error) ? INFINITY : error : worst;
    }
    free(u);
    return worst;
}

/* 1 where a guard between the columns of a view was overwritten. */
static int guards_broken(const struct tensor *t)
{
    for (size_t i = 0; i < (size_t)t->rows * (size_t)t->ld; i++)
        if ((int)(i % (size_t)t->ld) >= t->cols
            && (t->data[i] != GUARD || (t->grad && t->grad[i] != GUARD)))
            return 1;
    return 0;
}

static double output_error(const struct tensor *t, const double *want)
{
    double *got = packed(t, t->data), worst = 0, size = 1;
    for (size_t i = 0; i < tensor_size(t); i++)
        size = isfinite(want[i]) ? fmax(size, fabs(want[i])) : size;
    for (size_t i = 0; i < tensor_size(t); i++) {
        const double error = got[i] == want[i] ? 0 : fabs(got[i] - want[i]) / size;
        worst = error > worst || isnan(error) ? isnan(error) ? INFINITY : error : worst;
    }
    free(got);
    return worst;
}

static int appears_once(const struct step *s, int k)
{
    int n = 0;
    for (int i = 0; i < ops[s->op].in; i++)
        n += operands(s)[i] == operands(s)[k];
    return n == 1;
}

/* Backward into gradients that hold nothing yet, where the backend stores there. */
static double stored_error(const struct step *s, double *const *v, double *const *dy)
{
    struct tensor *const *t = operands(s);
    const int in = ops[s->op].in;
    double worst = 0;

    for (int k = 0; k < in && be->stores; k++)
        if (dy[k] && appears_once(s, k)) {
            t[k]->fresh = 1;
            for (size_t i = 0; i < tensor_size(t[k]); i++)
                t[k]->grad[place(t[k], i)] = NAN;
        }
    run(s, 1);
    for (int k = 0; k < in; k++)
        if (dy[k] && t[k]->fresh) {
            double *stored = packed(t[k], t[k]->grad);
            worst = fmax(worst, gradient_error(s, v, dy, k, stored));
            free(stored);
            t[k]->fresh = 0;
        }
    return worst;
}

static void check_once(const char *name, const struct step s, double tolerance)
{
    struct tensor *const *t = operands(&s);
    const int in = ops[s.op].in, all = in + ops[s.op].out;
    double *v[OPERANDS] = {0}, *dy[OPERANDS] = {0}, *before[OPERANDS] = {0}, worst = 0;
    int broken = 0;

    for (int k = 0; k < all; k++) {
        v[k] = t[k] ? packed(t[k], t[k]->data) : NULL;
        dy[k] = t[k] && t[k]->grad ? packed(t[k], t[k]->grad) : NULL;
        before[k] = t[k] && k < in ? packed(t[k], t[k]->data) : NULL;
    }
    run(&s, 0);
    reference(&s, v);
    for (int k = in; k < all; k++)
        worst = fmax(worst, output_error(t[k], v[k]));
    run(&s, 1);
    for (int k = 0; k < in; k++) {
        if (dy[k]) {
            double *added = packed(t[k], t[k]->grad);
            for (size_t i = 0; i < tensor_size(t[k]); i++)
                added[i] -= dy[k][i];
            worst = fmax(worst, gradient_error(&s, v, dy, k, added));
            free(added);
        }
        broken |= before[k] && output_error(t[k], before[k]) != 0;      /* inputs stay */
    }
    worst = fmax(worst, stored_error(&s, v, dy));
    for (int k = 0; k < all; k++) {
        broken |= t[k] && guards_broken(t[k]);
        free(v[k]), free(dy[k]), free(before[k]);
    }
    report(worst < tolerance && !broken, broken ? "writes outside its outputs" : name, worst);
}

/* The operands of a step, each once, and how many. */
static int distinct(const struct step *s, struct tensor **once)
{
    struct tensor *const *t = operands(s);
    int n = 0;
    for (int k = 0; k < ops[s->op].in + ops[s->op].out; k++) {
        int known = !t[k];
        for (int i = 0; i < n; i++)
            known |= once[i] == t[k];
        if (!known)
            once[n++] = t[k];
    }
    return n;
}

static void round_numbers(const struct tensor *t, float *x)
{
    for (size_t i = 0; x && i < (size_t)t->rows * (size_t)t->ld; i++)
        x[i] = bf16_widen(bf16_narrow(x[i]));
}

/* Whether a plan may store just the operands of these bits in bf16. */
static int may_store(const struct step *s, unsigned bits)
{
    struct tensor *const *t = operands(s);
    unsigned alike, may = step_narrow(s, &alike);
    for (int k = 0; k < OPERANDS; k++)
        if (k >= ops[s->op].in + ops[s->op].out || !t[k])
            may &= ~(1u << k), alike &= ~(1u << k);
    return !(bits & ~may) && (!(bits & alike) || (bits & alike) == alike);
}

static void store_narrow(const struct step *s, unsigned bits)
{
    struct tensor *const *t = operands(s);
    for (int k = 0; k < ops[s->op].in + ops[s->op].out; k++)
        if (t[k]) {
            t[k]->storage = bits >> k & 1 ? STORAGE_BF16 : STORAGE_F32;
            if (bits >> k & 1)
                round_numbers(t[k], t[k]->data), round_numbers(t[k], t[k]->grad);
        }
}

static void check(const char *name, const struct step s, double tolerance)
{
    struct tensor *once[OPERANDS];
    const int n = distinct(&s, once);
    float *data[OPERANDS], *grad[OPERANDS];
    for (int k = 0; k < n; k++) {
        const size_t bytes = (size_t)once[k]->rows * (size_t)once[k]->ld * sizeof(float);
        data[k] = once[k]->data, grad[k] = once[k]->grad;
        once[k]->data = data[k] ? memcpy(zalloc(bytes, 1), data[k], bytes) : NULL;
        once[k]->grad = grad[k] ? memcpy(zalloc(bytes, 1), grad[k], bytes) : NULL;
    }
    check_once(name, s, tolerance);
    for (unsigned bits = 1; bits < 1u << OPERANDS && be->narrows; bits++) {
        char narrow[200];
        if (!may_store(&s, bits))
            continue;
        for (int k = 0; k < n; k++) {
            const size_t bytes = (size_t)once[k]->rows * (size_t)once[k]->ld * sizeof(float);
            if (data[k])
                memcpy(once[k]->data, data[k], bytes);
            if (grad[k])
                memcpy(once[k]->grad, grad[k], bytes);
        }
        snprintf(narrow, sizeof narrow, "%s; operands %#x in bf16", name, bits);
        store_narrow(&s, bits);
        check_once(narrow, s, fmax(tolerance, BF16_TOLERANCE));
    }
    for (int k = 0; k < n; k++)
        free(data[k]), free(grad[k]), free(once[k]->data), free(once[k]->grad), free(once[k]);
}

#include "tests/ops_cases.h"

int main(int argc, char **argv)
{
    program = "ops";
    setvbuf(stdout, NULL, _IOLBF, 0);
    omp_set_num_threads(2);
    for (int i = 0; (be = tested_backend(argc, argv, i)); i++) {
        state = 1, asked = 0;
#define OP(name, in, out, keep)                  \
    if (argc < 3 || !strcmp(argv[2], #name))     \
        name##_cases();
#include "kernels/ops.def"
#undef OP
    }
    printf("1..%d\n", tests);
    return failed ? EXIT_FAILED : finish();
}
