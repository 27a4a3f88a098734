/* attention.c - scaled dot-product attention; no [tq, tk] matrix is stored. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vmath.h"
#include <math.h>

static float dot(const float *a, const float *b, int n)
{
    float sum = 0;
    #pragma omp simd reduction(+:sum)
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Keys that query i of sequence b sees. */
static int keys_seen(const struct attention_args *a, int b, int i)
{
    const int keys = a->lengths ? ints(a->lengths)[b] : a->tk;
    const int seen = a->causal ? keys - a->tq + i + 1 : keys;
    return seen < 0 ? 0 : min_int(seen, keys);
}

static float keep(const struct attention_args *a, int b, int h, int i, int j)
{
    float scale = 1;
    if (a->draw && a->p > 0)
        KERNEL(dropout_scales)(a->draw, a->site, a->p,
            (((uint64_t)b * (uint64_t)a->heads + (uint64_t)h) * (uint64_t)a->tq + (uint64_t)i)
            * (uint64_t)a->tk + (uint64_t)j, 1, &scale);
    return scale;
}

/* One query row at a time, with a running maximum (online softmax). */
static void head_forward(const struct attention_args *a, int b, int h)
{
    const int d = a->q->cols / a->heads;
    const float scale = 1 / sqrtf((float)d);

    for (int i = 0; i < a->tq; i++) {
        const float *q = row(a->q, b * a->tq + i) + h * d;
        float *y = row(a->y, b * a->tq + i) + h * d, top = -INFINITY, sum = 0;

        for (int e = 0; e < d; e++)
            y[e] = 0;
        for (int j = 0; j < keys_seen(a, b, i); j++) {
            const float s = scale * dot(q, row(a->k, b * a->tk + j) + h * d, d);
            const float *v = row(a->v, b * a->tk + j) + h * d;
            const float shrink = s > top ? exp_float(top - s) : 1;
            top = s > top ? s : top;
            const float p = exp_float(s - top), kept = p * keep(a, b, h, i, j);
            sum = sum * shrink + p;
            for (int e = 0; e < d; e++)
                y[e] = y[e] * shrink + kept * v[e];
        }
        for (int e = 0; e < d && sum != 0; e++)
            y[e] /= sum;
        row(a->lse, b * a->tq + i)[h] = top + logf(sum);
    }
}

/* p = exp(s - lse);  dv += p dy;  ds = p (dy.v - dy.y);  dq += ds k;  dk += ds q. */
static void head_backward(const struct attention_args *a, int b, int h)
{
    const int d = a->q->cols / a->heads;
    const float scale = 1 / sqrtf((float)d);

    for (int i = 0; i < a->tq; i++) {
        const int qi = b * a->tq + i;
        const float *q = row(a->q, qi) + h * d, *dy = grad_row(a->y, qi) + h * d;
        const float lse = row(a->lse, qi)[h], dyy = dot(dy, row(a->y, qi) + h * d, d);
        for (int j = 0; j < keys_seen(a, b, i); j++) {
            const int kj = b * a->tk + j;
            const float *k = row(a->k, kj) + h * d, *v = row(a->v, kj) + h * d;
            const float p = exp_float(scale * dot(q, k, d) - lse), kept = keep(a, b, h, i, j);
            const float ds = scale * p * (kept * dot(dy, v, d) - dyy);
            for (int e = 0; e < d; e++) {
                if (wants_grad(a->v))
                    grad_row(a->v, kj)[h * d + e] += p * kept * dy[e];
                if (wants_grad(a->q))
                    grad_row(a->q, qi)[h * d + e] += ds * k[e];
                if (wants_grad(a->k))
                    grad_row(a->k, kj)[h * d + e] += ds * q[e];
            }
        }
    }
}

void KERNEL(attention_forward)(const struct attention_args *a)
{
    const int batch = a->q->rows / a->tq;
    #pragma omp parallel for collapse(2)
    for (int b = 0; b < batch; b++)
        for (int h = 0; h < a->heads; h++)
            head_forward(a, b, h);
}

void KERNEL(attention_backward)(const struct attention_args *a)
{
    const int batch = a->q->rows / a->tq;
    #pragma omp parallel for collapse(2)    /* threads own a (sequence, head) */
    for (int b = 0; b < batch; b++)
        for (int h = 0; h < a->heads; h++)
            head_backward(a, b, h);
}
