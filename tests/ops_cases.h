/* ops_cases.h - of each op the f64 reference, written from ops.h, and what ops.c tries. */

/* Element [r, i] of a packed operand. */
#define AT(k, t, r, i) v[k][(size_t)(r) * (size_t)(t)->cols + (size_t)(i)]

void embed_reference(const struct embed_args *a, double *const *v)
{
    for (int r = 0; r < a->y->rows; r++)
        for (int i = 0; i < a->y->cols; i++)
            AT(6, a->y, r, i) = (double)a->scale * AT(1, a->token, v[0][r], i)
                + (a->position ? AT(3, a->position, v[2] ? v[2][r] : r % a->time, i) : 0)
                + (a->segment ? AT(5, a->segment, v[4][r], i) : 0);
}

void embed_cases(void)
{
    check("embed: tokens and positions", (struct step){OP_embed, .u.embed = {
        .ids = ints(12, 1, 0, 5), .token = numbers(5, 7, 0), .position = numbers(6, 7, 0),
        .y = numbers(12, 7, 3), .time = 4, .scale = 1}}, TOLERANCE);
    check("embed: places, segments, scale", (struct step){OP_embed, .u.embed = {
        .ids = ints(300, 1, 0, 50), .token = numbers(50, 133, 2), .places = ints(300, 1, 0, 9),
        .position = numbers(9, 133, 0), .segments = ints(300, 1, 0, 2),
        .segment = numbers(2, 133, 0), .y = numbers(300, 133, 0), .time = 9, .scale = 3}},
        TOLERANCE);
    check("embed: tokens alone, fixed positions", (struct step){OP_embed, .u.embed = {
        .ids = ints(3, 1, 0, 5), .token = numbers(5, 16, 0), .position = fixed(numbers(3, 16, 0)),
        .y = numbers(3, 16, 0), .time = 3, .scale = 1}}, TOLERANCE);
}

void linear_reference(const struct linear_args *a, double *const *v)
{
    for (int r = 0; r < a->y->rows; r++)
        for (int o = 0; o < a->y->cols; o++) {
            const double *x = &AT(0, a->x, r, 0), *weight = &AT(1, a->weight, o, 0);
            double sum = v[2] ? v[2][o] : 0;
            for (int i = 0; i < a->x->cols; i++)
                sum += x[i] * weight[i];
            AT(3, a->y, r, o) = sum;
        }
}

/* A tensor's numbers, each rounded to bf16. */
static double *packed_rounded(const struct tensor *t)
{
    double *v = packed(t, t->data);
    for (size_t i = 0; i < tensor_size(t); i++) {
        union { float f; uint32_t bits; } u = {(float)v[i]};
        u.bits += 0x7fff + (u.bits >> 16 & 1);
        u.bits &= 0xffff0000;
        v[i] = (double)u.f;
    }
    return v;
}

static double tolerance_of(enum precision p)
{
    return p == PRECISION_BF16 ? BF16_TOLERANCE : p == PRECISION_TF32 ? TF32_TOLERANCE : TOLERANCE;
}

static void linear_case(int n, int in, int out, int pad, int bias, enum precision p)
{
    char name[80];
    snprintf(name, sizeof name, "linear: [%d, %d] to %d, pad %d, bias %d%s", n, in, out, pad, bias,
             p == PRECISION_BF16 ? ", bf16" : p ? ", tf32" : "");
    struct linear_args a = {
        .x = numbers(n, in, pad), .weight = numbers(out, in, 0),
        .bias = bias ? numbers(1, out, 0) : NULL, .y = numbers(n, out, 2 * pad), .precision = p};
    check(name, (struct step){OP_linear, .u.linear = a}, tolerance_of(p));
    if (p != PRECISION_BF16)
        return;
    a = (struct linear_args){       /* forward alone: exactly the product of rounded inputs */
        .x = fixed(numbers(n, in, pad)), .weight = fixed(numbers(out, in, 0)),
        .y = fixed(numbers(n, out, 2 * pad)), .precision = p};
    double *v[4] = {packed_rounded(a.x), packed_rounded(a.weight), NULL, packed(a.y, a.y->data)};
    be->linear_forward(&a);
    linear_reference(&a, v);
    const double error = output_error(a.y, v[3]);
    report(error < TOLERANCE, "linear: bf16 is a product of rounded inputs", error);
    free(v[0]), free(v[1]), free(v[3]);
    struct tensor *t[] = {a.x, a.weight, a.y};
    for (int i = 0; i < 3; i++)
        free(t[i]->data), free(t[i]);
}

void linear_cases(void)
{
    for (enum precision p = PRECISION_F32; p <= PRECISION_BF16; p++) {
        linear_case(1, 1, 1, 0, 1, p);
        linear_case(3, 5, 2, 1, 1, p);
        linear_case(2, 70, 39, 3, 1, p);
        linear_case(13, 17, 33, 0, 0, p);
        linear_case(70, 64, 96, 5, 1, p);
        linear_case(128, 300, 65, 16, 1, p);
        linear_case(260, 96, 80, 0, 0, p);
    }
    linear_case(70, 64, 96, 5, 1, PRECISION_TF32);
    check("linear: x without gradient", (struct step){OP_linear, .u.linear = {
        .x = fixed(numbers(9, 8, 0)), .weight = numbers(4, 8, 0), .y = numbers(9, 4, 0)}},
        TOLERANCE);
    check("linear: frozen weights", (struct step){OP_linear, .u.linear = {
        .x = numbers(9, 8, 0), .weight = fixed(numbers(4, 8, 0)), .bias = fixed(numbers(1, 4, 0)),
        .y = numbers(9, 4, 0)}}, TOLERANCE);
}

void norm_reference(const struct norm_args *a, double *const *v)
{
    const int c = a->x->cols;
    for (int r = 0; r < a->x->rows; r++) {
        double mean = 0, var = 0;
        for (int i = 0; i < c; i++)
            mean += AT(0, a->x, r, i) / c;
        mean = a->center ? mean : 0;
        for (int i = 0; i < c; i++)
            var += pow(AT(0, a->x, r, i) - mean, 2) / c;
        const double rstd = 1 / sqrt(var + (double)a->eps);
        for (int i = 0; i < c; i++)
            AT(3, a->y, r, i) = (AT(0, a->x, r, i) - mean) * rstd * (v[1] ? v[1][i] : 1)
                              + (v[2] ? v[2][i] : 0);
        AT(4, a->stats, r, 0) = mean;
        AT(4, a->stats, r, 1) = rstd;
    }
}

static void norm_case(const char *name, int n, int c, int pad, int gain, int bias, int center,
                      float offset)
{
    struct norm_args a = {
        .x = numbers(n, c, pad), .gain = gain ? numbers(1, c, 0) : NULL,
        .bias = bias ? numbers(1, c, 0) : NULL, .y = numbers(n, c, pad),
        .stats = fixed(numbers(n, 2, 0)), .eps = 1e-5f, .center = center};
    for (int i = 0; i < n * c; i++)
        a.x->data[place(a.x, (size_t)i)] += offset;
    check(name, (struct step){OP_norm, .u.norm = a}, offset > 0 ? 1e-3 : TOLERANCE);
}

void norm_cases(void)
{
    norm_case("norm: layer", 9, 37, 0, 1, 1, 1, 0);
    norm_case("norm: rms", 9, 37, 3, 1, 0, 0, 0);
    norm_case("norm: layer without gain and bias, a view", 5, 64, 8, 0, 0, 1, 0);
    norm_case("norm: a row of 17", 1, 17, 0, 1, 1, 1, 0);
    norm_case("norm: rms with a bias alone", 300, 130, 0, 0, 1, 0, 0);
    /* x holds 1000 +- 1 to 6e-5, so no more than 1e-3 can be asked; one-pass sums give nonsense */
    norm_case("norm: layer, a large mean", 4, 100, 0, 1, 1, 1, 1000);
}

static double activated(double x, enum activation kind)
{
    if (kind == ACTIVATION_GELU)
        return 0.5 * x * erfc(-x / sqrt(2));
    if (kind == ACTIVATION_GELU_TANH)
        return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    return fmax(x, 0);
}

void activation_reference(const struct activation_args *a, double *const *v)
{
    for (size_t i = 0; i < tensor_size(a->x); i++)
        v[1][i] = activated(v[0][i], a->kind);
}

/* Relative error over a range of x, away from where the f64 form itself cancels. */
static void activation_sweep(enum activation kind, const char *name)
{
    enum { N = 4000 };
    struct activation_args a = {fixed(numbers(1, N, 0)), fixed(numbers(1, N, 0)), kind};
    double worst = 0;
    for (int i = 0; i < N; i++)
        a.x->data[i] = (float)(i - N / 3) * 3e-3f;
    be->activation_forward(&a);
    for (int i = 0; i < N; i++) {
        const double want = activated((double)a.x->data[i], kind);
        worst = fmax(worst, fabs((double)a.y->data[i] - want) / (fabs(want) + 1e-30));
    }
    report(worst < 2e-6, name, worst);      /* 16 ulp of f32, in the tail at -4 */
    a.x->data[0] = NAN, a.x->data[1] = INFINITY, a.x->data[2] = 3e38f;
    be->activation_forward(&a);
    report(isnan(a.y->data[0]) && a.y->data[1] == INFINITY && a.y->data[2] >= 3e38f,
           "activation: NaN and inf pass", 0);
    free(a.x->data), free(a.y->data), free(a.x), free(a.y);
}

void activation_cases(void)
{
    const char *const names[] = {"activation: gelu", "activation: gelu-tanh", "activation: relu"};
    for (int kind = 0; kind < 3; kind++) {
        struct tensor *x = numbers(21, 19, 4);
        for (int i = 0; i < 21 * 23; i++)
            x->data[i] *= x->data[i] != GUARD ? 4 : 1;
        check(names[kind], (struct step){OP_activation, .u.activation = {
            .x = x, .y = numbers(21, 19, 0), .kind = (enum activation)kind}}, TOLERANCE);
        activation_sweep((enum activation)kind, names[kind]);
    }
}

void residual_reference(const struct residual_args *a, double *const *v)
{
    for (size_t i = 0; i < tensor_size(a->x); i++)
        v[2][i] = v[0][i] + (double)a->step * v[1][i];
}

void residual_cases(void)
{
    check("residual: dt 0.3", (struct step){OP_residual, .u.residual = {
        .x = numbers(5, 13, 0), .f = numbers(5, 13, 3), .y = numbers(5, 13, 1), .step = 0.3f}},
        TOLERANCE);
    check("residual: dt 1", (struct step){OP_residual, .u.residual = {
        .x = numbers(300, 130, 0), .f = numbers(300, 130, 0), .y = numbers(300, 130, 0),
        .step = 1}}, TOLERANCE);
}

void scale_reference(const struct scale_args *a, double *const *v)
{
    for (size_t i = 0; i < tensor_size(a->x); i++)
        v[2][i] = *v[1] * v[0][i];
}

void scale_cases(void)
{
    check("scale: padded", (struct step){OP_scale, .u.scale = {
        .x = numbers(5, 13, 3), .factor = numbers(1, 1, 0), .y = numbers(5, 13, 1)}}, TOLERANCE);
    check("scale: many rows", (struct step){OP_scale, .u.scale = {
        .x = numbers(300, 132, 0), .factor = numbers(1, 1, 0), .y = numbers(300, 132, 0)}},
        TOLERANCE);
    check("scale: x is fixed", (struct step){OP_scale, .u.scale = {
        .x = fixed(numbers(70, 8, 0)), .factor = numbers(1, 1, 0), .y = numbers(70, 8, 0)}},
        TOLERANCE);
}

/* 0, or the scale of a kept element. */
static double kept(const double *draw, unsigned site, float p, uint64_t element)
{
    if (!draw || draw[3] == 0)
        return 1;
    const uint64_t seed = (uint64_t)draw[1] << 32 | (uint64_t)draw[0];
    return random_uniform(random_word(seed, site, (uint32_t)draw[2], element)) >= p
         ? 1 / (1 - (double)p) : 0;
}

void dropout_reference(const struct dropout_args *a, double *const *v)
{
    for (size_t i = 0; i < tensor_size(a->x); i++)
        v[2][i] = v[0][i] * kept(v[1], a->site, a->p, i);
}

void dropout_cases(void)
{
    check("dropout: training", (struct step){OP_dropout, .u.dropout = {
        .x = numbers(7, 301, 5), .draw = drawing(1), .y = numbers(7, 301, 0), .p = 0.3f,
        .site = 77}}, TOLERANCE);
    check("dropout: not training", (struct step){OP_dropout, .u.dropout = {
        .x = numbers(7, 5, 0), .draw = drawing(0), .y = numbers(7, 5, 0), .p = 0.3f}}, TOLERANCE);

    enum { N = 100000 };        /* the kept share is binomial: 4 deviations are 4 sqrt(.3 .7 / N) */
    struct dropout_args a = {fixed(numbers(1, N, 0)), drawing(1), fixed(numbers(1, N, 0)), 0.3f, 1};
    double n = 0;
    be->dropout_forward(&a);
    for (int i = 0; i < N; i++)
        n += a.y->data[i] != 0;
    report(fabs(n / N - 0.7) < 4 * sqrt(0.21 / N), "dropout: share kept", n / N);
    free(a.x->data), free(a.draw->data), free(a.y->data), free(a.x), free(a.draw), free(a.y);
}

void attention_reference(const struct attention_args *a, double *const *v)
{
    const int batch = a->q->rows / a->tq, d = a->q->cols / a->heads;
    double *p = zalloc((size_t)a->tk, sizeof *p);
    for (int n = 0; n < batch * a->heads * a->tq; n++) {
        const int i = n % a->tq, h = n / a->tq % a->heads, b = n / a->tq / a->heads;
        const int r = b * a->tq + i, keys = v[3] ? (int)v[3][b] : a->tk;
        const int seen = a->causal ? keys - a->tq + i + 1 : keys;
        const double *q = &AT(0, a->q, r, h * d);
        double *y = &AT(5, a->y, r, h * d), top = -INFINITY, sum = 0;
        for (int j = 0; j < seen; j++) {
            const double *k = &AT(1, a->k, b * a->tk + j, h * d);
            p[j] = 0;
            for (int e = 0; e < d; e++)
                p[j] += q[e] * k[e];
            p[j] /= sqrt(d);
            top = fmax(top, p[j]);
        }
        for (int j = 0; j < seen; j++)
            sum += p[j] = exp(p[j] - top);
        AT(6, a->lse, r, h) = seen > 0 ? top + log(sum) : -INFINITY;
        memset(y, 0, (size_t)d * sizeof *y);
        for (int j = 0; j < seen; j++) {
            const double *value = &AT(2, a->v, b * a->tk + j, h * d);
            p[j] *= kept(a->p > 0 ? v[4] : NULL, a->site, a->p,
                         (uint64_t)n * (uint64_t)a->tk + (uint64_t)j) / sum;
            for (int e = 0; e < d; e++)
                y[e] += p[j] * value[e];
        }
    }
    free(p);
}

/* Some shapes and switches; `cut`: lengths; the operands are views. */
static void attention_case(int batch, int heads, int d, int tq, int tk, int causal, int cut,
                           float p, enum precision precision)
{
    char name[120];
    const int c = heads * d;
    struct attention_args a = {
        .q = numbers(batch * tq, c, 2 * c), .k = numbers(batch * tk, c, d % 16 ? 3 : 4),
        .v = numbers(batch * tk, c, 0), .lengths = cut ? ints(batch, 1, 1, tk - 1) : NULL,
        .draw = p > 0 ? drawing(1) : NULL, .y = numbers(batch * tq, c, d % 16 ? 1 : 4),
        .lse = fixed(numbers(batch * tq, heads, 0)), .heads = heads, .tq = tq, .tk = tk,
        .causal = causal, .p = p, .site = 5, .precision = precision};
    snprintf(name, sizeof name, "attention: %d x %d heads of %d, %d queries, %d keys%s%s%s%s",
             batch, heads, d, tq, tk, causal ? ", causal" : "", cut ? ", lengths" : "",
             p > 0 ? ", dropout" : "", precision ? ", bf16" : "");
    check(name, (struct step){OP_attention, .u.attention = a},
          precision ? BF16_TOLERANCE : TOLERANCE);
}

void attention_cases(void)
{
    for (enum precision p = PRECISION_F32; p <= PRECISION_BF16; p++) {
        attention_case(2, 2, 4, 6, 6, 1, 0, 0, p);
        attention_case(2, 3, 5, 9, 14, 0, 1, 0, p);         /* cross, key padding */
        attention_case(1, 2, 16, 70, 70, 1, 0, 0.2f, p);
        attention_case(2, 1, 33, 17, 131, 1, 1, 0.1f, p);   /* causal, shifted, some see nothing */
        attention_case(1, 1, 64, 66, 129, 0, 0, 0, p);
        attention_case(3, 2, 8, 1, 40, 1, 1, 0, p);         /* generation */
        attention_case(1, 1, 72, 65, 64, 1, 0, 0, p);
        attention_case(2, 1, 130, 7, 9, 1, 1, 0.1f, p);
        attention_case(1, 2, 32, 70, 70, 1, 0, 0.2f, p);
        attention_case(2, 1, 64, 17, 131, 1, 1, 0, p);
        attention_case(1, 2, 80, 65, 65, 1, 0, 0, p);
        attention_case(1, 1, 128, 3, 66, 1, 0, 0.1f, p);
        attention_case(2, 1, 80, 1, 1, 1, 0, 0, p);
        attention_case(1, 2, 80, 17, 17, 1, 0, 0, p);
    }
}

void append_reference(const struct append_args *a, double *const *v)
{
    for (int b = 0; b < a->x->rows; b++)
        for (int i = 0; i < a->x->cols; i++)
            AT(2, a->cache, b * a->time + v[1][b], i) = AT(0, a->x, b, i);
}

void append_cases(void)
{
    check("append", (struct step){OP_append, .u.append = {
        .x = fixed(numbers(3, 7, 14)), .at = ints(3, 1, 0, 5), .cache = fixed(numbers(15, 7, 0)),
        .time = 5}}, TOLERANCE);
}

void head_reference(const struct head_args *a, double *const *v)
{
    const int n = a->weight->rows;
    const double s = (double)a->smoothing;
    for (int r = 0; r < a->x->rows; r++) {
        double sum = 0, mean = 0, best = 0, *l = v[4] + r * n;
        for (int i = 0; i < n; i++) {
            l[i] = v[2] ? v[2][i] : 0;
            for (int k = 0; k < a->x->cols; k++)
                l[i] += AT(0, a->x, r, k) * AT(1, a->weight, i, k);
            sum += exp(l[i]);
            mean += l[i] / n;
            best = l[i] > l[(int)best] ? i : best;
        }
        const int t = (int)v[3][r];
        v[7][r] = t < 0 ? 0 : log(sum) - (1 - s) * l[t] - s * mean;
        v[8][r] = log(sum);
        v[9][r] = best;
    }
    for (size_t i = 0; i < tensor_size(a->part); i++)       /* for the kernel: whatever it likes */
        v[5][i] = (double)a->part->data[place(a->part, i)];
    for (size_t i = 0; i < tensor_size(a->state); i++)
        v[6][i] = (double)a->state->data[i];
}

static void head_case(const char *name, int n, int c, int vocab, int part, float smoothing,
                      enum precision p)
{
    struct head_args a = {
        .x = numbers(n, c, 3), .weight = numbers(vocab, c, 0), .bias = numbers(1, vocab, 0),
        .targets = ints(n, 1, -1, vocab + 1), .logits = fixed(numbers(n, vocab, 5)),
        .part = fixed(numbers(n, part, 1)), .state = fixed(numbers(n, 4, 0)),
        .loss = numbers(n, 1, 0), .lse = fixed(numbers(n, 1, 0)), .best = ints(n, 1, 0, 1),
        .smoothing = smoothing, .precision = p};
    const int tie = vocab / 3, other = vocab / 2;   /* the largest twice: the lower wins */
    a.bias->data[tie] = a.bias->data[other] = 40;
    memcpy(a.weight->data + other * c, a.weight->data + tie * c, (size_t)c * sizeof(float));
    check(name, (struct step){OP_head, .u.head = a}, tolerance_of(p));
}

void head_cases(void)
{
    head_case("head", 13, 7, 11, 11, 0, PRECISION_F32);
    head_case("head: smoothing", 13, 20, 300, 128, 0.2f, PRECISION_F32);
    head_case("head: a large vocabulary", 6, 9, 5003, 1000, 0, PRECISION_F32);
    head_case("head: bf16", 13, 20, 300, 128, 0.2f, PRECISION_BF16);
}
