/* rouge.h - ROUGE (Lin 2004) as Google's rouge-score 0.1.2 computes it, to the last
 * digit: ASCII words, optional stems, ROUGE-N, ROUGE-L and ROUGE-Lsum. */
#pragma once
#include "text/ngrams.h"
#include "text/rouge_text.h"

/* Kinds of ROUGE: 1 .. MAX_ORDER are n-grams. */
enum { ROUGE_L = MAX_ORDER + 1, ROUGE_LSUM, ROUGE_KINDS };

struct rouge_score { double p, r, f; };     /* precision, recall, F */

struct rouge;

struct rouge *rouge_new(enum rouge_words kind, int stem);
void rouge_free(struct rouge *r);

/* The scores of one candidate for n kinds; of several references the one with the highest F
 * counts for each kind, the first on a tie. */
void rouge_score(struct rouge *r, struct span candidate, const struct span *references,
                 int n_references, const int *kinds, int n, struct rouge_score *scores);
/* Did the last candidate or a reference have characters beyond ASCII and yet no word? */
int rouge_was_blind(const struct rouge *r);

/* "1", "L", "Lsum": the kind, or 0; and back. */
int rouge_kind(const char *name);
const char *rouge_name(int kind);
/* A text's words as ROUGE sees them, joined by blanks: for tests. The caller frees it. */
char *rouge_words(struct rouge *r, struct span text);
