#include "text/bleu.h"
#include <math.h>

struct bleu_counts bleu_count(struct ngrams *g, const struct ids *candidate,
                              const struct ids *references, int n_references, int order)
{
    struct bleu_counts c = {.candidate = candidate->n};
    size_t nearest = (size_t)-1;

    ngrams_match(g, candidate, references, n_references, order, c.hits);
    for (size_t n = 0; n < (size_t)order; n++)
        c.totals[n] = candidate->n > n ? candidate->n - n : 0;
    for (int r = 0; r < n_references; r++) {
        const size_t n = references[r].n;
        const size_t far = n > candidate->n ? n - candidate->n : candidate->n - n;
        if (far < nearest || (far == nearest && n < c.reference)) {
            nearest = far;
            c.reference = n;
        }
    }
    return c;
}

void bleu_add(struct bleu_counts *sum, const struct bleu_counts *one)
{
    for (int n = 0; n < MAX_ORDER; n++) {
        sum->hits[n] += one->hits[n];
        sum->totals[n] += one->totals[n];
    }
    sum->candidate += one->candidate;
    sum->reference += one->reference;
}

double bleu_smooth_value(const struct bleu_options *o)
{
    return o->value >= 0 ? o->value : o->smooth == BLEU_SMOOTH_FLOOR ? 0.1 : 1;
}

/* Percent of n-grams of this order that match, smoothed; *halvings counts the orders without
 * a match so far. */
static double precision(const struct bleu_options *o, double count, double total, double value,
                        int *halvings)
{
    if (count > 0)
        return 100 * count / total;
    if (o->smooth == BLEU_SMOOTH_EXP)
        return 100 / (exp2(++*halvings) * total);
    return o->smooth == BLEU_SMOOTH_FLOOR ? 100 * value / total : 0;
}

struct bleu_score bleu_score(const struct bleu_counts *c, const struct bleu_options *o)
{
    const double value = bleu_smooth_value(o);
    struct bleu_score s = {0};
    int any = 0, halvings = 0, orders = o->order;
    double logs = 0;

    s.brevity = c->candidate >= c->reference ? 1
              : c->candidate ? exp(1 - (double)c->reference / (double)c->candidate) : 0;
    for (int n = 0; n < o->order; n++) {
        s.counts[n] = (double)c->hits[n];
        s.totals[n] = (double)c->totals[n];
        any |= c->hits[n] > 0;
    }
    if (!any)
        return s;
    for (int n = 0; n < o->order; n++) {
        if (o->smooth == BLEU_SMOOTH_ADD_K && n) {
            s.counts[n] += value;
            s.totals[n] += value;
        }
        if (s.totals[n] == 0)
            break;
        if (o->effective)
            orders = n + 1;
        s.precisions[n] = precision(o, s.counts[n], s.totals[n], value, &halvings);
    }
    for (int n = 0; n < orders; n++)
        logs += s.precisions[n] > 0 ? log(s.precisions[n]) : -9999999999.0;
    s.score = s.brevity * exp(logs / orders);
    return s;
}
