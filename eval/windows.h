/* windows.h - how a stream of tokens is cut into windows that a model can read, and which
 * tokens of each are scored: the policy that a perplexity depends on. */
#pragma once
#include "eval/stream.h"

enum policy {
    POLICY_BLOCKS,      /* disjoint windows from the start, a short rest dropped (nanoGPT) */
    POLICY_RANDOM,      /* windows that begin anywhere, drawn with replacement (nanoGPT, paper A) */
    POLICY_STRIDE,      /* overlapping windows, each token scored once (Hugging Face) */
    POLICY_ROLLING,     /* each document by itself, every token scored (lm-evaluation-harness) */
};

extern const char *const policy_names[];
/* What the policy does, with its numbers; the caller frees it. */
char *policy_text(enum policy p, int context, int stride);

/* The model reads ids from .. from + n and predicts from + 1 .. from + n + 1, of which all but
 * the first `skip` are scored.  The id at -1 is the end of text. */
struct window {
    int64_t from;
    int n, skip;
};

struct windows;

/* count: how many of POLICY_RANDOM, the most of the others (0: all). */
struct windows *windows_open(struct stream *s, enum policy p, int context, int stride,
                             uint64_t count, uint64_t seed);
int windows_next(struct windows *w, struct window *one);    /* 0 after the last */
/* Tokens that will be scored in all, for a progress line (about, when rolling). */
double windows_tokens(const struct windows *w);
void windows_close(struct windows *w);
