/* bleu.h - BLEU (Papineni et al. 2002) from counts, with sacrebleu 2.6.0's smoothings. */
#pragma once
#include "text/ngrams.h"

enum bleu_smooth { BLEU_SMOOTH_EXP, BLEU_SMOOTH_FLOOR, BLEU_SMOOTH_ADD_K, BLEU_SMOOTH_NONE };

struct bleu_options {
    int order;              /* longest n-gram */
    enum bleu_smooth smooth;
    double value;           /* of floor (0.1 by default) and add-k (1); < 0: the default */
    int effective;          /* leave out orders without n-grams: sentence BLEU */
};

/* Sums over pairs. */
struct bleu_counts {
    size_t hits[MAX_ORDER], totals[MAX_ORDER], candidate, reference;
};

struct bleu_score {
    double score;                                   /* 0 .. 100 */
    double counts[MAX_ORDER], totals[MAX_ORDER];    /* as add-k changed them */
    double precisions[MAX_ORDER];                   /* 0 .. 100 */
    double brevity;
};

/* One pair's counts: clipped by the references' largest; the length of the reference that is
 * closest to the candidate's, the shorter on a tie. */
struct bleu_counts bleu_count(struct ngrams *g, const struct ids *candidate,
                              const struct ids *references, int n_references, int order);
void bleu_add(struct bleu_counts *sum, const struct bleu_counts *one);
/* The value that floor and add-k use. */
double bleu_smooth_value(const struct bleu_options *o);
struct bleu_score bleu_score(const struct bleu_counts *c, const struct bleu_options *o);
