/* judge.h - a checkpoint run over windows of tokens. */
#pragma once
#include "eval/windows.h"
#include "data/mask.h"
#include "model/checkpoint.h"
#include "text/vocab.h"

struct judge {
    struct checkpoint *checkpoint;
    struct model *model;
    struct stream *stream;
    struct masking mask;        /* of an encoder's windows */
};

/* What the model made of one window: [n] each, of the tokens that are scored. */
struct verdict {
    const int *targets;
    const float *loss;          /* nats */
    const int *best;            /* the arg-max */
    int n;
};

/* What perplexities are made of.  Sums run window by window, so that no batch size changes
 * their order. */
struct tally {
    double loss, window_exp;    /* nats; exp of each window's mean */
    unsigned long long windows, tokens, hits;
};

void tally_add(struct tally *t, const struct verdict *v);

/* Open both, check that they speak the same vocabulary, and place the model.  There is one. */
struct judge *judge_open(const char *run, const char *data);
/* Call each(arg, verdict) for every window of the policy, in its order. */
void judge_run(struct judge *j, void (*each)(void *arg, const struct verdict *v), void *arg);
void judge_close(struct judge *j);
/* A table's provenance: the options, the model's and those of `more` (or NULL) among them,
 * "# protocol=...", and the checkpoint's notes. */
void judge_notes(const struct judge *j, FILE *out, const struct opt *more);
/* What the ids mean, by the checkpoint or else the data. */
struct vocab *judge_vocab(const struct judge *j);
/* The text of n ids.  An end of text is written out, as tiktoken decodes it; bytes that are no
 * UTF-8 (a character cut by the window) become U+FFFD.  The caller frees it. */
char *judge_text(const struct vocab *v, const int *ids, int n, size_t *size);
