/* bleu_bootstrap.h - how sure a corpus's BLEU is, and whether it is better than another system's:
 * scores of resampled pairs (Koehn 2004), with the draws and the statistics of sacrebleu 2.6.0. */
#pragma once
#include "text/bleu.h"
#include "text/bootstrap.h"
#include <stdint.h>

/* The counts of every pair of a system.  Begins all zero; free `counts`. */
struct bleu_rows {
    uint32_t *counts;
    size_t n, room;         /* pairs; numbers that there is room for */
};

void bleu_rows_add(struct bleu_rows *r, const struct bleu_counts *one, int order);

struct bleu_bootstrap {
    struct spread own, other, difference;
    /* The share of resamples whose |difference|, less the mean of all, exceeds the real one: as
     * if there were none; both counts have one more. */
    double p_value;
};

/* Resample the same pairs of both systems, each `resamples` times; other may be NULL. */
struct bleu_bootstrap bleu_bootstrap(const struct bleu_rows *own, const struct bleu_rows *other,
                                     const struct bleu_options *o, int resamples, uint64_t seed);
