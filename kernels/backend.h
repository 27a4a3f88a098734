/* backend.h - what a device must offer: memory, both halves of every op, the
 * optimisers' one pass over memory, and sums over states. */
#pragma once
#include "kernels/ops.h"
#include "kernels/reduce.h"

/* What changes from update to update: it lies in the backend's memory, so that a step that was
 * recorded once reads it anew. */
struct update {
    double squares;                 /* of the whole gradient */
    float lr, correct1, correct2;
    float scale;                    /* on the gradient, to clip it; nan: nothing is updated */
};

/* One tensor's update by Adam (Kingma and Ba 2015) with decoupled weight decay
 * (Loshchilov and Hutter 2019):  g = scale * grad
 *   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
 *   w = w - lr * decay * w - lr * (m / correct1) / (sqrt(v / correct2) + eps)
 * with correct = 1 - beta^t (t the number of this update, from 1). */
struct adam_args {
    float *w, *m, *v;
    const float *grad;
    size_t n;
    float beta1, beta2, eps, decay;
    const struct update *now;
    uint16_t *narrow;           /* w in bf16, written with it; or NULL */
};

/* m = momentum m + g;  w = w - lr * decay * w - lr * m.  m may be NULL: then m is g. */
struct sgd_args {
    float *w, *m;
    const float *grad;
    size_t n;
    float momentum, decay;
    const struct update *now;
    uint16_t *narrow;           /* as above */
};

/* Work that a device has written down; NULL is none yet. */
struct recording;

/* Work is asked for and done in order; only get(), put() and wait() wait for it. */
struct backend {
    const char *name;                               /* "cpu-v4", "cuda": for records */
    int stores;                                     /* backward kernels heed `fresh`; else the plan
                                                       zeroes gradients first */
    int narrows;                                    /* values between products in bf16 are stored
                                                       in bf16 */
    int joins;                                      /* linear heeds `after` and `before`, norm
                                                       `sum`: the plan leaves out those steps */
    float *(*alloc)(size_t floats);                 /* device memory, zeroed, 64-byte aligned */
    void (*release)(float *);
    void (*zero)(float *, size_t floats);
    void (*put)(float *device, const void *host, size_t bytes);
    void (*get)(void *host, const void *device, size_t bytes);
    void (*send)(float *device, const void *host, size_t bytes);    /* put() that does not wait */
    void (*copy)(float *to, const float *from, size_t floats);      /* both on the device */
    /* To bf16.  NULL where parameters are rounded as products take them: else the plan keeps a
     * copy of them in bf16. */
    void (*narrow)(uint16_t *to, const float *from, size_t n);
    void (*wait)(void);
    /* Do work(of), which asks this backend for the same things each time and waits for none:
     * a device may write them down in *r and repeat what it wrote.  forget() frees *r. */
    void (*replay)(struct recording **r, void (*work)(void *), void *of);
    void (*forget)(struct recording **r);
    /* *sum, on the device = the sum in f64, in one fixed order. */
    void (*sum)(const float *x, size_t n, double *sum);
    void (*sum_squares)(const float *x, size_t n, double *sum);
    /* Reductions of states and gradients: reduce.h.  `with`, of x's shape, may be NULL, as gain
     * and bias, [1, cols] in f32; means [time, cols] are those of n sequences before, first 0. */
    void (*sums)(const struct tensor *x, const struct tensor *with, struct sequences,
                 struct sums *);
    void (*welford)(const struct tensor *x, struct sequences, long long n, double *means,
                    struct welford *);
    void (*ellipsoid)(const struct norm_args *, struct sequences, struct ellipsoid *);
    void (*support)(const struct tensor *p, const struct tensor *gain, const struct tensor *bias,
                    struct sequences, double *);
    /* Set u->scale as torch.nn.utils.clip_grad_norm_ does, clip 0 for any norm; nan where the
     * norm or one of n losses is not finite.  All on the device. */
    void (*settle)(struct update *u, const double *losses, int n, double clip);
    void (*adam)(const struct adam_args *);
    void (*sgd)(const struct sgd_args *);
    /* t's numbers rounded to bf16, rows of half_ld() of them, with zeros behind; two are a float.
     * NULL where products make no use of it. */
    void (*halve)(const struct tensor *t, float *halves);
    /* The device's limits, measured in a fraction of a second: operations a second of products
     * in registers, and bytes a second read from memory.  NULL where they are not known. */
    double (*peak)(enum precision);
    double (*bandwidth)(void);
#define OP(name, in, out, keep)                           \
    void (*name##_forward)(const struct name##_args *);   \
    void (*name##_backward)(const struct name##_args *);
#include "kernels/ops.def"
#undef OP
};

/* The backend of that device ("cpu"), ready to use; dies with the reason when it
 * cannot be had.  `level` names an instruction set of the CPU ("v2", "v3", "v4",
 * "v4bf16"), NULL the best this machine has. */
const struct backend *backend_open(const char *device, const char *level);
/* Name of the i-th level that this machine has, the best first; NULL after the last. */
const char *backend_level(int i);
