/* generate.h - text token by token from a decoder, with a cache of keys and values. */
#pragma once
#include "model/model.h"
#include <stdint.h>

struct sampling {
    double temperature;     /* of the softmax; 0: the likeliest id, the lowest on a tie */
    int top_k;              /* draw among that many of the likeliest; 0: all */
    double top_p;           /* draw among the likeliest that together reach it; 1: all */
    uint64_t seed;
    int ids;                /* rows of the vocabulary above are spare and never drawn */
};

struct generator;

/* m: a placed MODEL_GENERATE model of batch 1 with its parameters loaded; it stays the caller's. */
struct generator *generator_new(struct model *m, const struct sampling *how);
void generator_free(struct generator *g);
/* The model reads one more token.  When its context is full, the newer half of it is read
 * again from the beginning and the older half is forgotten. */
void generator_read(struct generator *g, int id);
/* The next token by the logits after the last one read. */
int generator_next(struct generator *g);
/* Those logits, [vocab]. */
const float *generator_logits(struct generator *g);

/* Draw number `n` from logits: the choice of generator_next(), for tests. */
int sample(const float *logits, const struct sampling *how, uint64_t n);
