/* cpu.h - what the files of kernels/cpu share.
 *
 * Each is compiled once for every level of x86-64 with -DLEVEL=v2, v3, v4, v4bf16
 * or v4amx; KERNEL(f) is f's name at that level.  Threads own whole rows, columns
 * or heads, and every sum runs in an order that does not depend on them: the
 * same bits at any thread count. */
#pragma once
#include "kernels/backend.h"
#include <stdint.h>

#define CPU_JOIN_(a, b) a##_##b
#define CPU_JOIN(a, b) CPU_JOIN_(a, b)
#define KERNEL(name) CPU_JOIN(CPU_JOIN(cpu, LEVEL), name)

/* A loop over that many floats is worth a second thread. */
enum { PARALLEL = 1 << 15 };
/* Columns a thread owns at a time in sums over rows. */
enum { COLUMNS = 64 };

static inline int min_int(int a, int b) { return a < b ? a : b; }

/* Row r of a tensor's data and of its gradient, stored in f32. */
static inline float *row(const struct tensor *t, int r) { return tensor_row(t, t->data, r); }
static inline float *grad_row(const struct tensor *t, int r) { return tensor_row(t, t->grad, r); }

/* The int32 numbers of an [n, 1] tensor. */
static inline const int *ints(const struct tensor *t) { return (const int *)(const void *)t->data; }

/* Whether there is a gradient to add to. */
static inline int wants_grad(const struct tensor *t) { return t && t->grad; }

struct product;
void KERNEL(product)(const struct product *q);
/* few.c: the same if it has so few rows that packing is not worth it; else 0. */
int KERNEL(product_few)(const struct product *q);
/* attention_one.c: attention_forward() if it is of one query a sequence without dropout; else 0. */
int KERNEL(attention_one)(const struct attention_args *a);
/* dropout.c: scale[k] = 1 / (1 - p) where element first + k of a site is kept, else 0.
 * `draw` is the [1, 4] tensor of ops.h. */
void KERNEL(dropout_scales)(const struct tensor *draw, unsigned site, float p, uint64_t first,
                            int n, float *scale);

#define OP(name, in, out, keep)                              \
    void KERNEL(name##_forward)(const struct name##_args *); \
    void KERNEL(name##_backward)(const struct name##_args *);
#include "kernels/ops.def"
#undef OP
void KERNEL(zero)(float *, size_t);
void KERNEL(sum)(const float *, size_t, double *);
void KERNEL(sum_squares)(const float *, size_t, double *);
void KERNEL(sums)(const struct tensor *x, const struct tensor *with, struct sequences,
                  struct sums *);
void KERNEL(welford)(const struct tensor *x, struct sequences, long long n, double *means,
                     struct welford *);
void KERNEL(ellipsoid)(const struct norm_args *, struct sequences, struct ellipsoid *);
void KERNEL(support)(const struct tensor *p, const struct tensor *gain, const struct tensor *bias,
                     struct sequences, double *);
void KERNEL(adam)(const struct adam_args *);
void KERNEL(sgd)(const struct sgd_args *);
void KERNEL(halve)(const struct tensor *, float *);
double KERNEL(peak)(enum precision);
double KERNEL(bandwidth)(void);
extern const struct backend KERNEL(backend);
