/* eval.h - what the modes of eval share: options, and where pairs and tables come from and go. */
#pragma once
#include "base/opt.h"
#include "text/pairs.h"
#include <stdio.h>

struct options {
    int rouge, bleu, pairs, forced;                 /* modes; perplexity without any */
    const char *prompt;                             /* of --generate */
    const char *output;
    long long seed;
    int each;                                       /* a row for each pair */
    int resamples;                                  /* of a bootstrap; 0: none */
    const char *kinds;                              /* of ROUGE */
    int words, stem;
    int tokenizer, lower, compounds, smooth, order;  /* of BLEU */
    double smooth_value;                            /* -1: the method's own */
    const char *against;                            /* the other system's candidates; or NULL */
    int policy, train, window, stride, batch;       /* of perplexity; 0: the model's own */
    long long windows;
    long long length;                               /* of --generate, in tokens */
    double temperature, top_p;
    int top_k, stop;
    const char *encoder;                            /* of --bertscore: a folder */
    int layer, idf;                                 /* layer -1: the usual one of that model */
    const char *baseline;                           /* a file to rescale by */
};

enum { MAX_BATCH = 4096 };

extern struct options want;
extern const struct opt output_options[], score_options[], rouge_options[], bleu_options[],
                        window_options[], generate_options[], bertscore_options[];

/* Pairs from the operands: none or "-" is stdin, one a file of pairs, more are candidates and
 * their references. */
struct pairs *pairs_from(int n, char **operands);
/* Dies when there were none. */
void need_pairs(size_t n);
/* Begin a table with its provenance lines: every option of these tables (more may be NULL). */
void table_begin(FILE *out, const struct opt *own, const struct opt *more);
/* "metric<TAB>value" */
void metric(FILE *out, const char *name, double value);

void run_rouge(FILE *out, int n, char **operands);
void run_bleu(FILE *out, int n, char **operands);
void run_perplexity(FILE *out, const char *run, const char *data);
void run_pairs(FILE *out, const char *run, const char *data);
void run_forced(FILE *out, const char *run, const char *data);
void run_generate(FILE *out, const char *run);
void run_bertscore(FILE *out, int n, char **operands);
