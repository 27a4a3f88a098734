/* engine - tokens a second of the engine alone: training steps (forward, backward, AdamW) and
 * forward passes on made-up tokens, for the sizes that peers are measured at.
 *
 * engine [-p] SIZE PRECISION THREADS REPEATS prints "train T1 forward T2", tokens a second,
 * medians over the repeats; -p: where a training step's time goes instead. */
#include "base/base.h"
#include "graph/profile.h"
#include "model/model.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const struct size {
    const char *name;
    int layers, heads, width, vocab, batch, time;
} sizes[] = {
    {"124m", 12, 12, 768, 50304, 4, 256}, {"124m-long", 12, 12, 768, 50304, 1, 1024},
    {"small", 6, 6, 384, 50304, 8, 256}, {"mid", 12, 12, 192, 8192, 8, 256},
    {"tiny", 4, 4, 128, 512, 12, 64}, {"demo", 12, 4, 64, 256, 16, 64},
};

static int ascending(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, ascending);
    return x[n / 2];
}

static struct model *make(const struct backend *be, const struct size *s, enum precision p,
                          int train, const struct model *lender)
{
    const struct model_config cfg = {
        .placement = 2, .norm_gain = 1, .norm_bias = 1, .bias = 1, .layers = s->layers,
        .width = s->width, .heads = s->heads, .context = s->time, .vocab = s->vocab, .tied = 1,
        .activation = ACTIVATION_GELU_TANH, .precision = p, .attention_precision = p, .dt = 1,
        .eps = 1e-5, .embed_scale = 1, .init_std = 0.02,
    };
    struct model *m = model_build(be, &cfg, s->batch, MODEL_LOSS, train);
    const int n = s->batch * s->time;
    int *ids = zalloc((size_t)n, sizeof *ids);
    plan_place(m->plan, lender ? lender->plan : NULL);
    if (!lender)
        model_init(m, 1);
    for (int i = 0; i < n; i++)
        ids[i] = (int)((unsigned)i * 2654435761u >> 7) % s->vocab;
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
    struct update now = {.lr = 1e-4f, .correct1 = 1 - 0.9f / (float)t,
                         .correct2 = 1 - 0.95f / (float)t, .scale = 1};
    p->be->sum_squares(p->grads, size, &now.squares);
    p->be->adam(&(struct adam_args){.w = p->params, .m = moments, .v = moments + size,
                                    .grad = p->grads, .n = size, .beta1 = 0.9f, .beta2 = 0.95f,
                                    .eps = 1e-8f, .decay = 0.1f, .now = &now});
    free(share);
}

/* Tokens a second, median of the repeats; each repeat lasts `steps` steps. */
static double speed(struct model *m, float *moments, int repeats, int steps)
{
    double *seconds = zalloc((size_t)repeats, sizeof *seconds);
    for (int r = -1; r < repeats; r++) {
        const double begin = omp_get_wtime();
        for (int i = 0; i < steps; i++)
            if (moments)
                train_step(m, moments, 1 + i);
            else
                plan_forward(m->plan);
        if (r >= 0)
            seconds[r] = (omp_get_wtime() - begin) / steps;
    }
    const double s = median(seconds, repeats);
    free(seconds);
    return m->batch * m->time / s;
}

int main(int argc, char **argv)
{
    program = "engine";
    const int profile = argc > 1 && !strcmp(argv[1], "-p");
    argc -= profile, argv += profile;
    if (argc != 5)
        misuse("use: engine [-p] SIZE f32|bf16 THREADS REPEATS");
    const struct size *s = sizes;
    while (s < sizes + sizeof sizes / sizeof *sizes && strcmp(s->name, argv[1]))
        s++;
    if (s == sizes + sizeof sizes / sizeof *sizes)
        misuse("no size '%s'", argv[1]);
    omp_set_num_threads(atoi(argv[3]));

    const struct backend *be = backend_open("cpu", NULL);
    const enum precision p = strcmp(argv[2], "bf16") ? PRECISION_F32 : PRECISION_BF16;
    struct model *m = make(profile ? profile_backend(be) : be, s, p, 1, NULL);
    struct model *e = make(be, s, p, 0, m);
    float *moments = be->alloc(2 * m->plan->param_floats);
    const int steps = 1 + (int)(5e10 / (3 * plan_flops(m->plan)));
    if (profile) {
        train_step(m, moments, 1);
        profile_reset();
        for (int i = 0; i < atoi(argv[4]); i++)
            train_step(m, moments, 2 + i);
        profile_print(stdout);
    } else {
        const double train = speed(m, moments, atoi(argv[4]), steps);
        const double forward = speed(e, NULL, atoi(argv[4]), 3 * steps);
        struct rusage use;
        getrusage(RUSAGE_SELF, &use);
        printf("train %.1f forward %.1f mib %ld\n", train, forward, use.ru_maxrss / 1024);
    }
    be->release(moments);
    model_free(e);
    model_free(m);
    return finish();
}
