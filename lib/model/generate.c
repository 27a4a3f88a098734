#include "model/generate.h"
#include "base/base.h"
#include "base/random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct generator {
    struct model *m;
    struct sampling how;
    int *seen;              /* ids in the cache, [context] */
    int n;
    uint64_t drawn;
    float *logits;          /* [vocab] */
};

struct generator *generator_new(struct model *m, const struct sampling *how)
{
    struct generator *g = zalloc(1, sizeof *g);
    *g = (struct generator){.m = m, .how = *how};
    g->seen = zalloc((size_t)m->cfg.context, sizeof *g->seen);
    g->logits = zalloc((size_t)m->cfg.vocab, sizeof *g->logits);
    return g;
}

void generator_free(struct generator *g)
{
    free(g->seen);
    free(g->logits);
    free(g);
}

static void pass(struct generator *g, int id)
{
    struct plan *p = g->m->plan;
    const int length = g->n + 1;
    plan_put(p, g->m->ids, g->m->ids->data, &id);
    plan_put(p, g->m->at, g->m->at->data, &g->n);
    plan_put(p, g->m->lengths, g->m->lengths->data, &length);
    plan_forward(p);
    g->seen[g->n++] = id;
}

void generator_read(struct generator *g, int id)
{
    const int context = g->m->cfg.context;
    if (g->n == context) {
        const int keep = context / 2;
        memmove(g->seen, g->seen + context - keep, (size_t)keep * sizeof *g->seen);
        g->n = 0;
        for (int i = 0; i < keep; i++)
            pass(g, g->seen[i]);
    }
    pass(g, id);
}

const float *generator_logits(struct generator *g)
{
    plan_get(g->m->plan, g->m->logits, g->m->logits->data, g->logits);
    return g->logits;
}

int generator_next(struct generator *g)
{
    return sample(generator_logits(g), &g->how, g->drawn++);
}

struct candidate {
    float logit;
    int id;
};

/* Likeliest first, the lower id on a tie. */
static int by_logit(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->logit != y->logit)
        return x->logit < y->logit ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static int likeliest(const float *logits, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

/* Draw among sorted candidates by their probabilities; only those that top_p reaches. */
static int draw(const struct candidate *c, int n, const struct sampling *how, uint64_t number)
{
    double *p = zalloc((size_t)n, sizeof *p), all = 0, kept = 0;
    int m = 0;
    for (int i = 0; i < n; i++)
        all += p[i] = exp(((double)c[i].logit - (double)c[0].logit) / how->temperature);
    while (m < n && (!m || kept < how->top_p * all))
        kept += p[m++];

    const uint32_t word = random_word(how->seed, random_site("generate"), 0, number);
    const double at = ((double)word + 0.5) * 0x1p-32 * kept;
    double sum = 0;
    int i = 0;
    while (i < m - 1 && (sum += p[i]) <= at)
        i++;
    free(p);
    return c[i].id;
}

int sample(const float *logits, const struct sampling *how, uint64_t number)
{
    if (how->temperature <= 0 || how->top_k == 1)
        return likeliest(logits, how->ids);
    struct candidate *c = zalloc((size_t)how->ids, sizeof *c);
    for (int i = 0; i < how->ids; i++)
        c[i] = (struct candidate){logits[i], i};
    qsort(c, (size_t)how->ids, sizeof *c, by_logit);
    const int n = how->top_k && how->top_k < how->ids ? how->top_k : how->ids;
    const int id = draw(c, n, how, number);
    free(c);
    return id;
}
