/* bert.h - BERTScore of many pairs, by the options of eval --bertscore. */
#pragma once
#include "eval/eval.h"
#include "eval/prf.h"
#include "measure/bertscore.h"

struct bert;

/* Open the encoder that the options name. */
struct bert *bert_open(void);
/* Keep a pair's tokens; the texts need not stay. */
void bert_add(struct bert *b, struct span candidate, const struct span *references, int n);
/* Score them all, once: the sums; a row for each pair goes to `out` unless that is NULL. */
const struct prf *bert_run(struct bert *b, FILE *out);
/* bert-score's hash string, with the name of the encoder's folder; the caller frees it. */
char *bert_signature(const struct bert *b);
void bert_close(struct bert *b);
