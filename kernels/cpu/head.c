/* head.c - logits and their cross-entropy, a part of the vocabulary at a time: what a part's
 * product leaves in the third cache is summed up there. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/vmath.h"
#include "kernels/scratch.h"
#include <math.h>

enum { AT_ONCE = 1024 };        /* logits of a row that are gone through twice */

/* What a row's logits so far are summed up in: a row of `state`. */
struct run {
    float top, sum;         /* the largest; of exp(logit - top) */
    float total, target;    /* of the logits; the target's */
};

/* Columns [first, first + cols) of the vocabulary. */
struct part {
    const struct head_args *a;
    int first, cols;
};

static struct run *run_of(const struct head_args *a, int r)
{
    return (struct run *)(void *)row(a->state, r);
}

/* The part's logits: where they stay, or where the part alone is. */
static struct numbers logits_of(const struct part *s)
{
    const struct tensor *logits = s->a->logits, *part = s->a->part;
    return logits->data ? numbers_from(numbers_of(logits, logits->data), 0, s->first)
                        : numbers_of(part, part->data);
}

/* The largest of n numbers, NaN passed over. */
static float top_of(const float *l, int n)
{
    vec tops = splat(-INFINITY);
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        tops = larger_vec(tops, load(l + i));
    if (i < n)
        tops = larger_vec(tops, load_part(l + i, n - i, -INFINITY));
    return largest_of(tops);
}

/* The lowest index at which l has that value, 0 if none. */
static int index_of(const float *l, int n, float value)
{
    for (int i = 0; i < n; i++)
        if (l[i] == value)
            return i;
    return 0;
}

/* The n logits l of a row's index `from` on, few enough to stay in the first cache. */
static void add_logits(struct run *run, int *best, const float *l, int from, int n)
{
    vec sums = splat(0), totals = splat(0);
    int i = 0;
    const float top = top_of(l, n);
    if (from == 0)
        *run = (struct run){.top = top};
    if (from == 0 || top > run->top) {
        run->sum *= expf(run->top - top);
        run->top = top;
        *best = from + index_of(l, n, top);
    }
    for (; i + LANES <= n; i += LANES) {
        const vec x = load(l + i);
        sums += exp_vec(x - run->top);
        totals += x;
    }
    if (i < n) {
        sums += exp_vec(load_part(l + i, n - i, -INFINITY) - run->top);
        totals += load_part(l + i, n - i, 0);
    }
    run->sum += sum_of(sums);
    run->total += sum_of(totals);
}

static void add_row(const struct part *s, int r)
{
    const int target = ints(s->a->targets)[r] - s->first;
    struct run *run = run_of(s->a, r);
    for (int i = 0; i < s->cols; i += AT_ONCE) {
        const int n = min_int(AT_ONCE, s->cols - i);
        float room[AT_ONCE];
        const float *l = open_numbers(numbers_from(logits_of(s), r, i), n, room);
        add_logits(run, (int *)(void *)row(s->a->best, r), l, s->first + i, n);
        if (target >= i && target < i + n)
            run->target = l[target - i];
    }
}

static void end_row(const struct head_args *a, int r)
{
    const struct run *run = run_of(a, r);
    const float log_sum = logf(run->sum), s = a->smoothing;
    const float mean = run->total / (float)a->weight->rows;
    row(a->lse, r)[0] = run->top + log_sum;
    row(a->loss, r)[0] = ints(a->targets)[r] < 0 ? 0
                       : (1 - s) * (log_sum - (run->target - run->top))
                         + (s > 0 ? s * (log_sum - (mean - run->top)) : 0);
}

static struct part part_from(const struct head_args *a, int first)
{
    return (struct part){a, first, min_int(a->part->cols, a->weight->rows - first)};
}

void KERNEL(head_forward)(const struct head_args *a)
{
    const int n = a->x->rows, vocab = a->weight->rows;
    for (int first = 0; first < vocab; first += a->part->cols) {
        const struct part s = part_from(a, first);
        KERNEL(product)(&(struct product){
            .precision = a->precision, .m = n, .n = s.cols, .k = a->x->cols,
            .a = factor_of(a->x, a->x->data, 0),
            .b = factor_of(a->weight, row(a->weight, first), 1),
            .c = logits_of(&s),
            .bias = a->bias ? a->bias->data + first : NULL,
        });
        #pragma omp parallel for if ((size_t)n * (size_t)s.cols > PARALLEL / 4)
        for (int r = 0; r < n; r++)
            add_row(&s, r);
    }
    for (int r = 0; r < n; r++)
        end_row(a, r);
}

/* dlogits = dloss * (p - (1 - smoothing) [target] - smoothing / vocab) of n logits l. */
static void logits_gradient(const struct head_args *a, int r, const float *l, int n, float *dl)
{
    const float lse = row(a->lse, r)[0], spread = a->smoothing / (float)a->weight->rows;
    const vec dy = splat(ints(a->targets)[r] < 0 ? 0 : grad_row(a->loss, r)[0]);
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        store(dl + i, (exp_vec(load(l + i) - lse) - spread) * dy);
    if (i < n)
        store_part(dl + i, (exp_vec(load_part(l + i, n - i, 0) - lse) - spread) * dy, n - i);
}

/* A row of them, to `part`. */
static void row_gradient(const struct part *s, int r)
{
    const struct head_args *a = s->a;
    const int target = ints(a->targets)[r] - s->first;
    for (int i = 0; i < s->cols; i += AT_ONCE) {
        const int n = min_int(AT_ONCE, s->cols - i);
        float room[2 * AT_ONCE], *dl = open_part(a->part, a->part->data, r, i, n, room);
        const float *l = open_numbers(numbers_from(logits_of(s), r, i), n, room + AT_ONCE);
        logits_gradient(a, r, l, n, dl);
        if (target >= i && target < i + n)
            dl[target - i] -= grad_row(a->loss, r)[0] * (1 - a->smoothing);
        close_part(a->part, a->part->data, r, i, n, dl);
    }
}

/* dx (+)= dlogits w;  dw += dlogits' x;  dbias += sum over rows of dlogits. */
static void part_backward(const struct part *s, const struct tensor *dx)
{
    const struct head_args *a = s->a;
    const int n = a->x->rows, c = a->x->cols;
    float *dbias = wants_grad(a->bias) ? a->bias->grad + s->first : NULL;

    #pragma omp parallel for if ((size_t)n * (size_t)s->cols > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        row_gradient(s, r);
    if (wants_grad(a->x))
        KERNEL(product)(&(struct product){
            .precision = a->precision, .m = n, .n = c, .k = s->cols,
            .a = factor_of(a->part, a->part->data, 0),
            .b = factor_of(a->weight, row(a->weight, s->first), 0),
            .c = numbers_of(dx, dx->grad), .add = !dx->fresh || s->first > 0,
        });
    if (dbias && a->bias->fresh)
        KERNEL(zero)(dbias, (size_t)s->cols);
    if (wants_grad(a->weight))
        KERNEL(product)(&(struct product){
            .precision = a->precision, .m = s->cols, .n = c, .k = n,
            .a = factor_of(a->part, a->part->data, 1), .b = factor_of(a->x, a->x->data, 0),
            .c = numbers_of(a->weight, grad_row(a->weight, s->first)),
            .add = !a->weight->fresh,
            .sums = dbias,
        });
}

/* A gradient that is stored in bf16 is summed over the parts in f32. */
void KERNEL(head_backward)(const struct head_args *a)
{
    const int aside = wants_grad(a->x) && a->x->storage == STORAGE_BF16;
    struct tensor dx = *a->x, none = *a->x;
    if (aside)
        dx = (struct tensor){.rows = dx.rows, .cols = dx.cols, .ld = dx.cols, .fresh = 1,
                             .grad = scratch(SCRATCH_GRADIENT, tensor_size(&dx))};
    for (int first = 0; first < a->weight->rows; first += a->part->cols) {
        const struct part s = part_from(a, first);
        part_backward(&s, &dx);
    }
    none.grad = NULL;
    if (aside)
        KERNEL(residual_backward)(&(struct residual_args){.x = &none, .f = a->x, .y = &dx,
                                                          .step = 1});
}
