/* bleu_words.h - texts as the words that BLEU counts, as sacrebleu 2.6.0, fairseq and
 * multi-bleu.perl cut them. */
#pragma once
#include "text/words.h"

enum bleu_tokenizer {
    BLEU_13A,           /* mteval-v13a, sacrebleu's default */
    BLEU_INTL,          /* mteval-v14's international form */
    BLEU_CHAR,          /* a word for each code point */
    BLEU_NONE,          /* at white space */
    BLEU_FAIRSEQ,       /* the same; an empty line is one word, <unk> of a reference none */
    BLEU_MULTI,         /* at ASCII white space, as multi-bleu.perl */
};

struct bleu_words;

/* lower: lower-case first; compounds: x-y becomes "x ##AT##-##AT## y" first. */
struct bleu_words *bleu_words_new(enum bleu_tokenizer kind, int lower, int compounds);
void bleu_words_free(struct bleu_words *b);
/* The ids of a text's words; the list is emptied first.  Ids hold until bleu_words_rest(). */
void bleu_words(struct bleu_words *b, struct span text, int is_reference, struct ids *ids);
/* Between pairs: forget the words when there are very many. */
void bleu_words_rest(struct bleu_words *b);
/* The words joined by blanks: for tests. The caller frees it. */
char *bleu_words_joined(struct bleu_words *b, struct span text);
