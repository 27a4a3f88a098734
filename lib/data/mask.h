/* mask.h - what an encoder learns from: some tokens of a window are hidden, to be guessed from
 * all others (BERT: Devlin et al. 2019, section 3.1). */
#pragma once
#include "data/tokens.h"
#include <stdint.h>

struct masking {
    double share;       /* of the tokens; 0: none, targets are the next tokens */
    int mask, ids;      /* the id that hides a token; how many ids can stand in its place */
};

/* For data of that kind: WordPiece vocabularies have a [MASK], others are given one more id. */
struct masking masking_for(const struct token_kind *kind, double share);
/* Ids that a model must have for it. */
int masking_ids(const struct masking *m);
/* Hide some of the n tokens of window k, one at least: `targets` get what stood there, and -1
 * where nothing is to be guessed.  Of ten hidden tokens eight become the mask, one any other, one
 * stays.  The choice depends on the seed and k alone. */
void mask_window(const struct masking *m, uint64_t seed, uint64_t k, int *ids, int *targets,
                 int n);
