#include "text/bleu_bootstrap.h"
#include "base/base.h"
#include "base/numpy.h"
#include <math.h>
#include <stdlib.h>

enum { MOST_COUNTS = 2 * MAX_ORDER + 2 };

/* How many numbers a pair has: hits and n-grams of each order, two lengths. */
static size_t row_size(int order)
{
    return 2 * (size_t)order + 2;
}

void bleu_rows_add(struct bleu_rows *r, const struct bleu_counts *one, int order)
{
    const size_t size = row_size(order), need = (r->n + 1) * size;
    if (need > r->room) {
        r->room = 2 * need;
        r->counts = reallocarray(r->counts, r->room, sizeof *r->counts);
        if (!r->counts)
            die("out of memory: a bootstrap keeps the counts of all %zu pairs", r->n);
    }
    uint32_t *to = r->counts + r->n++ * size;
    for (int n = 0; n < order; n++) {
        *to++ = (uint32_t)one->hits[n];
        *to++ = (uint32_t)one->totals[n];
    }
    *to++ = (uint32_t)one->candidate;
    *to = (uint32_t)one->reference;
}

/* The sums of the rows that were picked; NULL: of each once.  Inlined for the usual size. */
__attribute__((always_inline))
static inline void add_rows(const struct bleu_rows *r, const uint32_t *picks, size_t size,
                            uint64_t *sum)
{
    for (size_t i = 0; i < r->n; i++) {
        const uint32_t *row = r->counts + (picks ? picks[i] : i) * size;
        for (size_t k = 0; k < size; k++)
            sum[k] += row[k];
    }
}

static double score_of(const struct bleu_rows *r, const struct bleu_options *o,
                       const uint32_t *picks)
{
    uint64_t sum[MOST_COUNTS] = {0}, *at = sum;
    struct bleu_counts counts = {0};

    if (o->order == 4)
        add_rows(r, picks, 2 * 4 + 2, sum);
    else
        add_rows(r, picks, row_size(o->order), sum);
    for (int n = 0; n < o->order; n++) {
        counts.hits[n] = *at++;
        counts.totals[n] = *at++;
    }
    counts.candidate = *at++;
    counts.reference = *at;
    return bleu_score(&counts, o).score;
}

static double p_value(const double *differences, size_t n, double real)
{
    double mean = 0, beyond = 0;
    for (size_t b = 0; b < n; b++)
        mean += fabs(differences[b]) / (double)n;
    for (size_t b = 0; b < n; b++)
        beyond += fabs(differences[b]) - mean > fabs(real);
    return (beyond + 1) / ((double)n + 1);
}

struct bleu_bootstrap bleu_bootstrap(const struct bleu_rows *own, const struct bleu_rows *other,
                                     const struct bleu_options *o, int resamples, uint64_t seed)
{
    const size_t n = (size_t)resamples;
    double *mine = zalloc(3 * n, sizeof *mine), *theirs = mine + n, *gap = theirs + n;
    uint32_t *picks = zalloc(own->n, sizeof *picks);
    struct bleu_bootstrap s = {0};
    struct pcg64 g;

    pcg64_seed(&g, seed);
    for (size_t b = 0; b < n; b++) {
        pcg64_picks(&g, (uint32_t)own->n, picks, own->n);
        mine[b] = score_of(own, o, picks);
        theirs[b] = other ? score_of(other, o, picks) : 0;
        gap[b] = mine[b] - theirs[b];
    }
    if (other) {
        s.p_value = p_value(gap, n, score_of(own, o, NULL) - score_of(other, o, NULL));
        s.other = spread_of(theirs, n);
        s.difference = spread_of(gap, n);
    }
    s.own = spread_of(mine, n);
    free(picks);
    free(mine);
    return s;
}
