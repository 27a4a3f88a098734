/* generate.c - generation with a cache: the logits of a full recomputation, the same greedy ids;
 * sampling's frequencies; what happens when the context is full. */
#include "model/generate.h"
#include "base/base.h"
#include "tests/tap.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 24, IDS = 50, VOCAB = 64 };

/* Of the largest logit: f32 sums in another order, through three blocks. */
static const double TOLERANCE = 1e-5;

static struct model_config config(int placement, int norm, int positions)
{
    struct model_config c = model_config;
    c.placement = placement;
    c.norm = norm;
    c.positions = positions;
    c.layers = 3;
    c.width = 32;
    c.heads = 4;
    c.context = CONTEXT;
    c.vocab = VOCAB;
    c.bias = c.norm_bias = 1;
    c.init_std = 0.3;
    return c;
}

/* The likeliest real id after the n in `ids`, by the whole window at once, and its logits. */
static int recompute(struct model *m, const int *ids, int n, float *logits)
{
    int window[CONTEXT] = {0}, best = 0;
    float *all = zalloc((size_t)CONTEXT * VOCAB, sizeof *all);
    memcpy(window, ids, (size_t)n * sizeof *ids);
    plan_put(m->plan, m->ids, m->ids->data, window);
    plan_put(m->plan, m->targets, m->targets->data, window);
    plan_forward(m->plan);
    plan_get(m->plan, m->logits, m->logits->data, all);
    memcpy(logits, all + (size_t)(n - 1) * VOCAB, VOCAB * sizeof *logits);
    for (int i = 1; i < IDS; i++)
        if (logits[i] > logits[best])
            best = i;
    free(all);
    return best;
}

static void compare(const struct backend *be, const struct model_config *cfg, const char *name)
{
    struct model *whole = model_build(be, cfg, 1, MODEL_LOSS, 0);
    struct model *step = model_build(be, cfg, 1, MODEL_GENERATE, 0);
    const struct sampling greedy = {.ids = IDS};
    int ids[CONTEXT] = {7, 3, 44}, wrong = 0;
    float logits[VOCAB];
    double worst = 0, size = 0;

    plan_watch(whole->logits);
    plan_place(whole->plan, NULL);
    plan_place(step->plan, NULL);
    model_init(whole, 5);
    model_init(step, 5);
    struct generator *g = generator_new(step, &greedy);
    for (int i = 0; i < 3; i++)
        generator_read(g, ids[i]);
    for (int n = 3; n < CONTEXT; n++) {
        const int want = recompute(whole, ids, n, logits), got = generator_next(g);
        const float *mine = generator_logits(g);
        for (int i = 0; i < VOCAB; i++) {
            worst = fmax(worst, fabs((double)mine[i] - (double)logits[i]));
            size = fmax(size, fabs((double)logits[i]));
        }
        wrong += got != want;
        ids[n] = want;
        generator_read(g, want);
    }
    ok(!wrong && worst < TOLERANCE * size, "%s: greedy by the cache is greedy by "
       "recomputation, logits of up to %.1f differ by %.1e", name, size, worst);
    generator_free(g);
    model_free(whole);
    model_free(step);
}

/* Past the context: as if the newer half had been read alone. */
static void slide(const struct backend *be)
{
    const struct model_config cfg = config(2, NORM_LAYER, POSITIONS_LEARNED);
    struct model *a = model_build(be, &cfg, 1, MODEL_GENERATE, 0);
    struct model *b = model_build(be, &cfg, 1, MODEL_GENERATE, 0);
    const struct sampling greedy = {.ids = IDS};

    plan_place(a->plan, NULL);
    plan_place(b->plan, NULL);
    model_init(a, 5);
    model_init(b, 5);
    struct generator *g = generator_new(a, &greedy), *h = generator_new(b, &greedy);
    for (int i = 0; i <= CONTEXT; i++)
        generator_read(g, i * 7 % IDS);
    for (int i = CONTEXT / 2; i <= CONTEXT; i++)
        generator_read(h, i * 7 % IDS);
    ok(!memcmp(generator_logits(g), generator_logits(h), VOCAB * sizeof(float)),
       "a full context goes on with its newer half");
    generator_free(g);
    generator_free(h);
    model_free(a);
    model_free(b);
}

enum { DRAWS = 20000 };

/* Largest distance, in standard deviations, of the frequencies from p. */
static double frequencies(const struct sampling *how, const float *logits, const double *p, int n)
{
    int *count = zalloc((size_t)n, sizeof *count);
    double worst = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const int id = sample(logits, how, i);
        if (id >= n) {
            free(count);
            return INFINITY;
        }
        count[id]++;
    }
    for (int i = 0; i < n; i++) {
        const double sd = sqrt(p[i] * (1 - p[i]) * DRAWS) + 1e-9;
        worst = fmax(worst, fabs(count[i] - p[i] * DRAWS) / sd);
    }
    free(count);
    return worst;
}

static void sampling(void)
{
    /* probabilities .5 .25 .15 .1 at temperature 1; the last logit belongs to a spare row */
    const float logits[5] = {logf(0.15f), logf(0.5f), logf(0.1f), logf(0.25f), 9};
    struct sampling how = {.temperature = 1, .top_p = 1, .seed = 3, .ids = 4};
    ok(frequencies(&how, logits, (double[]){0.15, 0.5, 0.1, 0.25}, 4) < 4.5,
       "samples have the softmax's frequencies, and spare rows are never drawn");
    how.top_k = 2;
    ok(frequencies(&how, logits, (double[]){0, 2.0 / 3, 0, 1.0 / 3}, 4) < 4.5,
       "--top-k 2 draws the two likeliest");
    how.top_k = 0;
    how.top_p = 0.8;
    ok(frequencies(&how, logits, (double[]){0.15 / 0.9, 0.5 / 0.9, 0, 0.25 / 0.9}, 4) < 4.5,
       "--top-p 0.8 draws the ids that reach it");
    how.top_p = 1;
    how.temperature = 0.5;
    const double all = 0.0225 + 0.25 + 0.01 + 0.0625;
    ok(frequencies(&how, logits, (double[]){0.0225 / all, 0.25 / all, 0.01 / all, 0.0625 / all},
                   4) < 4.5, "--temperature 0.5 squares the odds");
    const int first = sample(logits, &how, 0), again = sample(logits, &how, 0);
    how.seed = 4;
    int differ = 0;
    struct sampling other = how;
    other.seed = 3;
    for (uint64_t i = 0; i < 50; i++)
        differ += sample(logits, &how, i) != sample(logits, &other, i);
    ok(first == again && differ > 5, "a seed gives the same draws, another seed others");
    how.temperature = 0;
    ok(sample((const float[]){1, 2, 2, 0, 9}, &how, 0) == 1, "greedy takes the lowest on a tie");
}

int main(void)
{
    const struct backend *be = backend_open("cpu", NULL);
    program = "generate";
    for (int i = 0; placements[i].name; i++) {
        const struct model_config c = config(i, i % 2 ? NORM_RMS : NORM_LAYER,
                                             i % 3 ? POSITIONS_LEARNED : POSITIONS_SINUSOIDAL);
        compare(be, &c, placements[i].name);
    }
    slide(be);
    sampling();
    return tap_end();
}
