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

/* Through all steps but the last, which makes logits of the states. */
static void pass(struct generator *g, int id)
{
    struct plan *p = g->m->plan;
    const int length = g->n + 1;
    plan_put(p, g->m->ids, g->m->ids->data, &id);
    plan_put(p, g->m->at, g->m->at->data, &g->n);
    plan_put(p, g->m->lengths, g->m->lengths->data, &length);
    plan_forward_steps(p, 0, p->n_steps - 1);
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
    struct plan *p = g->m->plan;
    plan_forward_steps(p, p->n_steps - 1, p->n_steps);
    plan_get(p, g->m->logits, g->m->logits->data, g->logits);
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

/* Ids by falling likelihood, each put in its place when it is asked for: the likeliest `taken`
 * stand at the end of c [n], the others are a heap before them. */
struct ranking {
    struct candidate *c;
    int n, taken;
    double top, temperature;
};

/* The lower id comes first on a tie. */
static int is_before(struct candidate x, struct candidate y)
{
    return x.logit != y.logit ? x.logit > y.logit : x.id < y.id;
}

/* Let c[i] sink to where c[0 .. n) is a heap again. */
static void sink(struct candidate *c, int n, int i)
{
    const struct candidate x = c[i];
    for (int k; (k = 2 * i + 1) < n; i = k) {
        k += k + 1 < n && is_before(c[k + 1], c[k]);
        if (!is_before(c[k], x))
            break;
        c[i] = c[k];
    }
    c[i] = x;
}

static struct candidate ranked(struct ranking *r, int i)
{
    while (r->taken <= i) {
        const int last = r->n - 1 - r->taken++;
        const struct candidate first = r->c[0];
        r->c[0] = r->c[last];
        r->c[last] = first;
        sink(r->c, last, 0);
    }
    return r->c[r->n - 1 - i];
}

static double weight(const struct ranking *r, struct candidate c)
{
    return exp(((double)c.logit - r->top) / r->temperature);
}

static int likeliest(const float *logits, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

/* Draw by probability among the top_k likeliest, or those of them that reach top_p. */
static int draw(struct ranking *r, const struct sampling *how, uint64_t number)
{
    const int most = how->top_k && how->top_k < r->n ? how->top_k : r->n;
    const uint32_t word = random_word(how->seed, random_site("generate"), 0, number);
    double all = 0, kept = 0, sum = 0;
    int end = 0, i = 0;

    for (int k = 0; k < most; k++)
        all += weight(r, most < r->n ? ranked(r, k) : r->c[k]);
    while (how->top_p < 1 && end < most && (!end || kept < how->top_p * all))
        kept += weight(r, ranked(r, end++));
    if (how->top_p >= 1) {
        kept = all;
        end = most;
    }
    const double at = ((double)word + 0.5) * 0x1p-32 * kept;
    while (i < end - 1 && (sum += weight(r, ranked(r, i))) <= at)
        i++;
    return ranked(r, i).id;
}

int sample(const float *logits, const struct sampling *how, uint64_t number)
{
    if (how->temperature <= 0 || how->top_k == 1)
        return likeliest(logits, how->ids);
    struct ranking r = {.c = zalloc((size_t)how->ids, sizeof *r.c), .n = how->ids,
                        .top = logits[likeliest(logits, how->ids)],
                        .temperature = how->temperature};
    for (int i = 0; i < r.n; i++)
        r.c[i] = (struct candidate){logits[i], i};
    for (int i = r.n / 2; i-- > 0;)
        sink(r.c, r.n, i);
    const int id = draw(&r, how, number);
    free(r.c);
    return id;
}
