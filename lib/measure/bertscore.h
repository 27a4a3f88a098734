/* bertscore.h - BERTScore (Zhang et al. 2020): precision, recall and F of a candidate's
 * hidden states against a reference's, matched greedily by cosine.
 *
 * As bert-score 0.3.13 computes it for each pair alone: the begin and end marks weigh
 * nothing but may be matched; a text of no tokens scores 0. */
#pragma once
#include "measure/embedder.h"

struct bertscore { double precision, recall, f; };

/* How often documents have each id: weights log((documents + 1) / (with the id + 1)). */
struct idf;
struct idf *idf_new(void);
void idf_free(struct idf *t);
void idf_add(struct idf *t, const struct ids *document);
double idf_weight(const struct idf *t, int id);

/* The score of two texts from their tokens and states of length 1; every token weighs the same
 * but the marks when idf is NULL. */
struct bertscore bertscore(const struct embedder *e, const struct ids *candidate, const float *c,
                           const struct ids *reference, const float *r, const struct idf *idf);
/* (x - b) / (1 - b), each with its own baseline. */
struct bertscore bertscore_rescaled(struct bertscore s, struct bertscore baseline);
/* The row of a layer in a baseline file "LAYER,P,R,F": NULL, or an error text. */
const char *bertscore_baseline(const char *path, int layer, struct bertscore *baseline);
/* The block whose hidden states bert-score 0.3.13 takes of a model of that name; -1: not known. */
int bertscore_usual_layer(const char *name);
