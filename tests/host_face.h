/* host_face.h - a backend behind a face that takes all operands in f32 on the host: they are copied
 * to where and how the backend wants them for each call and back, so that one test serves all. */
#pragma once
#include "base/base.h"
#include "tests/host_copy.h"

static struct backend face;
enum { FACE_OPERANDS = 10 };

/* Copies of a step's operands: two that are one tensor stay one. */
struct face_call {
    struct tensor twins[FACE_OPERANDS];
    struct face_copy data[FACE_OPERANDS], grad[FACE_OPERANDS], narrow[FACE_OPERANDS];
};

static inline void face_enter(struct face_call *c, struct tensor **t, int n)
{
    struct tensor *seen[FACE_OPERANDS];
    for (int k = 0; k < n; k++) {
        int same = 0;
        seen[k] = t[k];
        c->data[k].host = c->grad[k].host = c->narrow[k].host = NULL;
        if (!t[k])
            continue;
        while (seen[same] != seen[k])
            same++;
        t[k] = &c->twins[same];
        if (same < k)
            continue;
        const size_t floats = (size_t)seen[k]->rows * (size_t)seen[k]->ld;
        c->twins[k] = *seen[k];
        float *(*const send)(struct face_copy *, float *, size_t) =
            seen[k]->storage == STORAGE_BF16 ? face_send_narrow : face_send;
        c->twins[k].data = send(&c->data[k], seen[k]->data, floats);
        c->twins[k].grad = send(&c->grad[k], seen[k]->grad, floats);
        if (face_of->narrow && (k == 1 || k == 2))     /* a product's weight and bias */
            c->twins[k].narrow = (uint16_t *)(void *)face_send_narrow(&c->narrow[k],
                                                                      seen[k]->data, floats);
    }
}

static inline void face_leave(struct face_call *c, int n)
{
    for (int k = 0; k < n; k++) {
        face_fetch(&c->data[k]);
        face_fetch(&c->grad[k]);
        face_drop(&c->narrow[k]);
    }
}

#define FACE_HALF(op, half, in, out)                                  \
    static inline void face_##op##_##half(const struct op##_args *a)  \
    {                                                                 \
        struct op##_args copy = *a;                                   \
        struct face_call c;                                           \
        face_enter(&c, (struct tensor **)(void *)&copy, (in) + (out)); \
        face_of->op##_##half(&copy);                                  \
        face_leave(&c, (in) + (out));                                 \
    }
#define OP(name, in, out, keep) FACE_HALF(name, forward, in, out) FACE_HALF(name, backward, in, out)
#include "kernels/ops.def"
#undef OP

/* An update's numbers, or doubles, as floats of a copy. */
static inline void *face_send_bytes(struct face_copy *c, const void *host, size_t bytes)
{
    return face_send(c, (float *)(size_t)host, bytes / sizeof(float));
}

/* Room for the copy in bf16 of n parameters, if there is one; and what was written there. */
static inline uint16_t *face_send_narrowed(struct face_copy *c, uint16_t *narrow, size_t n)
{
    *c = (struct face_copy){NULL, narrow ? face_of->alloc((n + 1) / 2) : NULL, n, STORAGE_BF16};
    return (uint16_t *)(void *)c->device;
}

static inline void face_fetch_narrowed(struct face_copy *c, uint16_t *narrow)
{
    if (!narrow)
        return;
    face_of->get(narrow, c->device, c->n * sizeof *narrow);
    face_of->release(c->device);
}

static inline void face_adam(const struct adam_args *a)
{
    struct adam_args b = *a;
    struct face_copy c[6];
    b.w = face_send(&c[0], a->w, a->n);
    b.narrow = face_send_narrowed(&c[5], a->narrow, a->n);
    b.m = face_send(&c[1], a->m, a->n);
    b.v = face_send(&c[2], a->v, a->n);
    b.grad = face_send(&c[3], (float *)(size_t)a->grad, a->n);
    b.now = face_send_bytes(&c[4], a->now, sizeof *a->now);
    face_of->adam(&b);
    for (int i = 0; i < 4; i++)
        face_fetch(&c[i]);
    face_drop(&c[4]);
    face_fetch_narrowed(&c[5], a->narrow);
}

static inline void face_sgd(const struct sgd_args *a)
{
    struct sgd_args b = *a;
    struct face_copy c[5];
    b.w = face_send(&c[0], a->w, a->n);
    b.narrow = face_send_narrowed(&c[4], a->narrow, a->n);
    b.m = face_send(&c[1], a->m, a->n);
    b.grad = face_send(&c[2], (float *)(size_t)a->grad, a->n);
    b.now = face_send_bytes(&c[3], a->now, sizeof *a->now);
    face_of->sgd(&b);
    for (int i = 0; i < 3; i++)
        face_fetch(&c[i]);
    face_drop(&c[3]);
    face_fetch_narrowed(&c[4], a->narrow);
}

static inline void face_settle(struct update *u, const double *losses, int n, double clip)
{
    struct face_copy c[2];
    face_of->settle(face_send_bytes(&c[0], u, sizeof *u),
                    face_send_bytes(&c[1], losses, (size_t)n * sizeof *losses), n, clip);
    face_fetch(&c[0]);
    face_drop(&c[1]);
}

#define FACE_SUM(name)                                                          \
    static inline void face_##name(const float *x, size_t n, double *sum)       \
    {                                                                           \
        struct face_copy c[2];                                                  \
        const float *device = face_send(&c[0], (float *)(size_t)x, n);          \
        face_of->name(device, n, face_send_bytes(&c[1], sum, sizeof *sum));     \
        face_fetch(&c[1]);                                                      \
        face_drop(&c[0]);                                                       \
    }
FACE_SUM(sum)
FACE_SUM(sum_squares)

/* A tensor's twin, of its data alone. */
struct face_twin {
    struct tensor t;
    struct face_copy c;
};

static inline struct tensor *face_twin(struct face_twin *w, const struct tensor *t)
{
    w->c.host = NULL;
    if (!t)
        return NULL;
    w->t = *t;
    w->t.data = (t->storage == STORAGE_BF16 ? face_send_narrow : face_send)(
        &w->c, t->data, (size_t)t->rows * (size_t)t->ld);
    return &w->t;
}

static inline void face_sums(const struct tensor *x, const struct tensor *with, struct sequences n,
                             struct sums *to)
{
    struct face_twin w[2];
    struct face_copy c;
    face_of->sums(face_twin(&w[0], x), face_twin(&w[1], with), n,
                  face_send_bytes(&c, to, (size_t)n.n * sizeof *to));
    face_fetch(&c);
    face_drop(&w[0].c), face_drop(&w[1].c);
}

static inline void face_welford(const struct tensor *x, struct sequences n, long long seen,
                                double *means, struct welford *to)
{
    struct face_twin w;
    struct face_copy c[2];
    const size_t bytes = (size_t)n.time * (size_t)x->cols * sizeof *means;
    face_of->welford(face_twin(&w, x), n, seen, face_send_bytes(&c[0], means, bytes),
                     face_send_bytes(&c[1], to, sizeof *to));
    face_fetch(&c[0]), face_fetch(&c[1]);
    face_drop(&w.c);
}

static inline void face_ellipsoid(const struct norm_args *a, struct sequences n,
                                  struct ellipsoid *to)
{
    struct norm_args b = *a;
    struct face_twin w[4];
    struct face_copy c;
    b.x = face_twin(&w[0], a->x), b.y = face_twin(&w[1], a->y);
    b.gain = face_twin(&w[2], a->gain), b.bias = face_twin(&w[3], a->bias);
    face_of->ellipsoid(&b, n, face_send_bytes(&c, to, (size_t)n.n * sizeof *to));
    face_fetch(&c);
    for (int i = 0; i < 4; i++)
        face_drop(&w[i].c);
}

static inline void face_support(const struct tensor *p, const struct tensor *gain,
                                const struct tensor *bias, struct sequences n, double *to)
{
    struct face_twin w[3];
    struct face_copy c;
    face_of->support(face_twin(&w[0], p), face_twin(&w[1], gain), face_twin(&w[2], bias), n,
                     face_send_bytes(&c, to, (size_t)n.n * sizeof *to));
    face_fetch(&c);
    for (int i = 0; i < 3; i++)
        face_drop(&w[i].c);
}

static inline void face_zero(float *x, size_t n)
{
    struct face_copy c;
    face_of->zero(face_send(&c, x, n), n);
    face_fetch(&c);
}

/* The i-th backend to test: without an argument the CPU's levels, with one that device. */
static inline const struct backend *tested_backend(int argc, char **argv, int i)
{
    const char *level = argc < 2 ? backend_level(i) : NULL;
    if (argc < 2 ? !level : i > 0)
        return NULL;
    face_of = backend_open(argc < 2 ? "cpu" : argv[1], level);
    face = *face_of;
    face.adam = face_adam, face.sgd = face_sgd;
    face.sum = face_sum, face.sum_squares = face_sum_squares, face.zero = face_zero;
    face.settle = face_settle, face.sums = face_sums, face.welford = face_welford;
    face.ellipsoid = face_ellipsoid, face.support = face_support;
#define OP(name, in, out, keep) \
    face.name##_forward = face_##name##_forward, face.name##_backward = face_##name##_backward;
#include "kernels/ops.def"
#undef OP
    return &face;
}
