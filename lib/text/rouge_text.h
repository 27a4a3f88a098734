/* rouge_text.h - texts as the words that ROUGE compares. */
#pragma once
#include "text/words.h"

enum rouge_words {
    ROUGE_ASCII,        /* rouge-score's: runs of ASCII letters and digits, in lower case */
    ROUGE_UNICODE,      /* runs of letters, numbers and marks of any script, in lower case; in
                         * scripts written without blanks (Han, kana, Thai, Lao, Burmese, Khmer)
                         * each letter with its marks */
};

/* A text's words, and how many of them precede the end of each line that is not empty. */
struct rouge_text {
    struct ids words, lines;
};

struct rouge_splitter;

/* stem: words are their Porter stems. */
struct rouge_splitter *rouge_splitter_new(enum rouge_words kind, int stem);
void rouge_splitter_free(struct rouge_splitter *r);
/* Split a UTF-8 text into t, which is emptied first. */
void rouge_split(struct rouge_splitter *r, struct span text, struct rouge_text *t);
void rouge_text_free(struct rouge_text *t);
/* How many ids there are, and the word of one. */
int rouge_splitter_ids(const struct rouge_splitter *r);
struct span rouge_splitter_word(const struct rouge_splitter *r, int id);
/* Between pairs: forget the words when there are very many; memory stays bounded on any input. */
void rouge_splitter_rest(struct rouge_splitter *r);
