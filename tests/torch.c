/* torch [DEVICE] - norm, attention and cross-entropy, forward and backward, against PyTorch's
 * results in tests/golden/ops.tsv (made by make_ops.py beside it), on every level of the CPU or
 * on that device.
 *
 * The file's numbers are f64 rounded to 9 digits; f32 sums of up to some 100 products of
 * numbers of size 1 differ by TOLERANCE of the largest entry at most, with inputs of products
 * rounded to bf16, each by up to 2^-9, by BF16_TOLERANCE, 4 such roundings. */
#include "base/base.h"
#include "tests/host_face.h"
#include "tests/tap.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 3e-6, BF16_TOLERANCE = 8e-3;
static const char FILE_NAME[] = "tests/golden/ops.tsv";
enum { MOST = 4096 };

static const struct backend *be;
static enum precision precision;
static unsigned state;
static struct tensor *made[16];     /* of this case */
static int n_made;

static void forget(void)
{
    while (n_made > 0) {
        struct tensor *t = made[--n_made];
        free(t->data), free(t->grad), free(t);
    }
}

/* A tensor of the generator's numbers with a gradient of zeros. */
static struct tensor *numbers(int rows, int cols)
{
    struct tensor *t = made[n_made++] = zalloc(1, sizeof *t);
    *t = (struct tensor){.rows = rows, .cols = cols, .ld = cols};
    t->data = zalloc(tensor_size(t), sizeof(float));
    t->grad = zalloc(tensor_size(t), sizeof(float));
    for (size_t i = 0; i < tensor_size(t); i++) {
        state = state * 1664525u + 1013904223u;
        t->data[i] = (float)(state >> 8) * 0x1p-23f - 1;
    }
    return t;
}

/* An output: zeros, and the generator's next numbers as its gradient. */
static struct tensor *output(int rows, int cols)
{
    struct tensor *t = numbers(rows, cols);
    float *zeros = t->grad;
    t->grad = t->data;
    t->data = zeros;
    return t;
}

static struct tensor *scratch(int rows, int cols)
{
    const unsigned before = state;
    struct tensor *t = numbers(rows, cols);
    state = before;
    return t;
}

/* The numbers of a case's tensor in the file; dies where they are not `n`. */
static void golden(const char *name, const char *tensor, double *to, size_t n)
{
    static char line[1 << 17];
    FILE *f = fopen(FILE_NAME, "r");
    if (!f)
        die("%s:", FILE_NAME);
    while (fgets(line, sizeof line, f)) {
        char *at = line, *word = strsep(&at, "\t"), *what = strsep(&at, "\t");
        if (strcmp(word, name) || strcmp(what, tensor))
            continue;
        fclose(f);
        for (size_t i = 0; i < n; i++) {
            if (!at || !*at)
                die("%s: %s %s has %zu numbers, not %zu", FILE_NAME, name, tensor, i, n);
            to[i] = strtod(at, &at);
        }
        return;
    }
    die("%s: no %s %s", FILE_NAME, name, tensor);
}

static void expect(const char *name, const char *tensor, const float *got, const struct tensor *t)
{
    static double want[MOST];
    const size_t n = tensor_size(t);
    double worst = 0, size = 1;
    golden(name, tensor, want, n);
    for (size_t i = 0; i < n; i++) {
        const double gap = fabs((double)got[i] - want[i]);
        worst = gap > worst || isnan(gap) ? gap : worst;
        size = fmax(size, fabs(want[i]));
    }
    ok(worst / size < (precision ? BF16_TOLERANCE : TOLERANCE), "%s: %s%s %s: %.1e", be->name,
       name, precision ? " in bf16" : "", tensor, worst / size);
}

static void norm(const char *name, int n, int c, int center)
{
    struct norm_args a = {.eps = 1e-5f, .center = center};
    a.x = numbers(n, c), a.gain = numbers(1, c), a.bias = numbers(1, c);
    a.y = output(n, c), a.stats = scratch(n, 2);
    be->norm_forward(&a);
    be->norm_backward(&a);
    expect(name, "y", a.y->data, a.y);
    expect(name, "dx", a.x->grad, a.x);
    expect(name, "dgain", a.gain->grad, a.gain);
    expect(name, "dbias", a.bias->grad, a.bias);
    forget();
}

static void attention(const char *name, int b, int heads, int d, int tq, int tk, int causal)
{
    struct attention_args a = {.heads = heads, .tq = tq, .tk = tk, .causal = causal,
                               .precision = precision};
    a.q = numbers(b * tq, heads * d), a.k = numbers(b * tk, heads * d);
    a.v = numbers(b * tk, heads * d), a.y = output(b * tq, heads * d);
    a.lse = scratch(b * tq, heads);
    be->attention_forward(&a);
    be->attention_backward(&a);
    expect(name, "y", a.y->data, a.y);
    expect(name, "dq", a.q->grad, a.q);
    expect(name, "dk", a.k->grad, a.k);
    expect(name, "dv", a.v->grad, a.v);
    forget();
}

/* The numbers are the logits: times a weight of ones on the diagonal they stay what they are. */
static void xent(const char *name, int n, int vocab, float smoothing)
{
    struct head_args a = {.smoothing = smoothing, .precision = precision};
    a.x = numbers(n, vocab), a.loss = output(n, 1);
    a.weight = scratch(vocab, vocab), a.logits = scratch(n, vocab);
    a.part = scratch(n, 16), a.state = scratch(n, 4);
    a.targets = scratch(n, 1), a.lse = scratch(n, 1), a.best = scratch(n, 1);
    for (size_t i = 0; i < tensor_size(a.x); i++)
        a.x->data[i] *= 4;
    for (int i = 0; i < vocab * vocab; i++)
        a.weight->data[i] = i % (vocab + 1) == 0;
    for (int i = 0; i < n; i++)
        ((int *)(void *)a.targets->data)[i] = i * 7 % vocab;
    be->head_forward(&a);
    be->head_backward(&a);
    expect(name, "loss", a.loss->data, a.loss);
    expect(name, "dlogits", a.x->grad, a.x);
    forget();
}

static void every_case(void)
{
    state = 1;
    norm("layer", 5, 37, 1);
    norm("rms", 5, 40, 0);
    attention("causal", 2, 2, 5, 17, 17, 1);
    attention("cross", 1, 2, 16, 3, 33, 0);
    attention("wide", 1, 1, 80, 5, 5, 1);
    xent("xent", 4, 33, 0);
    xent("smooth", 4, 70, 0.1f);
}

int main(int argc, char **argv)
{
    program = "torch";
    for (int i = 0; (be = tested_backend(argc, argv, i)); i++)
        for (precision = PRECISION_F32; precision <= PRECISION_BF16; precision++)
            every_case();
    return tap_end();
}
