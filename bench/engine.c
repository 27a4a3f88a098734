/* engine - the engine alone, on made-up tokens, for the sizes that peers are measured at.
 *
 * engine WHAT SIZE PRECISION THREADS REPEATS prints
 *   speed      "train T1 forward T2", tokens a second, medians over the repeats
 *   memory     "mib M", the peak of resident memory after that many training steps
 *   generate   "generate T", tokens a second one by one, with the cache, median of the repeats
 *   limit      "train T1 forward T2 generate T3 gflops P gbytes B": what the machine could do at
 *              most, from its measured peak of products and bandwidth
 *   profile    where the training steps' time goes */
#include "base/base.h"
#include "graph/profile.h"
#include "model/generate.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { GENERATED = 128, GENERATED_CONTEXT = 1024 };

static const struct size {
    const char *name;
    int layers, heads, width, vocab, batch, time;
} sizes[] = {
    {"124m", 12, 12, 768, 50304, 4, 256}, {"124m-long", 12, 12, 768, 50304, 1, 1024},
    {"small", 6, 6, 384, 50304, 8, 256}, {"mid", 12, 12, 192, 8192, 8, 256},
    {"tiny", 4, 4, 128, 512, 12, 64}, {"demo", 12, 4, 64, 256, 16, 64},
};

/* What is measured, from the command line. */
static struct {
    const struct backend *be;
    const struct size *size;
    enum precision precision;
    int repeats;
} now;

static int ascending(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, ascending);
    return x[n / 2];
}

static struct model *build(const struct backend *be, enum model_use use, int train)
{
    const struct size *s = now.size;
    const struct model_config cfg = {
        .placement = 2, .norm_gain = 1, .norm_bias = 1, .bias = 1, .layers = s->layers,
        .width = s->width, .heads = s->heads, .vocab = s->vocab, .tied = 1,
        .context = use == MODEL_GENERATE ? GENERATED_CONTEXT : s->time,
        .activation = ACTIVATION_GELU_TANH, .precision = now.precision,
        .attention_precision = now.precision, .dt = 1, .eps = 1e-5, .embed_scale = 1,
        .init_std = 0.02,
    };
    return model_build(be, &cfg, use == MODEL_GENERATE ? 1 : s->batch, use, train);
}

/* A model for passes over windows. */
static struct model *make(const struct backend *be, int train, const struct model *lender)
{
    struct model *m = build(be, MODEL_LOSS, train);
    const int n = m->batch * m->time;
    int *ids = zalloc((size_t)n, sizeof *ids);
    m->plan->grads_once = train;
    m->plan->recompute = model_recompute(m);
    plan_place(m->plan, lender ? lender->plan : NULL);
    if (!lender)
        model_init(m, 1);
    for (int i = 0; i < n; i++)
        ids[i] = (int)((unsigned)i * 2654435761u >> 7) % now.size->vocab;
    plan_put(m->plan, m->ids, m->ids->data, ids);
    plan_put(m->plan, m->targets, m->targets->data, ids);
    free(ids);
    return m;
}

/* The optimiser's moments lie one after the other. */
static void train_step(struct model *m, float *moments, int t)
{
    struct plan *p = m->plan;
    const int n = m->batch * m->time;
    const size_t size = p->param_floats;
    float *share = zalloc((size_t)n, sizeof *share);
    for (int i = 0; i < n; i++)
        share[i] = 1 / (float)n;
    plan_zero_grads(p);
    plan_forward(p);
    plan_put(p, m->loss, m->loss->grad, share);
    plan_backward(p);
    struct update u = {.lr = 1e-4f, .correct1 = 1 - 0.9f / (float)t,
                       .correct2 = 1 - 0.95f / (float)t, .scale = 1};
    p->be->sum_squares(p->grads, size, &u.squares);
    p->be->adam(&(struct adam_args){.w = p->params, .m = moments, .v = moments + size,
                                    .grad = p->grads, .n = size, .beta1 = 0.9f, .beta2 = 0.95f,
                                    .eps = 1e-8f, .decay = 0.1f, .now = &u});
    free(share);
}

/* Tokens a second, median of the repeats; each repeat lasts `steps` steps. */
static double speed(struct model *m, float *moments, int steps)
{
    double *seconds = zalloc((size_t)now.repeats, sizeof *seconds);
    for (int r = -1; r < now.repeats; r++) {
        const double begin = omp_get_wtime();
        for (int i = 0; i < steps; i++)
            if (moments)
                train_step(m, moments, 1 + i);
            else
                plan_forward(m->plan);
        if (r >= 0)
            seconds[r] = (omp_get_wtime() - begin) / steps;
    }
    const double s = median(seconds, now.repeats);
    free(seconds);
    return m->batch * m->time / s;
}

static void print_speed(void)
{
    struct model *m = make(now.be, 1, NULL), *e = make(now.be, 0, m);
    float *moments = now.be->alloc(2 * m->plan->param_floats);
    const int steps = 1 + (int)(5e10 / (3 * plan_flops(m->plan)));
    const double train = speed(m, moments, steps), forward = speed(e, NULL, 3 * steps);
    printf("train %.1f forward %.1f\n", train, forward);
    now.be->release(moments);
    model_free(e);
    model_free(m);
}

/* With `profile` where the time of all but the first step goes. */
static void print_steps(int profile)
{
    const struct backend *be = profile ? profile_backend(now.be) : now.be;
    struct model *m = make(be, 1, NULL);
    float *moments = be->alloc(2 * m->plan->param_floats);
    struct rusage use;
    for (int i = 0; i <= now.repeats; i++) {
        train_step(m, moments, 1 + i);
        if (profile && i == 0)
            profile_reset();
    }
    getrusage(RUSAGE_SELF, &use);
    if (profile)
        profile_print(stdout);
    else
        printf("mib %ld\n", use.ru_maxrss / 1024);
    be->release(moments);
    model_free(m);
}

static void print_generate(void)
{
    struct model *m = build(now.be, MODEL_GENERATE, 0);
    const struct sampling how = {.ids = now.size->vocab, .top_p = 1};
    double *seconds = zalloc((size_t)now.repeats, sizeof *seconds);
    plan_place(m->plan, NULL);
    model_init(m, 1);
    plan_freeze(m->plan);
    for (int r = -1; r < now.repeats; r++) {
        struct generator *g = generator_new(m, &how);
        const double begin = omp_get_wtime();
        generator_read(g, 1);
        for (int i = 0; i < GENERATED; i++)
            generator_read(g, generator_next(g));
        if (r >= 0)
            seconds[r] = omp_get_wtime() - begin;
        generator_free(g);
    }
    printf("generate %.1f\n", GENERATED / median(seconds, now.repeats));
    free(seconds);
    model_free(m);
}

/* Products at the peak, and what must go through memory at its bandwidth: in training AdamW's
 * seven numbers a parameter, in generation each weight once a token. */
static void print_limit(void)
{
    struct model *m = build(now.be, MODEL_LOSS, 0);
    const double peak = now.be->peak(now.precision), bytes = now.be->bandwidth();
    const double flops = plan_flops(m->plan), n = (double)plan_parameters(m->plan);
    const double tokens = m->batch * m->time, size = now.precision == PRECISION_BF16 ? 2 : 4;
    const double read = (n - (double)now.size->time * now.size->width) * size;
    printf("train %.1f forward %.1f generate %.1f gflops %.1f gbytes %.1f\n",
           tokens / (3 * flops / peak + 28 * n / bytes), tokens / (flops / peak), bytes / read,
           1e-9 * peak, 1e-9 * bytes);
    model_free(m);
}

int main(int argc, char **argv)
{
    program = "engine";
    if (argc != 6)
        misuse("use: engine speed|memory|generate|limit|profile SIZE f32|bf16 THREADS REPEATS");
    const char *what = argv[1];
    now.size = sizes;
    while (now.size < sizes + sizeof sizes / sizeof *sizes && strcmp(now.size->name, argv[2]))
        now.size++;
    if (now.size == sizes + sizeof sizes / sizeof *sizes)
        misuse("no size '%s'", argv[2]);
    now.precision = strcmp(argv[3], "bf16") ? PRECISION_F32 : PRECISION_BF16;
    omp_set_num_threads(atoi(argv[4]));
    now.repeats = atoi(argv[5]);
    now.be = backend_open("cpu", NULL);

    if (!strcmp(what, "speed"))
        print_speed();
    else if (!strcmp(what, "generate"))
        print_generate();
    else if (!strcmp(what, "limit"))
        print_limit();
    else if (!strcmp(what, "memory") || !strcmp(what, "profile"))
        print_steps(*what == 'p');
    else
        misuse("'%s' cannot be measured", what);
    return finish();
}
