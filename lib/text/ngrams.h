/* ngrams.h - how many n-grams of a candidate also stand in its references. */
#pragma once
#include "text/words.h"

enum { MAX_ORDER = 9 };

struct ngrams;

struct ngrams *ngrams_new(void);
void ngrams_free(struct ngrams *g);

/* Clipped matches: hits[n - 1] is the sum over the distinct n-grams of min(their count in the
 * candidate, their largest count in any one reference), for n = 1 .. orders. */
void ngrams_match(struct ngrams *g, const struct ids *candidate, const struct ids *references,
                  int n_references, int orders, size_t *hits);
